#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

namespace dspark {

/// The threads that share an operator's work: the caller, and helpers of oneTBB's. A step is hundreds of
/// operators of some ten microseconds each, so a helper stays awake for a moment after its last part. Who
/// does which part changes no bit of a result. Calls come from one thread at a time.
class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();

  int threads() const { return threads_; }

  /// body(first, end, worker) over contiguous parts of 0 .. count - 1, each of `worth` items at least where
  /// there are as many. worker: 0 .. threads - 1, that no other part runs with at the time.
  template <class Body>
  void split(std::size_t count, std::size_t worth, const Body& body) {
    const std::size_t parts =
        std::clamp<std::size_t>(count / std::max<std::size_t>(worth, 1), 1, most_parts());
    if (parts == 1) {
      if (count > 0) body(std::size_t{0}, count, std::size_t{0});
      return;
    }
    run(parts, [&](std::size_t part, std::size_t worker) {
      body(part * count / parts, (part + 1) * count / parts, worker);
    });
  }

  /// body(item, worker) for each of 0 .. count - 1: whoever is free takes the next.
  template <class Body>
  void each(std::size_t count, const Body& body) {
    if (count <= 1 || threads_ == 1) {
      for (std::size_t item = 0; item < count; ++item) body(item, std::size_t{0});
      return;
    }
    run(count, body);
  }

 private:
  using Call = void (*)(const void* work, std::size_t part, std::size_t worker);

  /// Twice as many as threads: a thread that starts late, or whose core is wanted elsewhere, finds less left
  /// to do. More parts are shorter streams of memory.
  std::size_t most_parts() const {
    constexpr std::size_t kPartsOfThread = 2;
    return threads_ == 1 ? 1 : kPartsOfThread * static_cast<std::size_t>(threads_);
  }
  template <class Part>
  void run(std::size_t parts, const Part& part) {
    run_parts(
        parts,
        [](const void* work, std::size_t index, std::size_t worker) {
          (*static_cast<const Part*>(work))(index, worker);
        },
        &part);
  }
  void run_parts(std::size_t parts, Call call, const void* work);

  class Crew;
  int threads_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace dspark
