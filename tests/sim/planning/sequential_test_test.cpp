#include "sim/planning/sequential_test.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/planning/synthetic_replica.h"

namespace dspark {
namespace {

/// Gaussian margins of these means, independent between replications and limits.
TestOutcome gaussian_test(const SequentialTest& test, int seed, const std::vector<double>& means) {
  const auto outcome = run_test(test, [&](int replication) -> std::optional<ReplicaObservation> {
    ReplicaObservation observation;
    for (std::size_t i = 0; i < means.size(); ++i) {
      const double noise =
          synthetic_normal(static_cast<std::uint64_t>(seed), replication, static_cast<int>(i), 1);
      observation.limits.push_back({means[i] + noise, means[i], 0});
    }
    return observation;
  });
  return *outcome;
}

int count(Verdict verdict, const SequentialTest& test, int seeds, const std::vector<double>& means) {
  int found = 0;
  for (int seed = 0; seed < seeds; ++seed) found += gaussian_test(test, seed, means).verdict == verdict;
  return found;
}

TEST(SequentialTest, AtTheLimitItSaysMetNotMoreOftenThanPromised) {
  constexpr int kSeeds = 4000;
  for (const double level : {0.2, 0.05}) {
    // Rejections would hide false acceptances: there are none here.
    const SequentialTest test{.false_acceptance = level, .false_rejection = 1e-9, .most = 12};
    const int met = count(Verdict::kMet, test, kSeeds, {0});
    EXPECT_LE(met, level * kSeeds + 4 * std::sqrt(level * (1 - level) * kSeeds)) << level;
    EXPECT_GE(met, level * kSeeds / 5) << "a test that never says met would pass, too";
  }
}

TEST(SequentialTest, OneLimitThatDoesNotHoldIsEnough) {
  constexpr int kSeeds = 2000;
  const SequentialTest test{.false_acceptance = 0.05, .false_rejection = 1e-9, .most = 12};
  EXPECT_LE(count(Verdict::kMet, test, kSeeds, {4, 0, 4}), 0.05 * kSeeds + 4 * std::sqrt(0.0475 * kSeeds));
}

TEST(SequentialTest, ClearMarginsAreSeenWithFewReplications) {
  const SequentialTest test;
  int replications = 0;
  for (int seed = 0; seed < 100; ++seed) {
    const TestOutcome good = gaussian_test(test, seed, {8, 20});
    EXPECT_EQ(good.verdict, Verdict::kMet) << seed;
    const TestOutcome bad = gaussian_test(test, seed, {8, -20});
    EXPECT_EQ(bad.verdict, Verdict::kNotMet) << seed;
    EXPECT_EQ(bad.binding(), 1u) << seed;
    replications += good.replications + bad.replications;
  }
  EXPECT_LE(replications, 100 * 12);
}

TEST(SequentialTest, UndecidedEndsAtItsMostReplications) {
  const SequentialTest test{.false_acceptance = 1e-6, .false_rejection = 1e-6, .most = 6};
  const TestOutcome outcome = gaussian_test(test, 1, {0.1});
  EXPECT_EQ(outcome.verdict, Verdict::kUndecided);
  EXPECT_EQ(outcome.replications, 6);
}

TEST(SequentialTest, ReplicationsThatAgreeByChanceDoNotPassForCertain) {
  std::vector<ReplicaObservation> observations(4);
  for (auto& o : observations) o.limits = {{0.01, 0, 0.05}};
  const auto margins = estimate_margins(observations);
  EXPECT_DOUBLE_EQ(margins[0].standard_error, 0.025);  // least deviation / sqrt(4)
  EXPECT_NE(judge(SequentialTest{}, margins, 4), Verdict::kMet);
  for (auto& o : observations) o.limits = {{0.01, 0, 0}};
  EXPECT_EQ(judge(SequentialTest{}, estimate_margins(observations), 4), Verdict::kMet);
}

TEST(SequentialTest, WhatCannotBeServedIsNotMetAndSaysWhy) {
  const auto outcome = run_test({}, [](int) { return ReplicaObservation{.error = "too long"}; });
  EXPECT_EQ(outcome->verdict, Verdict::kNotMet);
  EXPECT_EQ(outcome->error, "too long");
  EXPECT_FALSE(run_test({}, [](int) { return std::optional<ReplicaObservation>(); }).has_value());
}

}  // namespace
}  // namespace dspark
