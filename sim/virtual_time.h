#pragma once

#include <cstdint>

namespace dspark {

/// The virtual clock: whole nanoseconds since the run began. Integers, so that equal times are equal on every
/// machine.
using VirtualTime = std::int64_t;

constexpr VirtualTime kNever = INT64_MAX;
/// A run ends here (4e9 s, 126 years); the sum of two times up to it does not overflow.
constexpr VirtualTime kHorizon = 4'000'000'000'000'000'000;

/// Rounded to the nearest nanosecond, and cut at the horizon.
constexpr VirtualTime to_virtual_time(double seconds) {
  const double nanoseconds = seconds * 1e9;
  if (!(nanoseconds < static_cast<double>(kHorizon))) return kHorizon;
  if (!(nanoseconds > -static_cast<double>(kHorizon))) return -kHorizon;
  return static_cast<VirtualTime>(nanoseconds + (nanoseconds < 0 ? -0.5 : 0.5));
}
constexpr double to_seconds(VirtualTime time) { return static_cast<double>(time) * 1e-9; }

}  // namespace dspark
