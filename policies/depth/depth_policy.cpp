#include "policies/depth/depth_policy.h"

#include "policies/invariant.h"

namespace dspark {

AddedSeconds added_seconds(const StepCost& cost, const RequestColumns& request, int prefill_rows) {
  if (!cost.has_terms() || request.id.empty()) return {};
  double attended = 0;
  for (const std::int32_t context : request.context) attended += attended_tokens(context, 1);
  const double mean = attended / static_cast<double>(request.id.size());
  return {.anchors = cost.terms_seconds(static_cast<int>(request.id.size()), attended + mean * prefill_rows),
          .per_row = cost.terms_seconds(0, mean)};
}

double PlanView::seconds(int k) const {
  const int rows = requests() * (1 + k) + prefill_rows;
  double verify = cost->verify_seconds(requests(), rows);
  if (cost->has_terms()) [[unlikely]] {
    const AddedSeconds added = added_seconds(*cost, request, prefill_rows);
    verify += added.anchors + added.per_row * requests() * k;
  }
  if (k == 0) verify *= 1 + cost->parts().idle_drafter_tax;
  return cost->draft_seconds(requests(), k) + verify +
         cost->overhead_seconds(/*chosen_after_drafting=*/false);
}

int drafted_until_stop(const DraftStop& stop, const DraftColumns& drafts, int request, int planned) {
  double survival = 1;
  for (int k = 1; k < planned; ++k) {
    const PreDrawSignals before = drafts.before_draw(request, k);
    if (!stop.keep_drafting({k, survival, before, drafts.after_draw(request, k)})) return k;
    survival *= before.confidence;
  }
  return planned;
}

void Step::seconds_from(int admitted, CostForm form, std::span<double> seconds) const {
  cost->verify_seconds(requests(), requests() + prefill_rows + admitted, form, seconds);
  for (double& second : seconds) second += draft_and_overhead_seconds;
  if (added_seconds_per_row == 0) return;
  for (double& second : seconds) second += added_seconds_per_row * admitted++;
}

EarlierStep Step::earlier(int lag) const {
  DSPARK_INVARIANT(lag >= 1);
  const std::size_t index = static_cast<std::size_t>(lag) - 1;
  return index < history.size() ? history[index] : EarlierStep{};
}

PreDrawSignals StepOutcome::signals(int request_row, int k) const {
  DSPARK_INVARIANT(request_row >= 0 && request_row < requests());
  DSPARK_INVARIANT(k >= 1 && k <= verified[static_cast<std::size_t>(request_row)]);
  return drafts.before_draw(request_row, k);
}

void DepthPolicy::choose_in_hindsight(const HindsightView&, std::span<int>) {
  // Asked only of policies that say they are not lossless, and those answer it.
  DSPARK_INVARIANT(!"choose_in_hindsight is implemented by every policy that is not lossless");
}

}  // namespace dspark
