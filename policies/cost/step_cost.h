#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "policies/cost/cost_table.h"

namespace dspark {

/// Seconds of a step as bias + α·requests + θ·tokens (SGLang's fitted form).
struct AffineCost {
  double bias_seconds = 0;
  double seconds_per_request = 0;
  double seconds_per_token = 0;

  bool operator==(const AffineCost&) const = default;
};

/// What a step costs beside its rows: α·requests + β·attended tokens, the sum over the step's rows of the
/// tokens that each attends to, its own among them.
struct LinearTerms {
  double seconds_per_request = 0;
  double seconds_per_context_token = 0;
};

/// Attended tokens of consecutive rows of one request, the first of which has `before` tokens before it.
constexpr double attended_tokens(std::int64_t before, std::int64_t rows) {
  const std::int64_t own = rows * (rows + 1) / 2;  // a whole number
  return static_cast<double>(rows * before + own);
}

/// The three parts of a step's duration.
struct StepSeconds {
  double draft = 0;
  double verify = 0;
  double overhead = 0;
  double total() const { return draft + verify + overhead; }

  bool operator==(const StepSeconds&) const = default;
};

/// What a step costs by its requests and rows: draft + verify + overhead. The policy's belief; the modelled
/// machine computes its truth with the same type (sim/hardware). Immutable, so that threads may share it.
class StepCost {
 public:
  struct Parts {
    /// By rows of the step: anchors, draft tokens and prompt rows.
    std::optional<CostTable> verify_table = {};
    /// Where there is no table.
    AffineCost verify_affine = {};
    /// On top of the one or the other.
    LinearTerms verify_terms = {};
    /// By drafting requests; none: drafting is free.
    std::optional<CostTable> draft_table = {};
    /// The draft table is the price of one draft step, not of the block.
    bool sequential_drafter = false;
    /// The table is the price of a block of so many tokens, γ; 0: of whatever block is drafted.
    int draft_block_size = 0;
    /// What a block of one token takes of that, up to 1; between the two a straight line. A block drafter
    /// passes γ rows however few are asked of it, and only its heads run once for each.
    double one_token_share = 1;
    /// Added to every step.
    double overhead_seconds = 0;
    /// Added to every step whose depths were chosen after drafting.
    double decision_seconds = 0;
    /// Share added to verification when a drafter is loaded but nothing is drafted.
    double idle_drafter_tax = 0;
  };

  StepCost() = default;
  explicit StepCost(Parts parts) : parts_(std::move(parts)) {}

  /// One pass of the target, by its rows; what terms_seconds says stands on top. `rows` >= `requests` >= 0;
  /// no rows cost nothing. The form matters to tables only.
  double verify_seconds(int requests, int rows, CostForm form = CostForm::kStaircase) const {
    if (rows == 0) return 0;
    if (parts_.verify_table) return parts_.verify_table->seconds(rows, form);
    const AffineCost& affine = parts_.verify_affine;
    return affine.bias_seconds + affine.seconds_per_request * requests + affine.seconds_per_token * rows;
  }
  /// The same for `rows`, rows + 1, … (rows >= 1), one for each of `seconds`.
  void verify_seconds(int requests, int rows, CostForm form, std::span<double> seconds) const;
  /// False: requests and contexts add nothing, and nobody need count them.
  bool has_terms() const {
    return parts_.verify_terms.seconds_per_request != 0 || parts_.verify_terms.seconds_per_context_token != 0;
  }
  /// What a pass takes on top, by its requests and attended tokens.
  double terms_seconds(int requests, double attended_tokens) const {
    return parts_.verify_terms.seconds_per_request * requests +
           parts_.verify_terms.seconds_per_context_token * attended_tokens;
  }
  /// `drafting` requests drafting at most `steps` positions (up to γ); 0 where either is 0.
  double draft_seconds(int drafting, int steps) const;
  double overhead_seconds(bool chosen_after_drafting) const {
    return parts_.overhead_seconds + (chosen_after_drafting ? parts_.decision_seconds : 0);
  }
  /// Rows up to which a step of `rows` rows costs the same (its captured graph's size); `rows` itself where
  /// that is not known or the step lies beyond the captured graphs.
  int captured_rows(int rows) const {
    return parts_.verify_table ? parts_.verify_table->captured_size(rows) : rows;
  }
  /// Rows up to which verification was measured; what lies beyond is extrapolated. 0: not from a table.
  int measured_rows() const {
    return parts_.verify_table ? static_cast<int>(parts_.verify_table->points().back().size) : 0;
  }
  const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
};

}  // namespace dspark
