#include "policies/calibration/sequential_temperature_scaling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "policies/calibration/temper.h"
#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

Rounds rounds_of(int gamma, const std::vector<std::vector<float>>& confidence,
                 const std::vector<std::pair<int, int>>& verified_accepted) {
  Rounds rounds;
  rounds.block_size = gamma;
  for (std::size_t row = 0; row < confidence.size(); ++row) {
    rounds.request.push_back(static_cast<std::int64_t>(row));
    rounds.round.push_back(0);
    rounds.anchor_position.push_back(-1);
    rounds.domain.push_back(-1);
    rounds.drafted.push_back(gamma);
    rounds.verified.push_back(verified_accepted[row].first);
    rounds.accepted.push_back(verified_accepted[row].second);
    rounds.confidence.insert(rounds.confidence.end(), confidence[row].begin(), confidence[row].end());
  }
  return rounds;
}

TEST(TemperatureGrid, IsLogSpacedAroundOne) {
  const auto grid = temperature_grid();
  ASSERT_EQ(grid.size(), 257u);
  EXPECT_EQ(grid.front(), 1.0 / 16);
  EXPECT_EQ(grid[128], 1);
  EXPECT_EQ(grid.back(), 16);
  for (std::size_t i = 1; i < grid.size(); ++i) {
    EXPECT_NEAR(grid[i] / grid[i - 1], std::exp2(1.0 / 32), 1e-14);
    EXPECT_NEAR(grid[i - 1] * grid[257 - i], 1, 1e-14);
  }
}

TEST(CumulativeSample, UsesExactlyTheRoundsVerifiedToK) {
  //                              whole    rejected at 1, cut at 1   accepted 1, cut at 1   nothing verified
  const Rounds rounds = rounds_of(2, {{0.5f, 0.8f}, {0.4f, 0.9f}, {0.7f, 0.1f}, {0.2f, 0.2f}},
                                  {{2, 1}, {1, 0}, {1, 1}, {0, 0}});
  const auto first = cumulative_sample(rounds, all_rows(rounds), {}, 1);
  EXPECT_EQ(first.label, (std::vector<std::uint8_t>{1, 0, 1}));
  const auto second = cumulative_sample(rounds, all_rows(rounds), {}, 2);
  ASSERT_EQ(second.label, (std::vector<std::uint8_t>{0}));
  EXPECT_DOUBLE_EQ(second.prediction[0], static_cast<double>(0.5f) * static_cast<double>(0.8f));
}

TEST(CumulativeSample, TempersEveryPositionAndRepeatsTheLastTemperature) {
  const Rounds rounds = rounds_of(3, {{0.6f, 0.7f, 0.8f}}, {{3, 3}});
  const std::vector<double> temperatures{2, 0.5};
  const double expected = static_cast<double>(temper(0.6f, 2)) * static_cast<double>(temper(0.7f, 0.5f)) *
                          static_cast<double>(temper(0.8f, 0.5f));
  EXPECT_DOUBLE_EQ(cumulative_sample(rounds, all_rows(rounds), temperatures, 3).prediction[0], expected);
}

