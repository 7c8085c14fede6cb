#include "sim/planning/plan_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "tests/sim/planning/synthetic_replica.h"

namespace dspark {
namespace {

void one_after_the_other(std::size_t count, const std::function<void(std::size_t)>& job) {
  for (std::size_t i = 0; i < count; ++i) job(i);
}
void backwards_on_threads(std::size_t count, const std::function<void(std::size_t)>& job) {
  std::vector<std::jthread> threads;
  for (std::size_t i = count; i-- > 0;) threads.emplace_back([&job, i] { job(i); });
}

/// Candidates whose capacities lie from far apart to nearly equal; some serve nothing.
std::vector<PlanCandidate> random_candidates(std::size_t count, std::uint64_t seed, double noise) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<PlanCandidate> candidates;
  for (std::size_t i = 0; i < count; ++i) {
    const double saturation = 5 + 40 * uniform();
    double capacity = saturation * (0.3 + uniform());  // some are held by saturation alone
    if (uniform() < 0.1) capacity = saturation * 1e-3;
    const int gpus = 1 << static_cast<int>(3 * uniform());
    candidates.push_back(
        {std::make_shared<const SyntheticReplica>(saturation, capacity, noise, seed, 0.3 + 0.6 * uniform()),
         {.gpus = gpus,
          .dollars_per_gpu_hour = 1 + 3 * uniform(),
          .idle_watts = 100 + 200 * uniform(),
          .active_watts = 400 + 800 * uniform()}});
  }
  return candidates;
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// Every capacity to its end and every plan checked, by the definitions alone; then the least objective.
struct BruteForce {
  std::vector<std::pair<double, std::size_t>> ranked;  // objective, candidate
  int tests = 0;
};
BruteForce brute_force(const PlanRequest& request, const std::vector<PlanCandidate>& candidates) {
  BruteForce brute;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const ReplicaModel& model = *candidates[c].replica;
    CapacitySearch search(request.grid, *model.saturation(), request.utilization);
    const auto test_at = [&](double load, int series, double level, int most) {
      ++brute.tests;
      return *run_test({.false_acceptance = level, .most = most},
                       [&](int r) { return model.observe(load, series, r); });
    };
    while (!search.done()) {
      const int index = search.next();
      const auto outcome = test_at(request.grid.load(index), kSearchSeries + index,
                                   (1 - request.confidence) / search.most_tests(), request.most_replications);
      search.note(index, outcome.verdict == Verdict::kMet);
    }
    if (search.infeasible()) continue;
    double level = (1 - request.confidence) / 2;
    const std::int64_t least = replicas_for(request.peak, search.largest_met());
    for (int added = 0; added <= 20; ++added, level /= 2) {
      const double load = request.peak / static_cast<double>(least + added);
      const auto check = test_at(load, kCheckSeries + added, level, 2 * request.most_replications);
      if (check.verdict != Verdict::kMet) continue;
      const PlanSize size = size_of(request, candidates[c].hardware, least + added, check.busy_share);
      brute.ranked.emplace_back(size.of(request.objective), c);
      break;
    }
  }
  std::sort(brute.ranked.begin(), brute.ranked.end());
  return brute;
}

TEST(PlanSearch, FindsWhatBruteForceFinds) {
  int pruned = 0, brute_tests = 0;
  for (const auto objective : {PlanObjective::kChips, PlanObjective::kDollars, PlanObjective::kEnergy}) {
    for (const auto& [count, noise, peak] :
         {std::tuple{200, 0.02, 900.0}, {60, 0.1, 40.0}, {12, 0.0, 900.0}, {1, 0.02, 7.0}}) {
      PlanRequest request{.peak = peak, .spare_replicas = 1, .objective = objective};
      const auto candidates = random_candidates(static_cast<std::size_t>(count), 17, noise);
      const BruteForce brute = brute_force(request, candidates);
      PlanSearch search(request, candidates, one_after_the_other);
      const auto found = search.best(all_of(candidates.size()), 5);
      ASSERT_EQ(found->size(), std::min<std::size_t>(5, brute.ranked.size()));
      for (std::size_t i = 0; i < found->size(); ++i) {
        EXPECT_EQ((*found)[i], brute.ranked[i].second) << "rank " << i << " of " << count;
        EXPECT_EQ(search.size((*found)[i]).of(objective), brute.ranked[i].first);
      }
      if (count == 200) pruned += search.tests(), brute_tests += brute.tests;
    }
  }
  EXPECT_LT(pruned, brute_tests / 2) << "bounds that prune nothing are none";
}

TEST(PlanSearch, ThreadsAndTheirOrderChangeNothing) {
  const PlanRequest request{.peak = 300};
  const auto candidates = random_candidates(40, 5, 0.05);
  PlanSearch one(request, candidates, one_after_the_other), many(request, candidates, backwards_on_threads);
  EXPECT_EQ(one.best(all_of(40), 3), many.best(all_of(40), 3));
  EXPECT_EQ(one.replications(), many.replications());
  for (std::size_t c = 0; c < 40; ++c)
    EXPECT_EQ(one.state(c).search->largest_met(), many.state(c).search->largest_met());
}

TEST(PlanSearch, TheLeastNumberOfReplicasKeepsTheLoadBelowCapacity) {
  for (const double capacity : {0.1, 1.0, 3.7, 12.5, 900.0}) {
    for (const double peak : {0.05, 1.0, 25.0, 100.0, 899.0}) {
      const std::int64_t n = replicas_for(peak, capacity);
      EXPECT_LE(peak / static_cast<double>(n), capacity * (1 + 1e-9));
      if (n > 1) {
        EXPECT_GT(peak / static_cast<double>(n - 1), capacity);
      }
    }
  }
  EXPECT_EQ(replicas_for(25 * 0.1, 0.1), 25);
}

TEST(PlanSearch, SparesComeOnTopAndIdle) {
  const ReplicaHardware hardware{
      .gpus = 4, .dollars_per_gpu_hour = 2, .idle_watts = 100, .active_watts = 600};
  const PlanSize size = size_of({.peak = 30, .spare_replicas = 2}, hardware, 3, 0.5);
  EXPECT_EQ(size.replicas, 5);
  EXPECT_EQ(size.chips, 20);
  EXPECT_EQ(size.dollars_per_hour, 40);
  EXPECT_DOUBLE_EQ(size.kilowatts, 1e-3 * (20 * 100 + 12 * 0.5 * 500));
}

TEST(PlanSearch, WithoutAFeasibleCandidateThereIsNoPlan) {
  std::vector<PlanCandidate> candidates;
  for (int i = 0; i < 3; ++i)
    candidates.push_back({std::make_shared<const SyntheticReplica>(10, 1e-3, 0.01, 1), {}});
  candidates.push_back({std::make_shared<const SyntheticReplica>(0, 5, 0.01, 1), {}});
  PlanSearch search({.peak = 10}, candidates, one_after_the_other);
  EXPECT_TRUE(search.best(all_of(4), 1)->empty());
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_TRUE(search.state(c).infeasible());
    EXPECT_FALSE(search.least_size(c).has_value());
  }
}

