#pragma once

#include <cstdint>

namespace dspark {

/// The virtual clock: whole nanoseconds since the run began. Integers, so that equal times are equal on every
/// machine.
using VirtualTime = std::int64_t;

constexpr VirtualTime kNever = INT64_MAX;

/// Rounded to the nearest nanosecond; seconds within ±9e9.
constexpr VirtualTime to_virtual_time(double seconds) {
  const double nanoseconds = seconds * 1e9;
  return static_cast<VirtualTime>(nanoseconds + (nanoseconds < 0 ? -0.5 : 0.5));
}
constexpr double to_seconds(VirtualTime time) { return static_cast<double>(time) * 1e-9; }

}  // namespace dspark
