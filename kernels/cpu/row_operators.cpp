#include "kernels/cpu/row_operators.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/row_operators.cpp"
#include <hwy/foreach_target.h>

#include "kernels/contract.h"
#include "kernels/cpu/lane_math.inc"

#if HWY_TARGET == HWY_AVX2
HWY_BEFORE_NAMESPACE();
namespace dspark {
namespace HWY_NAMESPACE {

void rms_norm(const float* x, std::size_t width, const float* weight, float offset, float epsilon,
              float* out) {
  const F32 d;
  Lanes even = hn::Zero(d), odd = hn::Zero(d);
  for (std::size_t i = 0; i < width; i += 2 * kLanes) {
    const Lanes a = load(x + i, width - i);
    even = hn::MulAdd(a, a, even);
    if (i + kLanes < width) {
      const Lanes b = load(x + i + kLanes, width - i - kLanes);
      odd = hn::MulAdd(b, b, odd);
    }
  }
  const float mean = sum_of(hn::Add(even, odd)) / static_cast<float>(width);
  const Lanes inverse = hn::Set(d, 1.0f / std::sqrt(mean + epsilon));
  for (std::size_t i = 0; i < width; i += kLanes) {
    Lanes y = hn::Mul(load(x + i, width - i), inverse);
    if (weight != nullptr) y = hn::Mul(y, hn::Add(hn::Set(d, offset), load(weight + i, width - i)));
    store(y, out + i, width - i);
  }
}

void rotate(float* x, std::size_t half, const float* cosine, const float* sine) {
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t left = half - i;
    const Lanes a = load(x + i, left), b = load(x + half + i, left);
    const Lanes c = load(cosine + i, left), s = load(sine + i, left);
    store(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), x + i, left);
    store(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), x + half + i, left);
  }
}

void gate(const float* gate, const float* up, std::size_t count, GateActivation activation, float* out) {
  const F32 d;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Lanes g = load(gate + i, count - i);
    Lanes t = g;
    if (activation == GateActivation::kGeluTanh) {
      // g/2 · (1 + tanh(t/2)) = g · logistic(t) with t/2 = √(2/π) · (g + 0.044715 g³).
      t = hn::MulAdd(hn::Mul(hn::Mul(g, g), g), hn::Set(d, 0.044715f), g);
      t = hn::Mul(t, hn::Set(d, 1.59576912f));
    }
    Lanes factor = logistic_of(t);
    if (activation != GateActivation::kSigmoid) factor = hn::Mul(g, factor);
    store(hn::Mul(factor, load(up + i, count - i)), out + i, count - i);
  }
}

void add(float* x, const float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) x[i] += y[i];
}

void scale(float* x, std::size_t count, float factor) {
  for (std::size_t i = 0; i < count; ++i) x[i] *= factor;
}

void soft_cap(float* x, std::size_t count, float cap) {
  const F32 d;
  const Lanes limit = hn::Set(d, cap);
  for (std::size_t i = 0; i < count; i += kLanes) {
    store(hn::Mul(limit, tanh_of(hn::Div(load(x + i, count - i), limit))), x + i, count - i);
  }
}

float largest_value(const float* x, std::size_t count) {
  const F32 d;
  Lanes most = hn::Set(d, x[0]);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) most = hn::Max(most, hn::LoadU(d, x + i));
  float largest = largest_of(most);
  for (; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

std::size_t find(const float* x, std::size_t count, float value) {
  const F32 d;
  const Lanes wanted = hn::Set(d, value);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto first = hn::FindFirstTrue(d, hn::Eq(hn::LoadU(d, x + i), wanted));
    if (first >= 0) return i + static_cast<std::size_t>(first);
  }
  while (i + 1 < count && x[i] != value) ++i;
  return i;
}

/// (x - largest) / temperature.
HWY_INLINE Lanes exponent(Lanes x, float largest, float temperature) {
  const F32 d;
  return hn::Div(hn::Sub(x, hn::Set(d, largest)), hn::Set(d, temperature));
}

double exponentials(float* x, std::size_t count, float largest, float temperature) {
  const F32 d;
  WideSum sum;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const std::size_t left = count - i;
    Lanes e = exp_of(exponent(load(x + i, left), largest, temperature));
    if (left < kLanes) e = hn::IfThenElseZero(hn::FirstN(d, left), e);
    store(e, x + i, left);
    sum.add(e);
  }
  return sum.total();
}

double sum(const float* x, std::size_t count) {
  WideSum sum;
  for (std::size_t i = 0; i < count; i += kLanes) sum.add(load(x + i, count - i));
  return sum.total();
}

row_operators::ExponentialSums exponential_sums(const float* x, std::size_t count, float largest,
                                                float temperature) {
  const F32 d;
  WideSum sum, weighted;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const std::size_t left = count - i;
    const Lanes u = exponent(load(x + i, left), largest, temperature);
    Lanes e = exp_of(u);
    if (left < kLanes) e = hn::IfThenElseZero(hn::FirstN(d, left), e);
    sum.add(e);
    // A token without probability has no weight, where u is infinite too.
    weighted.add(hn::IfThenElseZero(hn::Gt(e, hn::Zero(d)), hn::Mul(u, e)));
  }
  return {sum.total(), weighted.total()};
}

}  // namespace HWY_NAMESPACE
}  // namespace dspark
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
static_assert((HWY_TARGETS & (HWY_AVX2)) == (HWY_AVX2), "compile for every x86-64, not -march=native");

namespace dspark::row_operators {

void rms_norm(const float* x, std::size_t width, const float* weight, float offset, float epsilon,
              float* out) {
  N_AVX2::rms_norm(x, width, weight, offset, epsilon, out);
}
void rotate(float* x, std::size_t half, const float* cosine, const float* sine) {
  N_AVX2::rotate(x, half, cosine, sine);
}
void gate(const float* gate, const float* up, std::size_t count, GateActivation activation, float* out) {
  N_AVX2::gate(gate, up, count, activation, out);
}
void add(float* x, const float* y, std::size_t count) { N_AVX2::add(x, y, count); }
void scale(float* x, std::size_t count, float factor) { N_AVX2::scale(x, count, factor); }
void soft_cap(float* x, std::size_t count, float cap) { N_AVX2::soft_cap(x, count, cap); }
void spread(std::span<const float> x, std::span<const std::int32_t> columns, std::span<float> out) {
  DSPARK_CONTRACT(x.size() == (columns.empty() ? out.size() : columns.size()));
  if (columns.empty()) {
    std::copy(x.begin(), x.end(), out.begin());
    return;
  }
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t i = 0; i < x.size(); ++i) {
    DSPARK_CONTRACT(columns[i] >= 0 && static_cast<std::size_t>(columns[i]) < out.size());
    out[static_cast<std::size_t>(columns[i])] = x[i];
  }
}
float largest_value(const float* x, std::size_t count) { return N_AVX2::largest_value(x, count); }
std::size_t find(const float* x, std::size_t count, float value) { return N_AVX2::find(x, count, value); }
double exponentials(float* x, std::size_t count, float largest, float temperature) {
  return N_AVX2::exponentials(x, count, largest, temperature);
}
double sum(const float* x, std::size_t count) { return N_AVX2::sum(x, count); }
ExponentialSums exponential_sums(const float* x, std::size_t count, float largest, float temperature) {
  return N_AVX2::exponential_sums(x, count, largest, temperature);
}

}  // namespace dspark::row_operators
#endif
