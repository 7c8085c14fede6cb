#include "policies/calibration/margin_estimator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

/// Hands rounds to an estimator, `requests` to a step.
class Steps {
 public:
  Steps(const Rounds& rounds, std::size_t requests) : rounds_(rounds), requests_(requests) {}

  bool next(MarginEstimator& estimator) {
    if (begin_ + requests_ > rounds_.size()) return false;
    const auto gamma = static_cast<std::size_t>(rounds_.block_size);
    std::vector<float> margin(requests_ * gamma);
    for (std::size_t r = 0; r < requests_; ++r) {
      for (std::size_t p = 0; p < gamma; ++p) {
        margin[p * requests_ + r] = rounds_.margin[rounds_.at(begin_ + r, static_cast<int>(p) + 1)];
      }
    }
    const auto part = [&](const std::vector<std::int32_t>& column) {
      return std::span<const int>(column).subspan(begin_, requests_);
    };
    StepOutcome outcome;
    outcome.drafted = part(rounds_.drafted);
    outcome.verified = part(rounds_.verified);
    outcome.accepted = part(rounds_.accepted);
    outcome.drafts.stride = requests_;
    outcome.drafts.drafted = outcome.drafted;
    outcome.drafts.margin = margin;
    estimator.observe(outcome);
    begin_ += requests_;
    return true;
  }
  void all(MarginEstimator& estimator) {
    while (next(estimator)) {
    }
  }

 private:
  const Rounds& rounds_;
  std::size_t requests_;
  std::size_t begin_ = 0;
};

SyntheticRounds margin_truth() {
  SyntheticRounds truth;
  truth.from_margins = true;
  truth.request_deviation = 0;
  truth.rounds = 40'000;  // 400 steps of 100
  return truth;
}

std::vector<float> confidence_of(const MarginEstimator& estimator, int gamma, float margin) {
  const std::vector<int> drafted{gamma};
  const std::vector<float> margins(static_cast<std::size_t>(gamma), margin);
  std::vector<float> out(static_cast<std::size_t>(gamma));
  DraftColumns columns;
  columns.stride = 1;
  columns.drafted = drafted;
  columns.margin = margins;
  estimator.apply(columns, gamma, out);
  return out;
}

/// Standard errors of slope and intercepts from the Fisher information of 4096 observations at each position.
struct StandardErrors {
  double slope = 0;
  std::vector<double> intercept;
};
StandardErrors standard_errors(const SyntheticRounds& truth, double observations) {
  std::vector<double> information(truth.intercept.size());
  std::vector<double> mixed(truth.intercept.size());
  double slope = 0;
  constexpr int kPoints = 1000;
  for (std::size_t p = 0; p < truth.intercept.size(); ++p) {
    for (int i = 0; i < kPoints; ++i) {
      const double margin = 10 * (i + 0.5) / kPoints;
      const double share = true_sigmoid(truth.slope * margin + truth.intercept[p]);
      const double weight = share * (1 - share) * observations / kPoints;
      information[p] += weight;
      mixed[p] += weight * margin;
      slope += weight * margin * margin;
    }
    slope -= mixed[p] * mixed[p] / information[p];
  }
  StandardErrors errors{1 / std::sqrt(slope), {}};
  for (std::size_t p = 0; p < information.size(); ++p) {
    errors.intercept.push_back(
        std::sqrt(1 / information[p] + mixed[p] * mixed[p] / (information[p] * information[p] * slope)));
  }
  return errors;
}

TEST(MarginEstimator, RecoversSlopeAndInterceptsWithinFourStandardErrors) {
  const SyntheticRounds truth = margin_truth();
  const Rounds rounds = truth.make();
  MarginEstimator estimator(4);
  EXPECT_EQ(estimator.signals(), static_cast<unsigned>(kMargin));
  Steps(rounds, 100).all(estimator);
  for (int k = 1; k <= 4; ++k) ASSERT_EQ(estimator.observations(k), 4096) << k;
  const StandardErrors errors = standard_errors(truth, 4096);
  EXPECT_NEAR(estimator.slope(), truth.slope, 4 * errors.slope);
  for (int k = 1; k <= 4; ++k) {
    const auto p = static_cast<std::size_t>(k - 1);
    EXPECT_NEAR(estimator.intercept(k), truth.intercept[p], 4 * errors.intercept[p]) << k;
  }
  EXPECT_LT(errors.slope, 0.02);
}

TEST(MarginEstimator, CutsByMarginDoNotBiasIt) {
  // A lossless rule: verify while the acceptance that the margin tells is above 0.6.
  const SyntheticRounds truth = margin_truth();
  Rounds rounds = truth.make();
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    int verified = 0;
    while (verified < 4 && rounds.acceptance[rounds.at(row, verified + 1)] > 0.6f) ++verified;
    rounds.verified[row] = verified;
    rounds.accepted[row] = std::min(rounds.accepted[row], verified);
  }
  MarginEstimator estimator(4);
  Steps(rounds, 100).all(estimator);
  // Large margins alone tell less: twice the standard errors of a full window of uniform ones.
  for (int k = 1; k <= 4; ++k) ASSERT_GE(estimator.observations(k), 4000) << k;
  const StandardErrors errors = standard_errors(truth, 1024);
  EXPECT_NEAR(estimator.slope(), truth.slope, 4 * errors.slope);
  for (int k = 1; k <= 4; ++k) {
    const auto p = static_cast<std::size_t>(k - 1);
    EXPECT_NEAR(estimator.intercept(k), truth.intercept[p], 4 * errors.intercept[p]) << k;
  }
  // Unverified positions counted as rejected would be far outside.
  Rounds naive = rounds;
  for (std::size_t row = 0; row < naive.size(); ++row) {
    if (naive.accepted[row] == naive.verified[row]) naive.verified[row] = 4;
  }
  MarginEstimator biased(4);
  Steps(naive, 100).all(biased);
  EXPECT_LT(biased.intercept(1), truth.intercept[0] - 4 * errors.intercept[0]);
}

