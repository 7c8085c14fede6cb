#include "sim/demand/chip_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/demand/power.h"

namespace dspark {

ChipModel::ChipModel(Parameters& parameters, const EfficiencyGain& gain)
    : gain_(gain),
      tokens_per_second_(parameters.number("tokens_per_gpu_second",
                                           {.min = 1e-6,
                                            .max = 1e12,
                                            .unit = "tokens/s",
                                            .meaning = "weighted tokens of a busy GPU at the baseline"})),
      target_utilization_(parameters.number("target_utilization",
                                            {.min = 0.01,
                                             .max = 1,
                                             .default_value = 1,
                                             .meaning = "busy share that chips are bought and priced for"})),
      user_speed_(
          parameters.number("user_speed", {.min = 1e-3,
                                           .max = 1e6,
                                           .unit = "tokens/s",
                                           .meaning = "output tokens/s of one user at the baseline"})),
      fastest_user_speed_(parameters.number("fastest_user_speed",
                                            {.min = 0,
                                             .max = 1e6,
                                             .default_value = 0,
                                             .unit = "tokens/s",
                                             .meaning = "of a user alone on the machine; 0: not known"})),
      dollars_per_gpu_hour_(
          parameters.number("dollars_per_gpu_hour",
                            {.min = 1e-6, .max = 1e6, .unit = "$/h", .meaning = "of one GPU, busy or not"})),
      idle_watts_(parameters.number(
          "idle_watts",
          {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of an idle GPU"})),
      active_watts_(parameters.number(
          "active_watts",
          {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of a busy GPU"})) {
  if (active_watts_ < idle_watts_) {
    parameters.add_error("'active_watts' must be at least 'idle_watts'",
                         parameters.position_of("active_watts"));
  }
  if (fastest_user_speed_ == 0) {
    fastest_user_speed_ = std::numeric_limits<double>::infinity();
  } else if (user_speed_ > fastest_user_speed_) {
    parameters.add_error(fmt::format("unreachable user speed: {} tokens/s, yet a user alone has {}",
                                     user_speed_, fastest_user_speed_),
                         parameters.position_of("user_speed"), "ask for less, or raise 'fastest_user_speed'");
  }
}

ChipModel::Operation ChipModel::operate(const ServedLoad& load, const OperatingRule& rule) const {
  double share = 0;
  if (rule.kind == OperatingRule::Kind::kHoldThroughput) share = 1;
  if (rule.kind == OperatingRule::Kind::kReOptimise && gain_.gain > 1 && gain_.speed_gain > 1) {
    // The least of money * g^(t - 1) + time * h^-t, where t's derivative vanishes; it is convex in t.
    const double money =
        load.typical_tokens * cost_per_million_tokens({tokens_per_second_, user_speed_}) * 1e-6;
    const double time = rule.value_of_time * load.typical_output_tokens / user_speed_;
    const double log_g = log_portable(gain_.gain), log_h = log_portable(gain_.speed_gain);
    const double ratio = time * log_h * gain_.gain / (money * log_g);
    share = ratio > 0 ? std::clamp(log_portable(ratio) / (log_g + log_h), 0.0, 1.0) : 0;
  }
  return {tokens_per_second_ * power(gain_.gain, 1 - share), user_speed_ * power(gain_.speed_gain, share)};
}

SupplyPoint ChipModel::provision(double gpus, const ServedLoad& load, const Operation& operation) const {
  SupplyPoint point;
  point.gpus = gpus;
  point.busy_share = load.tokens_per_second / (gpus * operation.tokens_per_second);
  point.dollars_per_hour = gpus * dollars_per_gpu_hour_;
  point.kilowatts = gpus * (idle_watts_ + (active_watts_ - idle_watts_) * point.busy_share) * 1e-3;
  point.user_speed = operation.user_speed;
  return point;
}

double ChipModel::cost_per_million_tokens(const Operation& operation) const {
  return dollars_per_gpu_hour_ / (operation.tokens_per_second * target_utilization_ * 3600) * 1e6;
}

}  // namespace dspark
