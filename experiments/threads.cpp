#include "experiments/threads.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace dspark {

ForEachIndex on_threads(int jobs) {
  const auto wanted = jobs > 0 ? static_cast<std::size_t>(jobs)
                               : static_cast<std::size_t>(std::max(1u, std::thread::hardware_concurrency()));
  return [wanted](std::size_t count, const std::function<void(std::size_t)>& job) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < count; i = next++) job(i);
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, wanted); ++i) threads.emplace_back(work);
    work();
  };
}

}  // namespace dspark
