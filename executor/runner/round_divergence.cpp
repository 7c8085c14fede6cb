#include "executor/runner/round_divergence.h"

#include <algorithm>
#include <limits>

#include "executor/drafter/soft_distributions.h"
#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

void read_row(Kernels& kernels, const float* row, std::vector<float>& to) {
  kernels.read(reinterpret_cast<const std::byte*>(row), std::as_writable_bytes(std::span(to)));
}

}  // namespace

double divergence(std::span<const float> target, std::span<const float> draft) {
  DSPARK_INVARIANT(target.size() == draft.size());
  double sum = 0;
  for (std::size_t token = 0; token < target.size(); ++token) {
    const auto p = static_cast<double>(target[token]);
    if (p < std::numeric_limits<float>::min()) continue;  // p ln p goes to 0
    const double q = std::max(static_cast<double>(draft[token]), kLeastDraftProbability);
    sum += p * (log_portable(p) - log_portable(q));
  }
  return std::max(sum, 0.0);  // equal distributions but for rounding
}

void RoundDivergence::compute(Kernels& kernels, const PackedStep& step, View<const float, 2> logits,
                              View<const float, 2> soft) {
  const std::size_t vocabulary = logits.shape[1];
  column_.assign(soft.shape[0], 0);
  of_target_.resize(vocabulary);
  of_draft_.resize(vocabulary);
  for (std::size_t i = 0; i < step.rounds().size(); ++i) {
    const PackedStep::Round& round = step.rounds()[i];
    const auto submitted = static_cast<std::size_t>(round.submitted);
    if (submitted == 0) continue;
    if (target_.numbers() < submitted * vocabulary) target_ = DraftBuffer(kernels, submitted * vocabulary);
    DSPARK_INVARIANT(target_.allocated());
    const View<const float, 2> own =
        logits.rows(static_cast<std::size_t>(step.first_logit_row()[i]), submitted);
    const View<float, 2> target = target_.matrix(submitted, vocabulary);
    rules_.assign(submitted, soft_rule({.temperature = round.temperature}));
    kernels.concatenate({&own, 1}, target);
    kernels.probabilities(target, rules_);
    for (std::size_t k = 0; k < submitted; ++k) {
      const auto entry =
          static_cast<std::size_t>(step.draft_entries()[static_cast<std::size_t>(round.first_draft) + k]);
      read_row(kernels, target.row(k), of_target_);
      read_row(kernels, soft.row(entry), of_draft_);
      column_[entry] = static_cast<float>(divergence(of_target_, of_draft_));
    }
  }
}

}  // namespace dspark
