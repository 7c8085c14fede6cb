#include "kernels/cpu/helper_threads.h"

#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace dspark {

struct HelperThreads::Arena {
  tbb::task_arena arena;
};

HelperThreads::HelperThreads(int most) : arena_(std::make_unique<Arena>()) {
  arena_->arena.initialize(std::max(most, 1), /*reserved_for_masters=*/0);
}

HelperThreads::~HelperThreads() = default;

void HelperThreads::start(Work work, void* of, std::size_t helper) {
  arena_->arena.enqueue([=] { work(of, helper); });
}

int HelperThreads::concurrency() { return tbb::info::default_concurrency(); }

}  // namespace dspark
