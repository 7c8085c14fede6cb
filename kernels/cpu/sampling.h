#pragma once

#include <cstdint>
#include <span>

#include "kernels/kernels.h"

namespace dspark::sampling {

// One row or one request each; the contracts are those of Kernels.

std::int32_t largest(std::span<const float> x);
/// Logits to probabilities, in place.
void probabilities(std::span<float> logits, const SamplingRule& rule);

struct Signals {
  float top1 = 0, margin = 0, entropy = 0;
};
Signals signals(std::span<const float> logits, const SamplingRule& rule);

double uniform(const DrawKey& key);
std::int32_t draw(std::span<const float> probabilities, double uniform);
/// From max(0, target - draft) scaled to 1. An empty `draft` is all on `certain`.
std::int32_t draw_residual(std::span<const float> target, std::span<const float> draft, std::int32_t certain,
                           double uniform);

}  // namespace dspark::sampling
