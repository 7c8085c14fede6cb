#include "sim/lossless/played_system.h"

#include <algorithm>

#include "policies/elementary.h"
#include "sim/lossless/arbitrary_words.h"

namespace dspark {
namespace {

constexpr std::int32_t kContext = 100;  // tokens; far from any limit

/// A policy's own coins, and whatever else of a step is arbitrary: a function of the step's number.
class StepCoins final : public CoinStream {
 public:
  explicit StepCoins(std::int64_t step) : words_(static_cast<std::uint32_t>(step)) {}
  double uniform() override { return uniform_from_bits(words_()); }

 private:
  ArbitraryWords words_;
};

}  // namespace

PlayedSystem::PlayedSystem(const CheckedSystem& system, DepthPolicy& policy)
    : system_(system), policy_(policy), traits_(policy.traits()), history_(traits_.history) {
  const auto requests = static_cast<std::size_t>(system.size.requests);
  for (int r = 0; r < system.size.requests; ++r) ids_.push_back(RequestId{r});
  rounds_.assign(requests, 0);
  context_.assign(requests, kContext);
  block_cap_.assign(requests, system.size.block_size);
  lengths_.assign(requests, 0);
}

void PlayedSystem::stop_drafts(const DraftStop& stop) {
  for (std::size_t r = 0; r < planned_.size(); ++r) {
    int& drafted = blocks_.drafted[r];
    drafted = drafted_until_stop(stop, blocks_.columns(), static_cast<int>(r), planned_[r]);
    if (!system_.rules.keeps_the_stopping_token && drafted < planned_[r]) --drafted;
  }
}

Step PlayedSystem::step_view() const {
  const std::vector<int>& shown = system_.rules.shows_planned_blocks ? planned_ : blocks_.drafted;
  const int drafting =
      static_cast<int>(shown.size() - static_cast<std::size_t>(std::count(shown.begin(), shown.end(), 0)));
  Step step;
  step.request = request();
  step.planned = shown;
  step.step = step_;
  step.cost = &system_.cost;
  step.draft_and_overhead_seconds =
      system_.cost.draft_seconds(drafting, *std::max_element(shown.begin(), shown.end())) +
      system_.cost.overhead_seconds(true);
  step.history = history_.view();
  return step;
}

std::span<const int> PlayedSystem::decide(const DraftModels& models, std::span<const int> tokens,
                                          std::span<const int> accepted) {
  StepCoins coins(step_);
  planned_.assign(ids_.size(), system_.size.block_size);
  BlockPlan plan(planned_);
  const PlanView view{.request = request(),
                      .block_size = system_.size.block_size,
                      .step = step_,
                      .cost = &system_.cost,
                      .coins = &coins};
  const PlanAnswer answer = policy_.plan(view, plan);
  for (int& k : planned_) k = std::clamp(k, 0, system_.size.block_size);

  blocks_.fill(models, system_.source, tokens, accepted);
  blocks_.drafted = planned_;
  const DraftStop* stop = policy_.draft_stop();
  stop_seen_ = stop != nullptr;
  if (stop != nullptr) stop_drafts(*stop);
  for (std::size_t r = 0; r < planned_.size(); ++r) {
    blocks_.accepted[r] = std::min(blocks_.accepted[r], blocks_.drafted[r]);
  }
  chose_ = answer == PlanAnswer::kChoose;
  lengths_ = blocks_.drafted;
  if (!chose_ && traits_.history == 0) return lengths_;
  frontier_.reset(blocks_.columns());
  if (!chose_) return lengths_;
  Step step = step_view();
  step.coins = &coins;
  if (traits_.lossless) {
    policy_.choose(step, frontier_);
    lengths_.assign(frontier_.admitted().begin(), frontier_.admitted().end());
  } else {
    policy_.choose_in_hindsight({step, blocks_.columns()}, lengths_);
  }
  return lengths_;
}

void PlayedSystem::finish(unsigned joins_after) {
  const std::size_t requests = lengths_.size();
  std::vector<int> accepted(requests);
  std::vector<std::uint8_t> finished(requests);
  int rows = static_cast<int>(requests);
  for (std::size_t r = 0; r < requests; ++r) {
    accepted[r] = std::min(lengths_[r], blocks_.accepted[r]);
    finished[r] = joins_after >> r & 1;
    rows += lengths_[r];
  }
  std::vector<float> divergence(requests * static_cast<std::size_t>(system_.size.block_size));
  StepCoins coins(step_);
  for (float& value : divergence) value = static_cast<float>(coins.uniform());
  StepOutcome outcome;
  outcome.request = request();
  outcome.drafted = blocks_.drafted;
  outcome.verified = lengths_;
  outcome.accepted = accepted;
  outcome.finished = finished;
  outcome.seconds.verify = system_.cost.verify_seconds(static_cast<int>(requests), rows);
  outcome.step = step_;
  outcome.drafts = blocks_.columns();
  outcome.divergence = divergence;
  policy_.observe(outcome);
  if (traits_.history > 0) {
    history_.push(ids_, frontier_.sorted_survivals_for_history(), frontier_.survivals_for_history());
  }
  for (std::size_t r = 0; r < requests; ++r) {
    rounds_[r] = finished[r] ? 0 : rounds_[r] + 1;
    context_[r] = finished[r] ? kContext : context_[r] + accepted[r] + 1;
  }
  ++step_;
}

void PlayedSystem::play(const PlayedRound& round) {
  decide(*round.models, round.tokens, round.accepted);
  finish(round.joins_after);
}

}  // namespace dspark
