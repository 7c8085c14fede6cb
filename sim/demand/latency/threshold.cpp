#include "sim/demand/latency_response.h"

namespace dspark {

/// Requests that are made only from a user speed up: a coding agent that must keep its user in flow. The
/// baseline must meet it.
///
///     latency: {threshold: {user_speed: 100}}
class SpeedThreshold final : public LatencyResponse {
 public:
  SpeedThreshold(Parameters& parameters, const SegmentContext& context)
      : user_speed_(parameters.number("user_speed", {.min = 0.01,
                                                     .max = 1e6,
                                                     .unit = "tokens/s",
                                                     .meaning = "least speed at which requests are made"})) {
    context.note("least user speed, tokens/s", user_speed_);
  }
  double relative_volume(const Conditions& now, const Conditions&) const override {
    return now.user_speed >= user_speed_ * (1 - 1e-12) ? 1 : 0;
  }
  double least_user_speed() const override { return user_speed_; }

 private:
  double user_speed_;
};

template std::unique_ptr<const LatencyResponse> construct_latency_response<SpeedThreshold>(
    Parameters&, const SegmentContext&);

}  // namespace dspark
