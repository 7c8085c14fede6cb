#pragma once

#include <cstddef>
#include <memory>

namespace dspark {

/// Threads of oneTBB's that do what they are told once. The only file that hands something to libtbb: the
/// thread sanitizer does not see how that is done, so who uses it orders what the threads share himself.
class TbbThreads {
 public:
  using Work = void (*)(void* of, std::size_t helper);

  explicit TbbThreads(int most);
  ~TbbThreads();

  /// work(of, helper) on some thread, soon.
  void start(Work work, void* of, std::size_t helper);

  /// Threads that the processor runs at a time.
  static int concurrency();

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;
};

}  // namespace dspark
