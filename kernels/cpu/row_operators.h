#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernels.h"

namespace dspark::row_operators {

// One row each, on eight lanes of AVX2: the same bits on every processor. The contracts are those of Kernels.

void rms_norm(const float* x, std::size_t width, const float* weight, float offset, float epsilon,
              float* out);
/// One head of 2 · half numbers.
void rotate(float* x, std::size_t half, const float* cosine, const float* sine);
void gate(const float* gate, const float* up, std::size_t count, GateActivation activation, float* out);
void add(float* x, const float* y, std::size_t count);
void scale(float* x, std::size_t count, float factor);
void soft_cap(float* x, std::size_t count, float cap);
void spread(std::span<const float> x, std::span<const std::int32_t> columns, std::span<float> out);

/// count > 0, no NaN.
float largest_value(const float* x, std::size_t count);
/// The smallest index of `value`, which is there.
std::size_t find(const float* x, std::size_t count, float value);
/// e^((x - largest) / temperature) in place; returns their sum.
double exponentials(float* x, std::size_t count, float largest, float temperature);
double sum(const float* x, std::size_t count);

/// Of u = (x - largest) / temperature: the sums of e^u and of u·e^u.
struct ExponentialSums {
  double of_exponentials = 0;
  double weighted = 0;
};
ExponentialSums exponential_sums(const float* x, std::size_t count, float largest, float temperature);

}  // namespace dspark::row_operators
