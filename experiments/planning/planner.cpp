#include "experiments/planning/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "experiments/messages.h"
#include "experiments/planning/scenario_replica.h"
#include "experiments/threads.h"

namespace dspark {
namespace {

/// Says from time to time how far the search is.
class SearchProgress {
 public:
  explicit SearchProgress(bool quiet) : quiet_(quiet) {}
  void operator()(const PlanSearch& search) {
    constexpr auto kPause = std::chrono::seconds(2);
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || now < last_ + kPause) return;
    last_ = now;
    std::size_t settled = 0;
    for (std::size_t c = 0; c < search.candidates().size(); ++c) {
      const auto& bracket = search.state(c).search;
      settled += bracket && bracket->done();
    }
    write_message(fmt::format("{} of {} candidates settled, {} loads tested, {} replications\n", settled,
                              search.candidates().size(), search.tests(), search.replications()));
  }

 private:
  bool quiet_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Plan plan_of(const PlanFile& file, const PlanSearch& search, std::size_t candidate) {
  const CandidateState& state = search.state(candidate);
  const ReplicaHardware& hardware = search.candidates()[candidate].hardware;
  Plan plan{candidate, search.size(candidate), state.search->largest_met(), 0, 0};
  const auto chips_at = [&](double peak) {
    const std::int64_t serving = replicas_for(peak, plan.capacity) + state.demoted;
    return size_of(search.request(), hardware, serving, 0).chips;
  };
  plan.chips_if_less = chips_at(file.request.peak * (1 - file.forecast_error));
  plan.chips_if_more = chips_at(file.request.peak * (1 + file.forecast_error));
  return plan;
}

/// What a request costs under `after` over what it costs under `before`, where capacity is bought in any
/// amount. Where a machine has no price, GPUs count as they are.
double cost_ratio(const PlanSearch& search, const Plan& before, const Plan& after) {
  const ReplicaHardware& old_one = search.candidates()[before.candidate].hardware;
  const ReplicaHardware& new_one = search.candidates()[after.candidate].hardware;
  const double gpus = (new_one.gpus / after.capacity) / (old_one.gpus / before.capacity);
  const bool priced = old_one.dollars_per_gpu_hour > 0 && new_one.dollars_per_gpu_hour > 0;
  return priced ? gpus * new_one.dollars_per_gpu_hour / old_one.dollars_per_gpu_hour : gpus;
}

DemandOutcome demand_outcome(const PlanFile& file, const PlanSearch& search, const Plan& before,
                             const Plan& after) {
  DemandOutcome outcome;
  outcome.cost_ratio = cost_ratio(search, before, after);
  outcome.requests_ratio = file.demand->requests_ratio(outcome.cost_ratio);
  const std::int64_t serving = replicas_for(file.request.peak * outcome.requests_ratio, after.capacity) +
                               search.state(after.candidate).demoted;
  outcome.chips = size_of(search.request(), search.candidates()[after.candidate].hardware, serving, 0).chips;
  outcome.resource_ratio = outcome.cost_ratio * outcome.requests_ratio;
  if (outcome.cost_ratio < 1)
    outcome.rebound = (outcome.resource_ratio - outcome.cost_ratio) / (1 - outcome.cost_ratio);
  return outcome;
}

LostCandidate lost(const PlanFile& file, const PlanSearch& search, std::size_t candidate, const Plan& best) {
  const CandidateState& state = search.state(candidate);
  LostCandidate loser;
  loser.candidate = candidate;
  loser.least = search.least_size(candidate);
  loser.unreachable = state.infeasible() || (state.search && state.search->bound() == 0);
  const std::string binding = state.not_met ? binding_text(file, *state.not_met) : "";
  if (loser.unreachable) {
    loser.why = "no load meets the promise: " + binding;
    return loser;
  }
  const std::int64_t more = loser.least->chips - best.size.chips;
  const bool exact = state.resolved();
  loser.why = fmt::format("needs {}{} GPUs{}", exact ? "" : "at least ", loser.least->chips,
                          more != 0 ? fmt::format(" ({:+})", more) : "");
  if (file.request.objective == PlanObjective::kDollars)
    loser.why += fmt::format(", {}{:.2f} $/h", exact ? "" : "at least ", loser.least->dollars_per_hour);
  if (file.request.objective == PlanObjective::kEnergy)
    loser.why += fmt::format(", at least {:.2f} kW", loser.least->kilowatts);
  loser.why += state.not_met ? fmt::format(": at {:.4g}/s {}", state.not_met_load, binding)
                             : fmt::format(": up to {:.4g} % of the {:.2f}/s that a busy replica finishes",
                                           100 * file.request.utilization, state.saturation);
  return loser;
}

std::vector<PlanCandidate> simulated(const PlanFile& file, const ObservationCache& cache,
                                     const std::atomic<bool>& stop) {
  std::vector<PlanCandidate> candidates;
  for (const NamedCandidate& candidate : file.candidates) {
    candidates.push_back(
        {std::make_shared<const ScenarioReplica>(file, candidate, cache, &stop), candidate.hardware});
  }
  return candidates;
}

}  // namespace

std::string binding_text(const PlanFile& file, const TestOutcome& outcome) {
  if (outcome.margins.empty()) return outcome.error;
  const std::size_t binding = outcome.binding();
  const ServiceLimit& limit = file.limits[binding];
  const MarginEstimate& found = outcome.margins[binding];
  const bool is_speed = limit.quantity == ServiceLimit::Quantity::kUserSpeed;
  const double unit = is_speed ? 1 : 1e3;
  const bool missed = is_speed ? found.value < limit.limit : found.value > limit.limit;
  return fmt::format("{} is {:.4g}, {} {:.4g}{}", limit.name, found.value * unit,
                     missed ? "not" : "too near to", limit.limit * unit, missed ? "" : " to be sure");
}

std::optional<PlanAnswer> find_plan(const PlanFile& file, const PlanningOptions& options,
                                    std::atomic<bool>& stop) {
  const ObservationCache cache(options.cache);
  SearchProgress progress(options.quiet);
  PlanSearch search(file.request, simulated(file, cache, stop), on_threads(options.jobs),
                    [&](const PlanSearch& s) { progress(s); });
  std::vector<std::size_t> all(file.candidates.size()), of_baseline;
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (const std::size_t c : all) {
    if (file.candidates[c].policy == file.baseline) of_baseline.push_back(c);
  }
  PlanAnswer answer;
  const auto found = search.best(all, options.exhaustive ? all.size() : 2);
  if (!found) return std::nullopt;
  const auto today = search.best(of_baseline, 1);
  if (!today || !search.test_lowest(all)) return std::nullopt;
  if (!found->empty()) answer.best = plan_of(file, search, found->front());
  if (found->size() > 1) answer.runner_up = plan_of(file, search, (*found)[1]);
  if (!today->empty()) answer.baseline = plan_of(file, search, today->front());
  if (file.demand && answer.best && answer.baseline)
    answer.demand = demand_outcome(file, search, *answer.baseline, *answer.best);
  const Plan nothing;
  for (const std::size_t c : all) {
    if (!answer.best || c != answer.best->candidate)
      answer.losers.push_back(lost(file, search, c, answer.best ? *answer.best : nothing));
    answer.states.push_back(search.state(c));
  }
  const auto order = [&](const LostCandidate& l) {
    return l.unreachable ? HUGE_VAL : l.least->of(file.request.objective);
  };
  std::stable_sort(answer.losers.begin(), answer.losers.end(),
                   [&](const LostCandidate& a, const LostCandidate& b) { return order(a) < order(b); });
  answer.tests = search.tests();
  answer.replications = search.replications();
  return answer;
}

}  // namespace dspark
