#include "sim/planning/replica_capacity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/planning/synthetic_replica.h"

namespace dspark {
namespace {

TEST(LoadGrid, IndexAndLoadAreInverse) {
  const LoadGrid grid{0.02};
  for (const double load : {1e-3, 0.5, 1.0, 3.7, 1e4}) {
    const int index = grid.index_below(load);
    EXPECT_LE(grid.load(index), load);
    EXPECT_GT(grid.load(index + 1), load);
    EXPECT_NEAR(grid.load(index + 1) / grid.load(index), 1.02, 1e-12);
  }
}

TEST(CapacitySearch, FindsTheLargestLoadThatIsMetWhereverItIs) {
  const LoadGrid grid{0.05};
  const CapacitySearch fresh(grid, 100, 0.9);
  const int bottom = fresh.bottom(), top = grid.index_below(90);
  for (int largest = bottom - 1; largest <= top; ++largest) {
    CapacitySearch search(grid, 100, 0.9);
    int tests = 0;
    while (!search.done()) {
      const int index = search.next();
      EXPECT_GE(index, bottom);
      EXPECT_LE(index, top);
      search.note(index, index <= largest);
      ++tests;
      // The bracket always holds the answer: so it bounds it at any time.
      EXPECT_LE(search.largest_met(), largest < bottom ? 0 : grid.load(largest));
      EXPECT_GE(search.bound(), largest < bottom ? 0 : grid.load(largest));
    }
    EXPECT_EQ(search.infeasible(), largest < bottom);
    EXPECT_EQ(search.largest_met(), largest < bottom ? 0 : grid.load(largest));
    EXPECT_LE(tests, search.most_tests());
  }
}

TEST(CapacitySearch, WhatServesNothingIsInfeasibleAtOnce) {
  EXPECT_TRUE(CapacitySearch(LoadGrid{}, 0).infeasible());
}

/// The search as a plan does it, at 95 %.
double capacity_of(const ReplicaModel& model, double resolution) {
  const LoadGrid grid{resolution};
  CapacitySearch search(grid, *model.saturation());
  SequentialTest test;
  test.false_acceptance = 0.05 / search.most_tests();
  while (!search.done()) {
    const int index = search.next();
    const auto outcome =
        run_test(test, [&](int r) { return model.observe(grid.load(index), kSearchSeries + index, r); });
    search.note(index, outcome->verdict == Verdict::kMet);
  }
  return search.largest_met();
}

TEST(CapacitySearch, OfANoisyReplicaItIsTooLargeNotMoreOftenThanPromised) {
  constexpr int kSeeds = 400;
  int too_large = 0;
  double sum = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const SyntheticReplica replica(20, 10, 0.05, static_cast<std::uint64_t>(seed));
    const double capacity = capacity_of(replica, 0.02);
    too_large += capacity > 10;
    sum += capacity / kSeeds;
  }
  EXPECT_LE(too_large, 0.05 * kSeeds + 4 * std::sqrt(0.0475 * kSeeds));
  // What noise costs: 16 replications leave a standard error of 0.0125, the level asks for four of them.
  EXPECT_GT(sum, 9);
}

/// M/M/1, first come first served: a request is there for longer than t with probability e^-(μ - λ)t.
class QueueReplica final : public ReplicaModel {
 public:
  std::optional<double> saturation() const override { return kRate; }
  std::optional<ReplicaObservation> observe(double load, int series, int replication) const override {
    const double within = 1 - std::exp(-(kRate - load) * kSeconds);
    const double deviation = std::sqrt(within * (1 - within) / kRequests);
    const double found = within + deviation * synthetic_normal(3, series, replication, 0);
    return ReplicaObservation{.limits = {{found - 0.95, 0, std::sqrt(0.95 * 0.05 / kRequests)}},
                              .busy_share = load / kRate};
  }
  static constexpr double kRate = 8, kSeconds = 1, kRequests = 1e5;
};

TEST(CapacitySearch, OfAnMM1QueueIsItsClosedForm) {
  // e^-(μ - λ)t = 0.05
  const double exact = QueueReplica::kRate - std::log(20) / QueueReplica::kSeconds;
  const double found = capacity_of(QueueReplica(), 0.005);
  EXPECT_LE(found, exact);
  EXPECT_GT(found, exact * 0.985);
}

}  // namespace
}  // namespace dspark
