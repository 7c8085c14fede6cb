#include "sim/demand/latency_response.h"
#include "sim/demand/power.h"

namespace dspark {

/// Requests ~ waiting^-elasticity.
///
///     latency: {constant_latency_elasticity: {elasticity: 0.1}}
class ConstantLatencyElasticity final : public LatencyResponse {
 public:
  ConstantLatencyElasticity(Parameters& parameters, const SegmentContext& context) {
    const Assumption elasticity =
        read_elasticity(parameters, "elasticity", "latency elasticity of requests, positive", std::nullopt);
    elasticity_ = elasticity.value;
    context.note("latency elasticity of requests", elasticity_);
  }
  double relative_volume(const Conditions& now, const Conditions& base) const override {
    return power(now.latency_seconds / base.latency_seconds, -elasticity_);
  }

 private:
  double elasticity_;
};

template std::unique_ptr<const LatencyResponse> construct_latency_response<ConstantLatencyElasticity>(
    Parameters&, const SegmentContext&);

}  // namespace dspark
