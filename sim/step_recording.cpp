#include "sim/step_recording.h"

#include <fmt/format.h>

#include <cmath>

namespace dspark {
namespace {

bool can_be_measured(double seconds) { return std::isfinite(seconds) && seconds >= 0; }

}  // namespace

std::optional<Error> find_spoilt(const StepRecording& recording) {
  for (std::size_t step = 0; step < recording.steps.size(); ++step) {
    const StepSeconds& seconds = recording.steps[step];
    const std::pair<const char*, double> parts[] = {
        {"draft", seconds.draft}, {"verify", seconds.verify}, {"overhead", seconds.overhead}};
    for (const auto& [part, value] : parts) {
      if (!can_be_measured(value)) return Error{fmt::format("step {}: {} of {} s", step, part, value)};
    }
    if (!(seconds.total() > 0)) return Error{fmt::format("step {} took no time", step)};
  }
  if (!recording.belief) return std::nullopt;
  const AffineCost& belief = *recording.belief;
  if (can_be_measured(belief.bias_seconds) && belief.bias_seconds > 0 &&
      can_be_measured(belief.seconds_per_request) && can_be_measured(belief.seconds_per_token)) {
    return std::nullopt;
  }
  return Error{fmt::format("believed step costs of {} s, {} s for each request and {} s for each token",
                           belief.bias_seconds, belief.seconds_per_request, belief.seconds_per_token)};
}

StepSeconds StepClock::next(const StepSeconds& measured) {
  const std::size_t step = steps_.size();
  ran_out_ = replayed_ != nullptr && step >= replayed_->steps.size();
  steps_.push_back(replayed_ == nullptr || ran_out_ ? measured : replayed_->steps[step]);
  return steps_.back();
}

std::optional<Error> StepClock::mismatch() const {
  if (replayed_ == nullptr) return std::nullopt;
  const std::size_t recorded = replayed_->steps.size();
  constexpr const char* kAdvice =
      "the recorded run was another one: another program, another processor or other weights";
  if (ran_out_) {
    return Error{
        fmt::format("step {} begins, but the recorded run has {} steps", recorded, recorded), {}, kAdvice};
  }
  if (steps_.size() == recorded) return std::nullopt;
  return Error{
      fmt::format("the run ends after {} steps, but the recorded run has {} steps", steps_.size(), recorded),
      {},
      kAdvice};
}

}  // namespace dspark
