#include "policies/elementary.h"
#include "sim/demand/latency_response.h"

namespace dspark {
namespace {

constexpr double kShareLostPerSecond = 0.018;

}  // namespace

/// e^(-0.018 * extra seconds): the middle of what Google measured on web search (Brutlag 2009: 100 to 400 ms
/// more cost 0.2 to 0.6 % of the searches). Beyond 0.4 s it is extrapolated.
class SearchLatency final : public LatencyResponse {
 public:
  SearchLatency(Parameters&, const SegmentContext& context) {
    if (!context.assumptions) return;
    context.assumptions->push_back({context.segment + ": share of requests lost per extra second of waiting",
                                    kShareLostPerSecond, "preset search: Brutlag, Google (2009), web search",
                                    "measured for 0.1 to 0.4 s more; beyond, and for a shorter wait, it is "
                                    "extrapolated; Bing's figure at 2 s is half of it"});
  }
  double relative_volume(const Conditions& now, const Conditions& base) const override {
    return exp_portable(-kShareLostPerSecond * (now.latency_seconds - base.latency_seconds));
  }
};

template std::unique_ptr<const LatencyResponse> construct_latency_response<SearchLatency>(
    Parameters&, const SegmentContext&);

}  // namespace dspark
