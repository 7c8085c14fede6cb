#include "kernels/cpu/tbb_threads.h"

#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace dspark {

struct TbbThreads::Arena {
  tbb::task_arena arena;
};

TbbThreads::TbbThreads(int most) : arena_(std::make_unique<Arena>()) {
  arena_->arena.initialize(std::max(most, 1), /*reserved_for_masters=*/0);
}

TbbThreads::~TbbThreads() = default;

void TbbThreads::start(Work work, void* of, std::size_t helper) {
  arena_->arena.enqueue([=] { work(of, helper); });
}

int TbbThreads::concurrency() { return tbb::info::default_concurrency(); }

}  // namespace dspark
