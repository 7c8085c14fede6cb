#include <algorithm>

#include "policies/elementary.h"
#include "sim/demand/latency_response.h"
#include "sim/random/variates.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

/// How often users ask, given the latency that they have seen in this run.
class ResponsiveSource final : public Source {
 public:
  ResponsiveSource(const RequestShapes& shapes, RandomKey key, double rate, const Conditions& usual,
                   const LatencyResponse& response, double memory_seconds, double least_share)
      : shapes_(shapes),
        key_(key),
        rate_(rate),
        usual_(usual),
        response_(response),
        memory_seconds_(memory_seconds),
        least_share_(least_share),
        latencies_(usual.latency_seconds),
        seconds_per_token_(1 / usual.user_speed) {}

  void start(ArrivalSink& sink) override { emit_next(0, 0, sink); }
  void arrived(const RequestSpec& spec, ArrivalSink& sink) override {
    emit_next(spec.arrival, spec.ordinal + 1, sink);
  }
  void finished(const RequestSpec& spec, VirtualTime now, ArrivalSink&) override {
    const double seconds = to_seconds(now - spec.arrival);
    const double kept = exp_portable(-to_seconds(now - last_finish_) / memory_seconds_);
    last_finish_ = now;
    latencies_ = kept * latencies_ + seconds;
    seconds_per_token_ = kept * seconds_per_token_ + seconds / spec.output_tokens();
    replies_ = kept * replies_ + 1;
  }
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override {}

 private:
  void emit_next(VirtualTime after, std::uint32_t ordinal, ArrivalSink& sink) {
    Conditions now = usual_;
    now.latency_seconds = latencies_ / replies_;
    now.user_speed = replies_ / seconds_per_token_;
    const double share = std::max(least_share_, response_.relative_volume(now, usual_));
    RequestSpec spec;
    const double gap = exponential_variate({key_, Stream::kArrival, 0, ordinal}) / (rate_ * share);
    spec.arrival = after + to_virtual_time(gap);
    spec.ordinal = ordinal;
    shapes_.shape(key_, spec);
    sink.emit(spec);
  }

  const RequestShapes& shapes_;
  RandomKey key_;
  double rate_;
  Conditions usual_;
  const LatencyResponse& response_;
  double memory_seconds_;
  double least_share_;
  // Sums over the replies that are remembered, each faded by its age; they begin with one usual reply.
  // (Fading by the time between replies instead would favour the short ones behind an idle time.)
  double latencies_;
  double seconds_per_token_;  // of whole replies
  double replies_ = 1;
  VirtualTime last_finish_ = 0;
};

}  // namespace

/// Users who ask less often when replies take longer, within the run: demand feedback. Gaps are exponential
/// at rate * response(latency remembered), where what is remembered is the mean from arrival to the last
/// token of the replies that have ended, fading with `memory_seconds`. The rate holds from one arrival to the
/// next; it never falls below `least_share` of `rate`, or nobody would ever find out that waiting is short
/// again. Responses are those of a market (docs/demand.md).
///
///     arrivals: {responsive: {rate: 4, usual_latency: 6, usual_speed: 50, response:
///     {constant_latency_elasticity: {elasticity: 0.5}}}}
class ResponsiveArrivals final : public ArrivalProcess {
 public:
  explicit ResponsiveArrivals(Parameters& parameters)
      : rate_(parameters.number(
            "rate",
            {.min = 1e-6, .max = 1e6, .unit = "requests/s", .meaning = "mean rate at the usual latency"})),
        memory_seconds_(parameters.number(
            "memory_seconds", {.min = 1e-3,
                               .max = 1e9,
                               .default_value = 60,
                               .unit = "s",
                               .meaning = "how long a reply is remembered: it counts e^-1 after this time"})),
        least_share_(parameters.number(
            "least_share",
            {.min = 1e-6, .max = 1, .default_value = 0.01, .meaning = "of the rate, that always asks"})) {
    usual_.latency_seconds = parameters.number(
        "usual_latency", {.min = 1e-6,
                          .max = 1e9,
                          .unit = "s",
                          .meaning = "from arrival to last token, at which users ask at `rate`"});
    usual_.user_speed = parameters.number(
        "usual_speed", {.min = 1e-6,
                        .max = 1e9,
                        .default_value = 1,
                        .unit = "tokens/s",
                        .meaning = "output tokens over that latency; for responses to speed"});
    std::vector<std::string> names;
    for (const LatencyResponseEntry& entry : latency_responses()) names.push_back(entry.name);
    Selection kind = parameters.one_of("response", names, "how the rate answers to latency");
    const auto entry =
        std::find_if(latency_responses().begin(), latency_responses().end(),
                     [&](const LatencyResponseEntry& known) { return known.name == kind.name; });
    response_ = entry->construct(kind.parameters, {});
  }

  std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const override {
    return std::make_unique<ResponsiveSource>(shapes, key, rate_, usual_, *response_, memory_seconds_,
                                              least_share_);
  }

 private:
  double rate_;
  double memory_seconds_;
  double least_share_;
  Conditions usual_;
  std::unique_ptr<const LatencyResponse> response_;
};

template std::unique_ptr<const ArrivalProcess> construct_arrivals<ResponsiveArrivals>(Parameters&);

}  // namespace dspark
