#include "executor/runner/forced_acceptance.h"

#include <algorithm>

#include "policies/invariant.h"

namespace dspark {

void ForcedAcceptance::draft(RandomKey key, const RunnerRows& rows, std::span<const int> planned,
                             const DraftBlocks& blocks) {
  const int depth = *std::max_element(planned.begin(), planned.end());
  DSPARK_INVARIANT(depth <= model_.block_size());
  unsigned signals = kConfidenceOnly;
  if (!blocks.top1.empty()) signals |= kTop1;
  if (!blocks.margin.empty()) signals |= kMargin;
  if (!blocks.entropy.empty()) signals |= kEntropy;
  if (!blocks.chosen.empty()) signals |= kChosen;
  model_.draw(key, rows, depth, signals & model_.signals(), drawn_);
  const auto write = [](const std::vector<float>& from, std::span<float> to) {
    if (!to.empty()) std::copy_n(from.begin(), std::min(from.size(), to.size()), to.begin());
  };
  write(drawn_.confidence, blocks.confidence);
  write(drawn_.top1, blocks.top1);
  write(drawn_.margin, blocks.margin);
  write(drawn_.entropy, blocks.entropy);
  write(drawn_.chosen, blocks.chosen);
  std::copy(planned.begin(), planned.end(), blocks.drafted.begin());
}

int ForcedAcceptance::accepted(std::size_t row, int submitted) const {
  return submitted == 0 ? 0 : std::min(submitted, drawn_.accepted[row]);
}

}  // namespace dspark
