#include "kernels/cpu/workers.h"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <mutex>

namespace dspark {
namespace {

// Orders what the threads read and write by an edge of our own that the thread sanitizer sees: it does not
// see how libtbb hands a task over. Older than any thread, since it does not see either how a thread learns
// of it.
constinit std::mutex handover;

void cross() { const std::lock_guard lock(handover); }

}  // namespace

struct Workers::Arena {
  tbb::task_arena arena;
};

Workers::Workers(int threads) : threads_(threads), arena_(std::make_unique<Arena>()) {
  // More threads than the processor runs are more parts, taken one after another.
  arena_->arena.initialize(std::min(threads, tbb::info::default_concurrency()), 1);
}

Workers::~Workers() = default;

void Workers::run_parts(std::size_t parts, void (*call)(const void*, std::size_t), const void* work) {
  cross();
  arena_->arena.execute([&] {
    tbb::parallel_for(
        std::size_t{0}, parts,
        [&](std::size_t part) {
          cross();
          call(work, part);
          cross();
        },
        tbb::static_partitioner());
  });
  cross();
}

}  // namespace dspark
