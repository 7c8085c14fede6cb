#include "executor/drafter/soft_distributions.h"

#include "policies/invariant.h"

namespace dspark {

bool SoftDistributions::begin(Kernels& kernels, bool asked, std::size_t rows, std::size_t vocabulary) {
  all_ = {};
  if (!asked) return true;
  if (buffer_.numbers() < rows * vocabulary) {
    buffer_ = {};
    buffer_ = DraftBuffer(kernels, rows * vocabulary);
  }
  if (!buffer_.allocated()) return false;
  all_ = buffer_.matrix(rows, vocabulary);
  return true;
}

void SoftDistributions::keep(Kernels& kernels, View<const float, 2> logits,
                             std::span<const SamplingRule> rules, std::span<const std::int32_t> rows,
                             std::span<const std::int32_t> columns) {
  if (!asked()) return;
  if (position_.numbers() < logits.size()) position_ = DraftBuffer(kernels, logits.size());
  DSPARK_INVARIANT(position_.allocated());
  rules_.clear();
  for (const SamplingRule& rule : rules) rules_.push_back(soft_rule(rule));
  const View<float, 2> own = position_.matrix(logits.shape[0], logits.shape[1]);
  kernels.concatenate({&logits, 1}, own);
  kernels.probabilities(own, rules_);
  kernels.spread(own, rows, columns, all_);
}

}  // namespace dspark
