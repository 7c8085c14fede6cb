#include "sim/lossless/lossless_check.h"

#include <algorithm>

#include "policies/invariant.h"
#include "sim/lossless/arbitrary_words.h"

namespace dspark {
namespace {

StepCost cost_of(const std::vector<double>& seconds_by_rows) {
  std::vector<CostTable::Point> points;
  for (std::size_t i = 0; i < seconds_by_rows.size(); ++i) {
    points.push_back({static_cast<double>(i + 1), seconds_by_rows[i]});
  }
  auto table = CostTable::make(std::move(points), {}, "check");
  auto draft = CostTable::make({{1, 0.02}, {2, 0.03}}, {}, "check");
  DSPARK_INVARIANT(table && draft);
  return StepCost(
      {.verify_table = *table, .draft_table = *draft, .sequential_drafter = true, .overhead_seconds = 0.05});
}

const std::vector<SystemSize> kSizes{{2, 2, 1}, {2, 2, 2}, {2, 3, 1}, {3, 2, 1},
                                     {3, 3, 1}, {2, 3, 2}, {3, 2, 2}};

/// One run of the check over all sizes and costs.
class Check {
 public:
  Check(const PolicyMaker& make, ConfidenceSource source, const EngineRules& rules, const CheckEffort& effort)
      : make_(make),
        source_(source),
        rules_(rules),
        effort_(effort),
        every_outcome_(!make()->traits().lossless),
        coins_(effort.seed) {}

  LosslessVerdict run() {
    for (const SystemSize& size : kSizes) {
      for (NamedCost& cost : check_costs()) {
        if (verdict_.exposure) break;
        const CheckedSystem system{size, std::move(cost.cost), source_, rules_};
        system_ = &system;
        costs_ = cost.name;
        check_start();
        check_early_rounds();
        check_long_histories();
      }
    }
    verdict_.kind = kind();
    return std::move(verdict_);
  }

 private:
  LosslessVerdict::Kind kind() {
    if (verdict_.exposure) return LosslessVerdict::Kind::kExposed;
    if (!chose_ && !stopped_ && source_ != ConfidenceSource::kConfidence) {
      verdict_.reason = "reads no confidence";
      return LosslessVerdict::Kind::kNotApplicable;
    }
    const bool frontier_only = !every_outcome_ && !stopped_ && known_before_draw(source_);
    return frontier_only ? LosslessVerdict::Kind::kProved : LosslessVerdict::Kind::kNoViolation;
  }

  void check_start() {
    const SystemSize& size = system_->size;
    const std::int64_t tables = power(kGridLetters, std::min(size.nodes(), 20));
    const bool all = tables <= effort_.grid_tables;
    // Random tables are for systems too large to be gone through, so there are fewer of them.
    const std::int64_t count =
        all ? tables : std::max<std::int64_t>(1, 4 * effort_.grid_tables / size.draws());
    for (std::int64_t t = 0; t < count && !verdict_.exposure; ++t) {
      ask({}, all ? grid_models(size, t) : random_models(size, coins_));
    }
  }

  /// All successors of a state for a table and every draw, up to a cap, three rounds deep.
  void check_early_rounds() {
    std::vector<History> states{{}};
    for (int round = 1; round <= 3; ++round) {
      std::vector<History> next;
      for (const History& state : states) add_successors(state, next);
      for (std::size_t i = next.size(); i > 1; --i) std::swap(next[i - 1], next[coins_() % i]);
      next.resize(std::min(next.size(), static_cast<std::size_t>(effort_.states_by_round)));
      states = std::move(next);
      for (const History& state : states) {
        if (verdict_.exposure) return;
        ask(state, random_models(system_->size, coins_));
      }
    }
  }

  void add_successors(const History& state, std::vector<History>& next) {
    const SystemSize& size = system_->size;
    const auto models = std::make_shared<const DraftModels>(random_models(size, coins_));
    for (std::int64_t draw = 0; draw < size.draws(); ++draw) {
      PlayedRound round = random_round(models);
      write_tokens(draw, size.vocabulary, round.tokens);
      next.push_back(state);
      next.back().push_back(std::make_shared<const PlayedRound>(std::move(round)));
    }
  }

