#include "sim/planning/plan_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr std::size_t kBatch = 8;   // refined side by side, whatever the number of threads
constexpr int kMostDemotions = 20;  // replicas added to a plan that new seeds do not confirm
constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

double PlanSize::of(PlanObjective objective) const {
  switch (objective) {
    case PlanObjective::kChips:
      return static_cast<double>(chips);
    case PlanObjective::kDollars:
      return dollars_per_hour;
    case PlanObjective::kEnergy:
      return kilowatts;
  }
  return 0;
}

std::int64_t replicas_for(double peak, double capacity) {
  // A peak that is a whole number of capacities must not cost one more because of rounding.
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(peak / capacity * (1 - 1e-12))));
}

PlanSize size_of(const PlanRequest& request, const ReplicaHardware& hardware, std::int64_t serving,
                 double busy_share) {
  PlanSize size;
  size.serving = serving;
  size.replicas = serving + request.spare_replicas;
  size.chips = size.replicas * hardware.gpus;
  const auto chips = static_cast<double>(size.chips);
  size.dollars_per_hour = chips * hardware.dollars_per_gpu_hour;
  const double busy_chips = static_cast<double>(serving * hardware.gpus) * busy_share;
  size.kilowatts =
      1e-3 * (chips * hardware.idle_watts + busy_chips * (hardware.active_watts - hardware.idle_watts));
  return size;
}

PlanSearch::PlanSearch(PlanRequest request, std::vector<PlanCandidate> candidates, ForEachIndex parallel,
                       std::function<void(const PlanSearch&)> progress)
    : request_(request),
      candidates_(std::move(candidates)),
      parallel_(std::move(parallel)),
      progress_(std::move(progress)),
      states_(candidates_.size()),
      interrupted_(candidates_.size(), 0) {}

std::int64_t PlanSearch::serving(std::size_t candidate, double capacity) const {
  return replicas_for(request_.peak, capacity) + states_[candidate].demoted;
}

std::optional<PlanSize> PlanSearch::least_size(std::size_t candidate) const {
  const CandidateState& state = states_[candidate];
  if (!state.search || state.infeasible()) return std::nullopt;
  return size_of(request_, candidates_[candidate].hardware, serving(candidate, state.search->bound()),
                 state.confirmed ? state.check->busy_share : 0);
}

PlanSize PlanSearch::size(std::size_t candidate) const {
  const CandidateState& state = states_[candidate];
  DSPARK_INVARIANT(state.resolved());
  return *least_size(candidate);
}

double PlanSearch::bound(std::size_t candidate) const {
  const CandidateState& state = states_[candidate];
  if (!state.search) return 0;
  const auto size = least_size(candidate);
  return size ? size->of(request_.objective) : kInfinite;
}

bool PlanSearch::final(std::size_t candidate) const {
  return states_[candidate].infeasible() || states_[candidate].confirmed;
}

int PlanSearch::tests() const {
  int sum = 0;
  for (const CandidateState& state : states_) sum += state.tests;
  return sum;
}

int PlanSearch::replications() const {
  int sum = 0;
  for (const CandidateState& state : states_) sum += state.replications;
  return sum;
}

bool PlanSearch::for_each(const std::vector<std::size_t>& those,
                          const std::function<void(std::size_t)>& job) {
  parallel_(those.size(), [&](std::size_t i) { job(those[i]); });
  const bool whole = std::none_of(those.begin(), those.end(), [&](auto c) { return interrupted_[c] != 0; });
  for (const std::size_t c : those) interrupted_[c] = 0;
  if (progress_) progress_(*this);
  return whole;
}

/// Of `open`, least (bound, index) first: those that may still be better than the first one turns out to be.
std::vector<std::size_t> PlanSearch::batch(const std::vector<std::size_t>& open) const {
  std::vector<std::size_t> chosen;
  const CandidateState& first = states_[open[0]];
  double worst = kInfinite;
  if (first.search && first.search->largest_met() > 0) {
    worst = size_of(request_, candidates_[open[0]].hardware, serving(open[0], first.search->largest_met()), 1)
                .of(request_.objective);
  }
  for (const std::size_t c : open) {
    if (chosen.size() == kBatch) break;
    if (!final(c) && bound(c) <= worst) chosen.push_back(c);
  }
  return chosen;
}

