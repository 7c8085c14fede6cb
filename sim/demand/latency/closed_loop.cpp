#include <algorithm>

#include "sim/demand/latency_response.h"

namespace dspark {
namespace {

constexpr double kThinkPerExtraSecond = 0.9;

}  // namespace

/// A fixed number of users who wait and then think: requests ~ 1/(think time + waiting). Thinking grows by
/// 0.9 s per second of extra waiting (derived from Bing's time to click, Schurman and Brutlag 2009).
///
///     latency: {closed_loop: {think_seconds: 30}}
class ClosedLoopLatency final : public LatencyResponse {
 public:
  ClosedLoopLatency(Parameters& parameters, const SegmentContext& context)
      : think_seconds_(
            parameters.number("think_seconds", {.min = 0,
                                                .max = 1e6,
                                                .unit = "s",
                                                .meaning = "between a reply and the next request, at "
                                                           "the baseline"})) {
    context.note("think time, s", think_seconds_);
    if (!context.assumptions) return;
    context.assumptions->push_back(
        {context.segment + ": extra seconds of thinking per extra second of waiting", kThinkPerExtraSecond,
         "preset closed_loop: derived from Schurman, Bing (2009)",
         "if its time to click includes the delay; web search, not tokens"});
  }
  double relative_volume(const Conditions& now, const Conditions& base) const override {
    const double extra = now.latency_seconds - base.latency_seconds;
    const double think = std::max(0.0, think_seconds_ + kThinkPerExtraSecond * extra);
    return (think_seconds_ + base.latency_seconds) / (think + now.latency_seconds);
  }

 private:
  double think_seconds_;
};

template std::unique_ptr<const LatencyResponse> construct_latency_response<ClosedLoopLatency>(
    Parameters&, const SegmentContext&);

}  // namespace dspark
