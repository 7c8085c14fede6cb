#include "sim/metrics/quantile_sketch.h"

#include <algorithm>

#include "policies/invariant.h"

namespace dspark {

double QuantileSketch::quantile(double p) const {
  DSPARK_INVARIANT(weight_ > 0);
  const double rank = p * weight_;
  double below = 0;
  for (int i = 0; i < kBuckets; ++i) {
    below += buckets_[static_cast<std::size_t>(i)];
    if (below >= rank && below > 0) {
      const auto first = (static_cast<std::uint64_t>(i) << (52 - kMantissaBits)) +
                         (std::uint64_t{1023 + kLeastExponent} << 52);
      const double low = std::bit_cast<double>(first);
      const double high = std::bit_cast<double>(first + (std::uint64_t{1} << (52 - kMantissaBits)));
      return std::clamp((low + high) / 2, min_, max_);
    }
  }
  return max_;
}

}  // namespace dspark
