#pragma once

#include <span>
#include <vector>

#include "policies/depth/depth_policy.h"

namespace dspark {

/// The survivals of the last few steps, for `Step::earlier`. Keeps nothing where the policy asks for nothing.
class SurvivalHistory {
 public:
  explicit SurvivalHistory(int lags)
      : survivals_(static_cast<std::size_t>(lags)), views_(survivals_.size()) {}

  /// view()[0] is the step before the one in progress.
  std::span<const EarlierStep> view() const { return views_; }

  void push(int requests, std::span<const float> sorted_survivals) {
    if (survivals_.empty()) return;
    std::vector<float> recycled = std::move(survivals_.back());
    for (std::size_t lag = survivals_.size(); lag-- > 1;) {
      survivals_[lag] = std::move(survivals_[lag - 1]);
      views_[lag] = {views_[lag - 1].requests, survivals_[lag]};
    }
    recycled.assign(sorted_survivals.begin(), sorted_survivals.end());
    survivals_[0] = std::move(recycled);
    views_[0] = {requests, survivals_[0]};
  }

 private:
  std::vector<std::vector<float>> survivals_;
  std::vector<EarlierStep> views_;
};

}  // namespace dspark
