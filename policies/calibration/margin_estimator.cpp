#include "policies/calibration/margin_estimator.h"

#include <algorithm>
#include <cmath>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {

MarginEstimator::MarginEstimator(int block_size, const MarginEstimatorOptions& options)
    : options_(options),
      windows_(static_cast<std::size_t>(block_size)),
      intercept_(static_cast<std::size_t>(block_size), options.start_intercept) {
  DSPARK_INVARIANT(block_size >= 1 && options.window >= options.minimum_observations && options.l2 > 0);
}

float MarginEstimator::capped(float margin) const {
  return std::min(std::max(0.0f, margin), static_cast<float>(options_.margin_cap));  // 0 for NaN
}

void MarginEstimator::apply(const DraftColumns& raw, int depth, std::span<float> confidence) const {
  DSPARK_INVARIANT(depth == 0 || !raw.margin.empty());
  const auto slope = static_cast<float>(slope_);
  const auto cap = static_cast<float>(options_.margin_cap);
  for (int k = 1; k <= depth; ++k) {
    const std::size_t position = std::min(static_cast<std::size_t>(k), intercept_.size()) - 1;
    const auto intercept = static_cast<float>(intercept_[position]);
    const std::size_t column = static_cast<std::size_t>(k - 1) * raw.stride;
    const float* margin = raw.margin.data() + column;
    const int* drafted = raw.drafted.data();
    float* to = confidence.data() + column;
    for (std::size_t r = 0; r < raw.drafted.size(); ++r) {  // vectorises
      const float estimate = logistic(slope * std::min(std::max(0.0f, margin[r]), cap) + intercept);
      to[r] = k <= drafted[r] ? estimate : 0.0f;
    }
  }
}

void MarginEstimator::observe(const StepOutcome& outcome) {
  const DraftColumns& drafts = outcome.drafts;
  for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
    // Behind the first rejection nothing is known.
    const int known =
        std::min({outcome.verified[r], outcome.accepted[r] + 1, static_cast<int>(windows_.size())});
    for (int k = 1; k <= known; ++k) {
      const auto position = static_cast<std::size_t>(k - 1);
      add(windows_[position], capped(drafts.margin[position * drafts.stride + r]), k <= outcome.accepted[r]);
    }
  }
  if (++steps_ < options_.refit_steps) return;
  steps_ = 0;
  refit();
  if (warming_up()) ++refits_;
}

void MarginEstimator::add(Window& window, float margin, bool accepted) const {
  window.largest_margin = std::max(window.largest_margin, margin);
  if (window.margin.size() < static_cast<std::size_t>(options_.window)) {
    window.margin.push_back(margin);
    window.accepted.push_back(accepted);
    return;
  }
  window.margin[window.next] = margin;
  window.accepted[window.next] = accepted;
  window.next = (window.next + 1) % window.margin.size();
}

std::int64_t MarginEstimator::observations(int k) const {
  return static_cast<std::int64_t>(windows_[static_cast<std::size_t>(k - 1)].margin.size());
}

bool MarginEstimator::has_intercept(const Window& window) const {
  return window.margin.size() >= static_cast<std::size_t>(options_.minimum_observations);
}

void MarginEstimator::refit() {
  constexpr int kMaxSteps = 50;
  for (int step = 0; step < kMaxSteps; ++step) {
    if (!newton_step()) return;
  }
}

bool MarginEstimator::newton_step() {
  // Gradient and Hessian of the penalised log-loss. Intercepts meet only the slope, so eliminating them
  // leaves one equation for the slope (Schur complement).
  struct PositionSums {
    double gradient = 0;
    double curvature = 0;  // d²/db²
    double mixed = 0;      // d²/dw db
  };
  std::vector<PositionSums> positions(windows_.size());
  double gradient = options_.l2 * slope_;
  double curvature = options_.l2;
  for (std::size_t p = 0; p < windows_.size(); ++p) {
    const Window& window = windows_[p];
    if (!has_intercept(window)) continue;
    PositionSums& sums = positions[p];
    for (std::size_t i = 0; i < window.margin.size(); ++i) {
      const auto margin = static_cast<double>(window.margin[i]);
      const auto share = static_cast<double>(logistic(static_cast<float>(slope_ * margin + intercept_[p])));
      const double residual = share - window.accepted[i];
      const double weight = share * (1 - share);
      sums.gradient += residual;
      sums.curvature += weight;
      sums.mixed += weight * margin;
      gradient += residual * margin;
      curvature += weight * margin * margin;
    }
    sums.gradient += options_.l2 * intercept_[p];
    sums.curvature += options_.l2;
    gradient -= sums.mixed * sums.gradient / sums.curvature;
    curvature -= sums.mixed * sums.mixed / sums.curvature;
  }
  // The penalty keeps it positive; rounding could not.
  const double slope_change = -gradient / std::max(curvature, options_.l2);
  double largest = 0;  // change of any observation's log-odds
  for (std::size_t p = 0; p < windows_.size(); ++p) {
    PositionSums& sums = positions[p];
    if (!has_intercept(windows_[p])) continue;
    sums.gradient = -(sums.gradient + sums.mixed * slope_change) / sums.curvature;  // now the step of b
    largest = std::max(largest, std::abs(slope_change) * static_cast<double>(windows_[p].largest_margin) +
                                    std::abs(sums.gradient));
  }
  // Along the step, every third derivative of the log-loss is at most d = `largest` times its second, so the
  // loss falls for all lengths up to ln(1 + d) / d (Sun and Tran-Dinh 2019), and 2 / (2 + d) is below that.
  const double length = 2 / (2 + largest);
  slope_ += length * slope_change;
  for (std::size_t p = 0; p < windows_.size(); ++p) {
    if (has_intercept(windows_[p])) intercept_[p] += length * positions[p].gradient;
  }
  constexpr double kSettled = 1e-5;
  return largest > kSettled;
}

}  // namespace dspark
