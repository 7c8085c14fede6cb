#include <algorithm>

#include "policies/elementary.h"
#include "sim/random/variates.h"
#include "sim/workload/request_shapes.h"

namespace dspark {

/// Lognormal lengths, rounded and cut at `max`.
///
///     prompt_tokens: {lognormal: {median: 512, sigma: 0.8}}
class LognormalLengths final : public LengthDistribution {
 public:
  explicit LognormalLengths(Parameters& parameters)
      : median_(parameters.number("median",
                                  {.min = 1, .max = 1e7, .unit = "tokens", .meaning = "half are longer"})),
        sigma_(parameters.number("sigma",
                                 {.min = 0, .max = 5, .meaning = "standard deviation of the logarithm"})),
        max_(static_cast<double>(parameters.integer("max", {.min = 1,
                                                            .max = 1 << 23,
                                                            .default_value = 1 << 20,
                                                            .unit = "tokens",
                                                            .meaning = "longer ones are cut"}))) {}

  std::int32_t sample(RandomKey key, Stream stream, std::uint32_t source,
                      std::uint32_t ordinal) const override {
    const double tokens = median_ * exp_portable(sigma_ * normal_variate({key, stream, source, ordinal}));
    return static_cast<std::int32_t>(std::clamp(tokens + 0.5, 1.0, max_));
  }

 private:
  double median_;
  double sigma_;
  double max_;
};

template std::unique_ptr<const LengthDistribution> construct_lengths<LognormalLengths>(Parameters&);

}  // namespace dspark