TEST(MarginEstimator, NothingBehindTheFirstRejectionOrTheCutIsALabel) {
  SyntheticRounds truth = margin_truth();
  truth.rounds = 3;
  Rounds rounds = truth.make();
  rounds.verified = {4, 2, 0};
  rounds.accepted = {1, 2, 0};
  MarginEstimator estimator(4);
  Steps(rounds, 3).all(estimator);
  EXPECT_EQ(estimator.observations(1), 2);
  EXPECT_EQ(estimator.observations(2), 2);  // one rejected, one accepted
  EXPECT_EQ(estimator.observations(3), 0);
  EXPECT_EQ(estimator.observations(4), 0);
}

TEST(MarginEstimator, WarmsUpForThreeRefitsFromAnOptimisticStart) {
  SyntheticRounds truth = margin_truth();
  truth.rounds = 300;
  const Rounds rounds = truth.make();
  MarginEstimator estimator(4);
  Steps steps(rounds, 1);
  for (const float c : confidence_of(estimator, 4, 5)) EXPECT_NEAR(c, true_sigmoid(1.5), 1e-6);
  for (int step = 1; step <= 300; ++step) {
    EXPECT_TRUE(estimator.warming_up()) << step;
    ASSERT_TRUE(steps.next(estimator));
    EXPECT_EQ(estimator.slope() == 0, step < 100) << step;
  }
  EXPECT_FALSE(estimator.warming_up());
}

TEST(MarginEstimator, APositionWithFewObservationsKeepsTheStartIntercept) {
  SyntheticRounds truth = margin_truth();
  truth.rounds = 5000;
  Rounds rounds = truth.make();
  for (std::size_t row = 49; row < rounds.size(); ++row) {  // position 3 is tried in 49 rounds at most
    rounds.verified[row] = 2;
    rounds.accepted[row] = std::min(rounds.accepted[row], 2);
  }
  MarginEstimator estimator(4);
  Steps(rounds, 10).all(estimator);
  EXPECT_NE(estimator.intercept(2), 1.5);
  EXPECT_EQ(estimator.intercept(3), 1.5);
  EXPECT_EQ(estimator.intercept(4), 1.5);
}

TEST(MarginEstimator, ForgetsWhatIsOlderThanItsWindow) {
  SyntheticRounds before = margin_truth();
  before.intercept = {-2, -2, -2, -2};
  const Rounds old_rounds = before.make();
  SyntheticRounds after = margin_truth();
  after.seed = 2;
  const Rounds new_rounds = after.make();
  MarginEstimator estimator(4);
  Steps(old_rounds, 100).all(estimator);
  Steps(new_rounds, 100).all(estimator);
  MarginEstimator fresh(4);
  Steps(new_rounds, 100).all(fresh);
  EXPECT_NEAR(estimator.slope(), fresh.slope(), 1e-4);  // two ways to the same minimum
  for (int k = 1; k <= 4; ++k) EXPECT_NEAR(estimator.intercept(k), fresh.intercept(k), 1e-3);
}

TEST(MarginEstimator, OutcomesOfOneKindOrOfAThresholdStayFinite) {
  for (const int kind : {0, 1, 2}) {
    SyntheticRounds truth = margin_truth();
    truth.rounds = 20'000;
    Rounds rounds = truth.make();
    for (std::size_t row = 0; row < rounds.size(); ++row) {
      const float first = rounds.margin[rounds.at(row, 1)];
      rounds.accepted[row] = kind == 0 ? 0 : kind == 1 ? 4 : (first > 5 ? 4 : 0);
      if (row % 7 == 0) rounds.margin[rounds.at(row, 1)] = kind == 1 ? 1e6f : first;
    }
    MarginEstimator estimator(4);
    Steps(rounds, 100).all(estimator);
    EXPECT_TRUE(std::isfinite(estimator.slope())) << kind;
    for (const float margin : {0.0f, 1.0f, 5.1f, 1e30f, std::nanf("")}) {
      for (const float c : confidence_of(estimator, 4, margin)) EXPECT_TRUE(c >= 0 && c <= 1) << kind;
    }
    if (kind == 2) {
      EXPECT_LT(confidence_of(estimator, 1, 4)[0], 0.1f);
      EXPECT_GT(confidence_of(estimator, 1, 6)[0], 0.9f);
    }
  }
}

TEST(MarginEstimator, PositionsThatWereNotDraftedGetNoConfidence) {
  const MarginEstimator estimator(2);
  const std::vector<int> drafted{1, 2};
  const std::vector<float> margins{1, 2, 3, 4};
  std::vector<float> out(4, -1);
  DraftColumns columns;
  columns.stride = 2;
  columns.drafted = drafted;
  columns.margin = margins;
  estimator.apply(columns, 2, out);
  EXPECT_EQ(out[2], 0);
  EXPECT_GT(out[3], 0);
}

}  // namespace
}  // namespace dspark
