#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace dspark {

/// Quantiles of positive values in constant memory: a histogram whose buckets are the value's exponent and
/// the first seven bits of its mantissa. A reported quantile lies within 0.4 % of a value that has that rank;
/// values outside 2^-40 .. 2^40 count in the outermost buckets. Exact under merging and in any order.
class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.004;

  void add(double value, double weight = 1) {
    buckets_[bucket(value)] += weight;
    weight_ += weight;
    sum_ += value * weight;
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }

  double weight() const { return weight_; }
  double mean() const { return sum_ / weight_; }
  /// The value of rank p · weight, 0 <= p <= 1; there must be a value.
  double quantile(double p) const;

 private:
  static constexpr int kMantissaBits = 7;
  static constexpr int kLeastExponent = -40;
  static constexpr int kOctaves = 80;
  static constexpr int kBuckets = kOctaves << kMantissaBits;

  static std::size_t bucket(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto index = static_cast<std::int64_t>(bits >> (52 - kMantissaBits)) -
                       (std::int64_t{1023 + kLeastExponent} << kMantissaBits);
    if (!(value > 0) || index < 0) return 0;
    return index >= kBuckets ? kBuckets - 1 : static_cast<std::size_t>(index);
  }

  std::array<double, kBuckets> buckets_{};
  double weight_ = 0;
  double sum_ = 0;
  double min_ = 1e300;
  double max_ = -1e300;
};

}  // namespace dspark
