#include "sim/simd/simd_target.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "policies/invariant.h"

namespace dspark {
namespace {

std::vector<SimdTarget> find_targets() {
  std::vector<SimdTarget> targets{SimdTarget::kBaseline};
#ifdef DSPARK_SIMD_DISPATCH
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) targets.push_back(SimdTarget::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    targets.push_back(SimdTarget::kAvx512);
  }
#endif
  return targets;
}

std::atomic<SimdTarget>& target_in_use() {
  static std::atomic<SimdTarget> target{simd_targets().back()};
  return target;
}

}  // namespace

std::string_view name_of(SimdTarget target) {
  switch (target) {
    case SimdTarget::kBaseline:
      return "baseline";
    case SimdTarget::kAvx2:
      return "avx2";
    case SimdTarget::kAvx512:
      return "avx512";
  }
  return {};
}

std::span<const SimdTarget> simd_targets() {
  static const std::vector<SimdTarget> targets = find_targets();
  return targets;
}

SimdTarget simd_target() { return target_in_use().load(std::memory_order_relaxed); }

void use_simd_target(SimdTarget target) {
  const auto targets = simd_targets();
  DSPARK_INVARIANT(std::find(targets.begin(), targets.end(), target) != targets.end());
  target_in_use().store(target, std::memory_order_relaxed);
}

}  // namespace dspark