  void check_long_histories() {
    for (int h = 0; h < effort_.long_histories && !verdict_.exposure; ++h) {
      History history;
      const int rounds = 4 + coins_.below(effort_.long_rounds - 3);
      for (int i = 0; i < rounds; ++i) {
        const auto models = std::make_shared<const DraftModels>(random_models(system_->size, coins_));
        history.push_back(std::make_shared<const PlayedRound>(random_round(models)));
      }
      ask(history, random_models(system_->size, coins_));
    }
  }

  PlayedRound random_round(std::shared_ptr<const DraftModels> models) {
    const SystemSize& size = system_->size;
    PlayedRound round{.models = std::move(models)};
    for (int i = 0; i < size.requests * size.block_size; ++i)
      round.tokens.push_back(coins_.below(size.vocabulary));
    for (int r = 0; r < size.requests; ++r) round.accepted.push_back(coins_.below(size.block_size + 1));
    if (coins_.below(4) == 0) round.joins_after = 1u << coins_.below(size.requests);
    return round;
  }

  void ask(const History& history, const DraftModels& models) {
    const StepDecisions decisions = decide_all({*system_, make_, history, models, every_outcome_});
    ++verdict_.states;
    verdict_.decisions += static_cast<std::int64_t>(decisions.draws.size());
    verdict_.different = std::max(verdict_.different, decisions.different);
    chose_ |= decisions.chose;
    stopped_ |= decisions.stopped;
    const auto two = broken_stopping_set(decisions, system_->size);
    if (!two) return;
    std::vector<Distribution<double>> drawn, other;
    for (const DraftModel& model : models) drawn.push_back(drawn_from(model, source_));
    for (const DraftModel& model : random_models(system_->size, coins_)) other.push_back(model.softmax);
    const ChangedLaw at_drafter = changed_law(decisions, system_->size, drawn, drawn);
    const ChangedLaw at_other = changed_law(decisions, system_->size, other, drawn);
    const bool target_is_drafter = at_drafter.total_variation > 0;
    if (!target_is_drafter && at_other.total_variation == 0) return;  // two decisions, one law
    Exposure exposure{.size = system_->size,
                      .costs = costs_,
                      .rounds = static_cast<int>(history.size()),
                      .first = decisions.draws[two->first],
                      .second = decisions.draws[two->second],
                      .changed = target_is_drafter ? at_drafter : at_other,
                      .target_is_drafter = target_is_drafter};
    if (target_is_drafter) exposure.weight = at_drafter.probability / at_drafter.target;
    verdict_.exposure = std::move(exposure);
  }

  const PolicyMaker& make_;
  ConfidenceSource source_;
  EngineRules rules_;
  CheckEffort effort_;
  bool every_outcome_;
  ArbitraryWords coins_;
  const CheckedSystem* system_ = nullptr;
  std::string costs_;
  bool chose_ = false;
  bool stopped_ = false;
  LosslessVerdict verdict_;
};

}  // namespace

std::vector<NamedCost> check_costs() {
  return {{"convex", cost_of({1, 1.15, 1.35, 1.6, 1.9, 2.25, 2.65, 3.1})},
          {"staircase", cost_of({1, 1, 1.3, 1.3, 1.9, 1.9, 1.9, 2.4})},
          {"jagged", cost_of({1, 2.2, 2.5, 4.2, 3.6, 3.9, 6.0, 5.0})}};
}

LosslessVerdict check_lossless(const PolicyMaker& make, ConfidenceSource source, const EngineRules& rules,
                               const CheckEffort& effort) {
  return Check(make, source, rules, effort).run();
}

bool breaks_its_word(const PolicyTraits& traits, ConfidenceSource source, const LosslessVerdict& verdict) {
  return verdict.kind == LosslessVerdict::Kind::kExposed && traits.lossless && known_before_draw(source);
}

}  // namespace dspark
