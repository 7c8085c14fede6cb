#pragma once

#include <atomic>

namespace dspark {

/// Becomes true at the first SIGINT or SIGTERM; a second one ends the program at once.
std::atomic<bool>& interrupt_requested();
void catch_interrupts();

}  // namespace dspark
