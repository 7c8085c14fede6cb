#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "policies/depth/depth_policy.h"

namespace dspark {

/// The survivals of the last few steps, for `Step::earlier`. Keeps nothing where the policy asks for nothing.
class SurvivalHistory {
 public:
  explicit SurvivalHistory(int lags) : steps_(static_cast<std::size_t>(lags)), views_(steps_.size()) {}

  /// view()[0] is the step before the one in progress.
  std::span<const EarlierStep> view() const { return views_; }

  void push(std::span<const RequestId> id, std::span<const float> sorted, std::span<const float> by_request) {
    if (steps_.empty()) return;
    std::rotate(steps_.begin(), steps_.end() - 1, steps_.end());
    StepSurvivals& newest = steps_.front();
    newest.id.assign(id.begin(), id.end());
    newest.sorted.assign(sorted.begin(), sorted.end());
    newest.by_request.assign(by_request.begin(), by_request.end());
    for (std::size_t lag = 0; lag < steps_.size(); ++lag) {
      const StepSurvivals& then = steps_[lag];
      views_[lag] = {static_cast<int>(then.id.size()), then.sorted, then.id, then.by_request};
    }
  }

 private:
  struct StepSurvivals {
    std::vector<RequestId> id;
    std::vector<float> sorted;
    std::vector<float> by_request;
  };
  std::vector<StepSurvivals> steps_;
  std::vector<EarlierStep> views_;
};

}  // namespace dspark
