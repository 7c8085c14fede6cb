#include "executor/runner/round_acceptance.h"

#include <algorithm>
#include <limits>

#include "policies/invariant.h"

namespace dspark {
namespace {

void read_row(Kernels& kernels, const float* row, std::vector<float>& to) {
  kernels.read(reinterpret_cast<const std::byte*>(row), std::as_writable_bytes(std::span(to)));
}

}  // namespace

double true_acceptance(std::span<const float> target, std::span<const float> draft) {
  DSPARK_INVARIANT(target.size() == draft.size());
  double sum = 0;
  for (std::size_t token = 0; token < target.size(); ++token)
    sum += static_cast<double>(std::min(target[token], draft[token]));
  return std::min(sum, 1.0);
}

void RoundAcceptance::compute(Kernels& kernels, const PackedStep& step, View<const float, 2> target,
                              View<const float, 2> draft, std::size_t entries) {
  column_.assign(entries, std::numeric_limits<float>::quiet_NaN());
  of_target_.resize(target.shape[1]);
  of_draft_.resize(target.shape[1]);
  for (std::size_t i = 0; i < step.rounds().size(); ++i) {
    const PackedStep::Round& round = step.rounds()[i];
    if (round.temperature == 0) continue;
    for (std::int32_t k = 0; k < round.submitted; ++k) {
      const auto submitted = static_cast<std::size_t>(round.first_draft + k);
      read_row(kernels, target.row(static_cast<std::size_t>(step.first_logit_row()[i] + k)), of_target_);
      double acceptance = 0;
      if (draft.empty()) {
        acceptance =
            static_cast<double>(of_target_[static_cast<std::size_t>(step.draft_tokens()[submitted])]);
      } else {
        read_row(kernels, draft.row(submitted), of_draft_);
        acceptance = true_acceptance(of_target_, of_draft_);
      }
      column_[static_cast<std::size_t>(step.draft_entries()[submitted])] =
          static_cast<float>(std::min(acceptance, 1.0));
    }
  }
}

}  // namespace dspark
