#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>

namespace dspark {

/// The threads that share an operator's work. Who does which part changes no bit of a result.
class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();

  int threads() const { return threads_; }

  /// body(first, end, worker) over contiguous parts of 0 .. count - 1, one for each worker, all but equal.
  /// With less than `worth` items for a second worker the caller does all.
  template <class Body>
  void split(std::size_t count, std::size_t worth, const Body& body) {
    const std::size_t parts = std::clamp<std::size_t>(count / std::max<std::size_t>(worth, 1), 1,
                                                      static_cast<std::size_t>(threads_));
    if (parts == 1) {
      if (count > 0) body(std::size_t{0}, count, std::size_t{0});
      return;
    }
    run(parts, [&](std::size_t part) { body(part * count / parts, (part + 1) * count / parts, part); });
  }

  /// body(item, worker) for each of 0 .. count - 1: whoever is free takes the next.
  template <class Body>
  void each(std::size_t count, const Body& body) {
    const std::size_t parts = std::min(count, static_cast<std::size_t>(threads_));
    if (parts <= 1) {
      for (std::size_t item = 0; item < count; ++item) body(item, std::size_t{0});
      return;
    }
    std::atomic<std::size_t> next{0};
    run(parts, [&](std::size_t part) {
      for (std::size_t item = next++; item < count; item = next++) body(item, part);
    });
  }

 private:
  template <class Part>
  void run(std::size_t parts, const Part& part) {
    run_parts(
        parts, [](const void* work, std::size_t index) { (*static_cast<const Part*>(work))(index); }, &part);
  }
  void run_parts(std::size_t parts, void (*call)(const void*, std::size_t), const void* work);

  struct Arena;
  int threads_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace dspark