std::optional<std::vector<std::size_t>> PlanSearch::best(const std::vector<std::size_t>& among,
                                                         std::size_t count) {
  std::vector<std::size_t> open = among, found;
  while (!open.empty() && found.size() < count) {
    std::stable_sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) {
      const double bound_a = bound(a), bound_b = bound(b);
      return bound_a != bound_b ? bound_a < bound_b : a < b;
    });
    const std::size_t first = open[0];
    if (states_[first].infeasible()) break;  // so are all behind it
    if (final(first)) {
      found.push_back(first);
      open.erase(open.begin());
    } else if (!for_each(batch(open), [&](std::size_t c) { advance(c); })) {
      return std::nullopt;
    }
  }
  return found;
}

bool PlanSearch::test_lowest(const std::vector<std::size_t>& among) {
  std::vector<std::size_t> unknown;
  for (const std::size_t c : among) {
    const auto& search = states_[c].search;
    if (search && !search->done() && search->largest_met() == 0) unknown.push_back(c);
  }
  return for_each(unknown, [&](std::size_t c) { refine(c, states_[c].search->bottom()); });
}

/// One step towards a checked plan.
void PlanSearch::advance(std::size_t candidate) {
  CandidateState& state = states_[candidate];
  if (!state.search) {
    const auto saturation = candidates_[candidate].replica->saturation();
    if (!saturation) {
      interrupted_[candidate] = 1;
      return;
    }
    state.saturation = *saturation;
    state.search.emplace(request_.grid, *saturation, request_.utilization);
    if (state.search->done()) {  // it can serve nothing, and says why
      if (auto said = candidates_[candidate].replica->observe(1, kSearchSeries, 0))
        state.not_met = TestOutcome{.verdict = Verdict::kNotMet, .replications = 1, .error = said->error};
    }
  } else if (!state.search->done()) {
    refine(candidate, state.search->next());
  } else if (!final(candidate)) {
    check(candidate);
  }
}

void PlanSearch::refine(std::size_t candidate, int index) {
  CandidateState& state = states_[candidate];
  const double load = request_.grid.load(index);
  SequentialTest test;
  test.false_acceptance = (1 - request_.confidence) / state.search->most_tests();
  test.most = request_.most_replications;
  const auto outcome = run_test(test, [&](int replication) {
    return candidates_[candidate].replica->observe(load, kSearchSeries + index, replication);
  });
  candidates_[candidate].replica->end_test();
  if (!outcome) {
    interrupted_[candidate] = 1;
    return;
  }
  ++state.tests;
  state.replications += outcome->replications;
  const bool met = outcome->verdict == Verdict::kMet;
  state.search->note(index, met);
  if (!met) {
    state.not_met = outcome;
    state.not_met_load = load;
  }
}

/// Simulates the plan again with seeds that chose nothing. One that is not confirmed gets one more replica
/// and is checked with yet other seeds, at half the level: over all checks the levels add up to the promised
/// one.
void PlanSearch::check(std::size_t candidate) {
  CandidateState& state = states_[candidate];
  const double load = request_.peak / static_cast<double>(serving(candidate, state.search->largest_met()));
  SequentialTest test;
  test.false_acceptance = (1 - request_.confidence) * std::pow(0.5, state.demoted + 1);
  test.most = 2 * request_.most_replications;
  const int series = kCheckSeries + state.demoted;
  const auto outcome = run_test(test, [&](int replication) {
    return candidates_[candidate].replica->observe(load, series, replication);
  });
  candidates_[candidate].replica->end_test();
  if (!outcome) {
    interrupted_[candidate] = 1;
    return;
  }
  ++state.tests;
  state.replications += outcome->replications;
  state.check = outcome;
  if (outcome->verdict == Verdict::kMet) {
    state.confirmed = true;
  } else if (++state.demoted > kMostDemotions) {
    state.not_met = outcome;
    state.not_met_load = load;
    state.search.emplace(request_.grid, 0);  // nothing that chance did not favour
  }
}

}  // namespace dspark
