#include "kernels/cpu/cut.h"

#include <algorithm>
#include <array>
#include <bit>

namespace dspark {
namespace {

// Keys are looked at 12 bits at a time, so that only tokens which share the first 24 bits with the cut are
// sorted.
constexpr std::size_t kBuckets = 4096;
using Histogram = std::array<double, kBuckets>;

/// The bucket in which what precedes reaches `limit`, from the largest; kBuckets where none does. `preceding`
/// becomes what lies above it.
std::size_t crossing(const Histogram& weight, double limit, double& preceding) {
  for (std::size_t bucket = kBuckets; bucket-- > 0;) {
    if (preceding + weight[bucket] >= limit) return bucket;
    preceding += weight[bucket];
  }
  return kBuckets;
}

template <class Weight>
Cut cut_where(std::span<const std::uint32_t> keys, double limit, const Weight& weight) {
  Histogram histogram{};
  for (std::size_t i = 0; i < keys.size(); ++i) histogram[keys[i] >> 20] += weight(i);
  double preceding = 0;
  const std::size_t first = crossing(histogram, limit, preceding);
  if (first == kBuckets) return {};
  histogram.fill(0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] >> 20 == first) histogram[(keys[i] >> 8) % kBuckets] += weight(i);
  }
  // Sums in another order may miss the limit by a rounding: then the whole bucket stays.
  const std::size_t second = crossing(histogram, limit, preceding);
  if (second == kBuckets) return {static_cast<std::uint32_t>(first << 20)};
  const std::size_t prefix = first << 12 | second;
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] >> 8 == prefix) members.push_back(i);
  }
  std::stable_sort(members.begin(), members.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
  std::size_t last = members.front();
  for (const std::size_t member : members) {
    if (!(preceding < limit)) break;
    last = member;
    preceding += weight(member);
  }
  return {keys[last], last};
}

}  // namespace

void order_keys(std::span<const float> values, std::vector<std::uint32_t>& keys) {
  keys.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i] + 0.0f);
    keys[i] = bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
  }
}

Cut cut_by_count(std::span<const std::uint32_t> keys, std::size_t count) {
  return cut_where(keys, static_cast<double>(count), [](std::size_t) { return 1.0; });
}

Cut cut_by_weight(std::span<const std::uint32_t> keys, std::span<const float> weights, double limit) {
  return cut_where(keys, limit, [&](std::size_t i) { return static_cast<double>(weights[i]); });
}

}  // namespace dspark
