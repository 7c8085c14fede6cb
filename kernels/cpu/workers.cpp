#include "kernels/cpu/workers.h"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "kernels/cpu/tbb_threads.h"

namespace dspark {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a helper waits awake for more to do: longer than what one thread does alone between two operators
/// or two steps.
constexpr auto kLinger = std::chrono::microseconds(200);
constexpr std::uint32_t kPausesBetweenLooks = 64;  // at the clock, and for whom else the core is wanted

/// Raised before a helper is started and read by it first: an edge that the thread sanitizer sees, which it
/// does not of how libtbb starts it. Older than any thread.
constinit std::atomic<std::uint32_t> started{0};

/// A wait that costs the other threads of the core little.
class Spin {
 public:
  /// Every so often true, after letting others run.
  bool once() {
    _mm_pause();
    if (++pauses_ % kPausesBetweenLooks != 0) return false;
    std::this_thread::yield();
    return true;
  }

 private:
  std::uint32_t pauses_ = 0;
};

}  // namespace

/// One job at a time, which caller and helpers take part by part. Nothing waits for a helper that has no
/// part: the caller alone would get the job done.
class Workers::Crew {
 public:
  explicit Crew(int helpers) : threads_(helpers), awake_(static_cast<std::size_t>(helpers)) {}
  ~Crew() {
    closed_.store(true, std::memory_order_release);
    Spin spin;
    for (const std::atomic<bool>& awake : awake_) {
      while (awake.load(std::memory_order_acquire)) spin.once();
    }
  }

  void run(std::size_t parts, Call call, const void* work) {
    publish(parts, call, work);
    wake(parts - 1);
    while (do_part(/*worker=*/0)) {
    }
    Spin spin;
    while (done_.load(std::memory_order_acquire) != parts) spin.once();
  }

 private:
  struct Part {
    Call call;
    const void* work;
    std::size_t index;
  };

  // A ticket is the job's number (high half) and its first part that nobody has taken. A part is taken by
  // raising it, which fails if the job is another one by then: so what was read of the job belongs to it.
  static constexpr std::uint64_t kJob = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kNoParts = kJob - 1;

  void publish(std::size_t parts, Call call, const void* work) {
    // No part can be taken while the job is written: the number of parts may grow before the ticket changes.
    const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) | kNoParts) + 1;
    ticket_.store(job | kNoParts, std::memory_order_release);
    done_.store(0, std::memory_order_relaxed);
    call_.store(call, std::memory_order_release);
    work_.store(work, std::memory_order_release);
    parts_.store(parts, std::memory_order_release);
    ticket_.store(job, std::memory_order_release);
  }

  void wake(std::size_t helpers) {
    for (std::size_t i = 0; i < std::min(helpers, awake_.size()); ++i) {
      if (awake_[i].exchange(true, std::memory_order_acq_rel)) continue;
      started.fetch_add(1, std::memory_order_acq_rel);
      threads_.start([](void* crew, std::size_t helper) { static_cast<Crew*>(crew)->serve(helper); }, this,
                     i);
    }
  }

  std::optional<Part> take() {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const Part part{call_.load(std::memory_order_acquire), work_.load(std::memory_order_acquire),
                      static_cast<std::size_t>(ticket & kNoParts)};
      if (part.index >= parts_.load(std::memory_order_acquire)) return std::nullopt;
      if (ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
        return part;
      }
    }
  }

  bool do_part(std::size_t worker) {
    const auto part = take();
    if (!part) return false;
    part->call(part->work, part->index, worker);
    done_.fetch_add(1, std::memory_order_acq_rel);
    return true;
  }

  void serve(std::size_t helper) {
    started.load(std::memory_order_acquire);
    Spin spin;
    Clock::time_point last = Clock::now();
    while (!closed_.load(std::memory_order_acquire)) {
      if (do_part(helper + 1)) {
        last = {};
      } else if (spin.once()) {
        const auto now = Clock::now();
        if (last == Clock::time_point{}) last = now;
        if (now - last > kLinger) break;
      }
    }
    awake_[helper].store(false, std::memory_order_release);
  }

  TbbThreads threads_;
  std::vector<std::atomic<bool>> awake_;  // by helper: it serves, or was asked to
  std::atomic<bool> closed_{false};
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> work_{nullptr};
  std::atomic<std::size_t> parts_{0};
  alignas(64) std::atomic<std::uint64_t> ticket_{kNoParts};
  alignas(64) std::atomic<std::size_t> done_{0};
};

Workers::Workers(int threads)
    // More threads than the processor runs would only wait for each other.
    : threads_(threads), crew_(std::make_unique<Crew>(std::min(threads, TbbThreads::concurrency()) - 1)) {}

Workers::~Workers() = default;

void Workers::run_parts(std::size_t parts, Call call, const void* work) { crew_->run(parts, call, work); }

}  // namespace dspark
