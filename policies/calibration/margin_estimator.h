#pragma once

#include <cstdint>
#include <vector>

#include "policies/calibration/confidence_calibration.h"

namespace dspark {

struct MarginEstimatorOptions {
  int refit_steps = 100;          // a refit every so many steps
  int warmup_refits = 3;          // until then `warming_up`
  double l2 = 1e-3;               // of the penalty l2/2 · (w² + Σ b_k²) on the summed log-loss
  int minimum_observations = 50;  // at a position before it has an intercept of its own
  double start_intercept = 1.5;   // σ(1.5) = 0.82
  double margin_cap = 40;
  int window = 4096;  // observations kept at each position; the oldest leave first
};

/// Confidence for drafters without a confidence head, learned online (POLICIES.md 5.1):
///
///     c_k = σ(w · margin_k + b_k),   margin = min(top-1 minus top-2 draft logit, 40)
///
/// with one slope for all positions and an intercept for each, refitted every 100 steps on the last 4096
/// observations of each position.
///
/// An observation of position k is a round that verified x_k with x_1..x_{k-1} accepted; its label is whether
/// x_k was. Positions behind the first rejection and behind the cut give none: what is learned is the
/// *conditional* acceptance, and since a lossless policy cuts by what is known before x_k is drawn, cuts do
/// not bias it. They do starve deep positions: one with fewer than 50 observations keeps the optimistic start
/// intercept, so that policies try it, and the first refits should run at full verification. This class can
/// only say so (`warming_up`); who drives it verifies everything until then.
///
/// Lossless: the margin is known before x_k is drawn, w and b_k come from earlier steps. Requests whose
/// target logits are transformed (penalties, allowed tokens) would poison the labels: their runner leaves
/// them out.
class MarginEstimator final : public ConfidenceCalibration {
 public:
  /// block_size: γ >= 1.
  explicit MarginEstimator(int block_size, const MarginEstimatorOptions& options = {});

  unsigned signals() const override { return kMargin; }
  void apply(const DraftColumns& raw, int depth, std::span<float> confidence) const override;
  void observe(const StepOutcome& outcome) override;

  /// True until the third refit: verify all that is drafted.
  bool warming_up() const { return refits_ < options_.warmup_refits; }

  double slope() const { return slope_; }
  /// b_k; the start intercept where position k has too few observations.
  double intercept(int k) const { return intercept_[static_cast<std::size_t>(k - 1)]; }
  std::int64_t observations(int k) const;

 private:
  /// The last observations of one position, in a ring.
  struct Window {
    std::vector<float> margin;  // capped
    std::vector<std::uint8_t> accepted;
    std::size_t next = 0;      // written next, once full
    float largest_margin = 0;  // ever seen
  };

  float capped(float margin) const;
  void add(Window& window, float margin, bool accepted) const;
  bool has_intercept(const Window& window) const;
  void refit();
  /// One damped Newton step; false where nothing moves any more.
  bool newton_step();

  MarginEstimatorOptions options_;
  std::vector<Window> windows_;    // (γ)
  std::vector<double> intercept_;  // (γ)
  double slope_ = 0;
  int steps_ = 0;   // since the last refit
  int refits_ = 0;  // counted up to the warm-up's
};

}  // namespace dspark