/// Meets the limits at every load while the search looks, and in checks only below `truth`.
class FlatteredReplica final : public ReplicaModel {
 public:
  explicit FlatteredReplica(double truth) : truth_(truth) {}
  std::optional<double> saturation() const override { return 10; }
  std::optional<ReplicaObservation> observe(double load, int series, int) const override {
    const double margin = series < kCheckSeries || load < truth_ ? 1 : -1;
    return ReplicaObservation{.limits = {{margin, load, 0.01}}};
  }

 private:
  double truth_;
};

TEST(PlanSearch, APlanThatNewSeedsDoNotConfirmGrowsOrLosesItsPlace) {
  const PlanRequest request{.peak = 100, .utilization = 1};
  PlanSearch alone(request, {{std::make_shared<const FlatteredReplica>(7), {}}}, one_after_the_other);
  ASSERT_EQ(alone.best({0}, 1)->size(), 1u);
  EXPECT_EQ(alone.size(0).serving, 15);  // 100 / 15 < 7 <= 100 / 14
  EXPECT_GT(alone.state(0).demoted, 0);
  EXPECT_LT(alone.request().peak / static_cast<double>(alone.size(0).serving), 7);

  const std::vector<PlanCandidate> two = {{std::make_shared<const FlatteredReplica>(7), {}},
                                          {std::make_shared<const SyntheticReplica>(10, 9, 0.001, 1), {}}};
  PlanSearch search(request, two, one_after_the_other);
  EXPECT_EQ(*search.best({0, 1}, 2), (std::vector<std::size_t>{1, 0}));
}

}  // namespace
}  // namespace dspark
