#include "kernels/cpu/sampling.h"

#include <Random123/philox.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/contract.h"
#include "kernels/cpu/cut.h"
#include "kernels/cpu/row_operators.h"

namespace dspark::sampling {
namespace {

/// Natural logarithm of x >= 1, the same bits everywhere.
double log_of(double x) {
  constexpr double kLn2 = 0.69314718055994531;
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1, kOne = std::uint64_t{1023} << 52;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  double exponent = static_cast<double>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & kMantissa) | kOne);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  // 2·atanh(s), |s| <= 0.172.
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double p = 1.0 / 19;
  for (const int odd : {17, 15, 13, 11, 9, 7, 5, 3, 1}) p = p * s2 + 1.0 / odd;
  return exponent * kLn2 + 2 * s * p;
}

/// All that is not kept gets no probability.
void drop(std::span<float> probabilities, std::span<const std::uint32_t> keys, const Cut& cut) {
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (!cut.keeps(keys[i], i)) probabilities[i] = 0;
  }
}

}  // namespace

std::int32_t largest(std::span<const float> x) {
  const float value = row_operators::largest_value(x.data(), x.size());
  return static_cast<std::int32_t>(row_operators::find(x.data(), x.size(), value));
}

void probabilities(std::span<float> logits, const SamplingRule& rule) {
  if (rule.temperature == 0) {
    const std::int32_t chosen = largest(logits);
    std::fill(logits.begin(), logits.end(), 0.0f);
    logits[static_cast<std::size_t>(chosen)] = 1;
    return;
  }
  const std::size_t count = logits.size();
  const bool by_rank = rule.top_k > 0 && static_cast<std::size_t>(rule.top_k) < count;
  thread_local std::vector<std::uint32_t> keys;  // order of the logits, which exponentials may no longer show
  if (by_rank || rule.top_p < 1) order_keys(logits, keys);
  const float most = row_operators::largest_value(logits.data(), count);
  double total = row_operators::exponentials(logits.data(), count, most, rule.temperature);
  if (by_rank) {
    drop(logits, keys, cut_by_count(keys, static_cast<std::size_t>(rule.top_k)));
    total = row_operators::sum(logits.data(), count);
  }
  if (rule.top_p < 1) {
    drop(logits, keys, cut_by_weight(keys, logits, static_cast<double>(rule.top_p) * total));
    total = row_operators::sum(logits.data(), count);
  }
  if (rule.min_p > 0) {
    for (float& e : logits) e = e < rule.min_p ? 0.0f : e;  // the largest is 1
    total = row_operators::sum(logits.data(), count);
  }
  row_operators::scale(logits.data(), count, static_cast<float>(1 / total));
}

Signals signals(std::span<const float> logits, const SamplingRule& rule) {
  const float temperature = rule.temperature == 0 ? 1.0f : rule.temperature;
  const auto first = static_cast<std::size_t>(largest(logits));
  const float most = logits[first];
  const auto sums = row_operators::exponential_sums(logits.data(), logits.size(), most, temperature);
  Signals signals;
  signals.top1 = static_cast<float>(1 / sums.of_exponentials);
  signals.entropy = static_cast<float>(log_of(sums.of_exponentials) - sums.weighted / sums.of_exponentials);
  const std::span<const float> before = logits.first(first), after = logits.subspan(first + 1);
  float second = -INFINITY;
  for (const auto part : {before, after}) {
    if (!part.empty()) second = std::max(second, row_operators::largest_value(part.data(), part.size()));
  }
  signals.margin = (most - second) / temperature;
  return signals;
}

double uniform(const DrawKey& key) {
  const r123::Philox4x32::ctr_type counter = {
      {key.counter[0], key.counter[1], key.counter[2], key.counter[3]}};
  const r123::Philox4x32::key_type name = {{key.key[0], key.key[1]}};
  return (static_cast<double>(r123::Philox4x32()(counter, name)[0]) + 0.5) * 0x1p-32;
}

std::int32_t draw(std::span<const float> probabilities, double uniform) {
  double cumulated = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    cumulated += static_cast<double>(probabilities[i]);
    if (cumulated > uniform) return static_cast<std::int32_t>(i);
    if (probabilities[i] > 0) last = i;
  }
  return static_cast<std::int32_t>(last);
}

std::int32_t draw_residual(std::span<const float> target, std::span<const float> draft, std::int32_t certain,
                           double uniform) {
  const auto excess = [&](std::size_t i) {
    if (draft.empty()) return i == static_cast<std::size_t>(certain) ? 0.0 : static_cast<double>(target[i]);
    return std::max(0.0, static_cast<double>(target[i]) - static_cast<double>(draft[i]));
  };
  double total = 0;
  for (std::size_t i = 0; i < target.size(); ++i) total += excess(i);
  // Where nothing is left, both are the same to rounding, and the residual is the target.
  if (total <= 0) return draw(target, uniform);
  const double wanted = uniform * total;
  double cumulated = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double e = excess(i);
    cumulated += e;
    if (cumulated > wanted) return static_cast<std::int32_t>(i);
    if (e > 0) last = i;
  }
  return static_cast<std::int32_t>(last);
}

}  // namespace dspark::sampling
