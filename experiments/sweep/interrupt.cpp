#include "experiments/sweep/interrupt.h"

#include <csignal>

namespace dspark {
namespace {

std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

extern "C" void request_interrupt(int) { requested.store(true, std::memory_order_relaxed); }

}  // namespace

std::atomic<bool>& interrupt_requested() { return requested; }

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = request_interrupt;
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace dspark