TEST(CumulativeSample, LeavesOutRoundsWhoseConfidenceIsNotKnown) {
  const float missing = std::nanf("");
  const Rounds rounds =
      rounds_of(2, {{missing, 0.8f}, {0.4f, missing}, {0.5f, 0.5f}}, {{2, 2}, {2, 2}, {2, 0}});
  EXPECT_EQ(cumulative_sample(rounds, all_rows(rounds), {}, 1).label, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(cumulative_sample(rounds, all_rows(rounds), {}, 2).label, (std::vector<std::uint8_t>{0}));
  Rounds none = rounds;
  none.confidence.clear();
  EXPECT_TRUE(cumulative_sample(none, all_rows(none), {}, 1).label.empty());
  EXPECT_TRUE(conditional_sample(none, all_rows(none), {}, 1).label.empty());
  EXPECT_TRUE(fit_temperatures(none, all_rows(none)).empty());
}

TEST(ConditionalSample, UsesTheRoundsThatReachedKAndVerifiedIt) {
  const Rounds rounds = rounds_of(2, {{0.5f, 0.8f}, {0.4f, 0.9f}, {0.7f, 0.1f}, {0.2f, 0.3f}},
                                  {{2, 1}, {1, 1}, {2, 0}, {2, 2}});
  const auto second = conditional_sample(rounds, all_rows(rounds), {}, 2);
  EXPECT_EQ(second.label, (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(second.prediction, (std::vector<double>{static_cast<double>(0.8f), static_cast<double>(0.3f)}));
}

TEST(FitTemperatures, WithoutRoundsThereIsNone) {
  const Rounds rounds = rounds_of(2, {{0.5f, 0.8f}}, {{2, 1}});
  EXPECT_TRUE(fit_temperatures(rounds, {}).empty());
  EXPECT_TRUE(fit_temperatures(rounds, all_rows(rounds)).empty());  // fewer than 100
  EXPECT_EQ(fit_temperatures(rounds, all_rows(rounds), {.minimum_rounds = 1}).size(), 2u);
}

TEST(FitTemperatures, StopsWhereTooFewRoundsWereVerified) {
  SyntheticRounds truth;
  truth.rounds = 2000;
  const Rounds rounds = cut_by_survival(truth.make(), 0.55, 0.55);
  const auto count = cumulative_sample(rounds, all_rows(rounds), {}, 4).label.size();
  EXPECT_EQ(fit_temperatures(rounds, all_rows(rounds), {.minimum_rounds = static_cast<int>(count)}).size(),
            4u);
  EXPECT_EQ(
      fit_temperatures(rounds, all_rows(rounds), {.minimum_rounds = static_cast<int>(count) + 1}).size(), 3u);
}

TEST(FitTemperatures, TiesGoToTheTemperatureNearestOne) {
  // σ(0) = 0.5 at every T: all are equal.
  const Rounds half = rounds_of(1, std::vector(200, std::vector{0.5f}), std::vector(200, std::pair{1, 0}));
  EXPECT_EQ(fit_temperatures(half, all_rows(half)), std::vector<double>{1});
  // 0 and 1 move at no T either.
  const Rounds ends = rounds_of(1, std::vector(200, std::vector{1.0f}), std::vector(200, std::pair{1, 0}));
  EXPECT_EQ(fit_temperatures(ends, all_rows(ends)), std::vector<double>{1});
}

TEST(FitTemperatures, ReachesTheEndsOfTheGrid) {
  // c = 0.6 and all accepted: the surer the better. c = 0.9 and half accepted: the less sure the better.
  const Rounds sure = rounds_of(1, std::vector(200, std::vector{0.6f}), std::vector(200, std::pair{1, 1}));
  EXPECT_EQ(fit_temperatures(sure, all_rows(sure)), std::vector<double>{1.0 / 16});
  std::vector<std::pair<int, int>> alternating;
  for (int i = 0; i < 200; ++i) alternating.emplace_back(1, i % 2);
  const Rounds unsure = rounds_of(1, std::vector(200, std::vector{0.9f}), alternating);
  EXPECT_EQ(fit_temperatures(unsure, all_rows(unsure)), std::vector<double>{16});
}

TEST(FitTemperatures, FindsTheGridPointThatMinimisesTheError) {
  // One confidence, one bin's worth of labels: ECE = |a - frequency|, least where σ(logit 0.9 / T) = 0.75,
  // that is T = ln 9 / ln 3 = 2, which is on the grid.
  std::vector<std::pair<int, int>> labels;
  for (int i = 0; i < 400; ++i) labels.emplace_back(1, i % 4 != 0);
  const Rounds rounds = rounds_of(1, std::vector(400, std::vector{0.9f}), labels);
  EXPECT_EQ(fit_temperatures(rounds, all_rows(rounds)), std::vector<double>{2});
}

TEST(FitTemperatures, LaterPositionsBuildOnTheTemperaturesBeforeThem) {
  // Position 1 as above: 0.9 becomes 0.75. At 2, half of all rounds are accepted, so c_2' = 2/3 is wanted:
  // T_2 = ln 9 / ln 2 = 3.17.
  std::vector<std::pair<int, int>> labels;
  for (int i = 0; i < 400; ++i) labels.emplace_back(2, i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : 2);
  const Rounds rounds = rounds_of(2, std::vector(400, std::vector{0.9f, 0.9f}), labels);
  const auto fitted = fit_temperatures(rounds, all_rows(rounds));
  EXPECT_EQ(fitted[0], 2);
  EXPECT_NEAR(std::log(fitted[1]), std::log(std::log(9.0) / std::log(2.0)), std::log(2.0) / 64);
}

TEST(FitTemperatures, DependsOnTheChosenRowsAlone) {
  SyntheticRounds truth;
  truth.rounds = 4000;
  truth.temperature = {2, 1, 1, 0.7};
  const Rounds rounds = truth.make();
  const auto even = rows_of_requests(rounds, false);
  const auto fitted = fit_temperatures(rounds, even);
  Rounds changed = rounds;
  for (const std::uint32_t row : rows_of_requests(rounds, true)) changed.accepted[row] = 0;
  EXPECT_EQ(fit_temperatures(changed, even), fitted);
  EXPECT_NE(fit_temperatures(changed, all_rows(changed)), fitted);
}

}  // namespace
}  // namespace dspark
