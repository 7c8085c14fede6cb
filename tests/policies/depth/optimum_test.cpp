// The best that any lossless rule can do in small cases, by search over all of them: of one step, where
// Algorithm 1 reaches it if step time is convex; and of a long run, where it does not.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/policies/depth/decision_rules.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::best_long_run_rate;
using testing::best_one_step_rate;
using testing::every_rule;
using testing::played;
using testing::policy;
using testing::SmallStep;
using testing::table_cost;
using testing::Worth;
using testing::written;
using testing::written_map;

constexpr double kRounding = 1e-6;  // confidences and survivals are float

/// T(n) = 1 + c·n for n draft tokens.
StepCost linear(int requests, double c) { return affine_cost(1 - c * requests, c); }

/// Convex, and growing faster than a line: the first two draft tokens cost c each, further ones 3·c.
StepCost bent(int requests, int block_size, double c) {
  std::vector<CostTable::Point> points;
  for (int n = 0; n <= requests * block_size; ++n)
    points.push_back({static_cast<double>(requests + n), 1 + c * (n + 2 * std::max(0, n - 2))});
  return table_cost(std::move(points));
}

std::vector<SmallStep> convex_cases() {
  std::vector<SmallStep> cases;
  for (const auto& values : {std::vector<float>{1, 0.45f}, {0.9f, 0.5f}, {0.95f, 0.05f}}) {
    for (const int requests : {1, 2}) {
      for (int gamma = 1; gamma <= 3; ++gamma) {
        for (const double c : {0.05, 0.2, 0.4}) {
          cases.push_back({requests, gamma, values, linear(requests, c)});
          cases.push_back({requests, gamma, values, bent(requests, gamma, c)});
        }
      }
    }
  }
  return cases;
}

TEST(OneStepOptimum, IsWhatAlgorithm1ReachesWhereCostsAreConvex) {
  for (const SmallStep& step : convex_cases()) {
    const double best = best_one_step_rate(step);
    EXPECT_NEAR(played(*policy("dspark", written_map({{"cost", written("staircase")}})), step).rate, best,
                kRounding * best)
        << step.requests << " requests, block " << step.block_size;
  }
}

TEST(OneStepOptimum, IsExceededByNoLosslessPolicyAndByTheOracle) {
  for (const SmallStep& step : convex_cases()) {
    const double best = best_one_step_rate(step);
    for (const DepthPolicyEntry& entry : depth_policies()) {
      Parameters parameters = Parameters::describing();
      const auto rule = entry.construct(parameters);
      if (!rule->traits().lossless || rule->traits().deepest > step.block_size) continue;
      EXPECT_LE(played(*rule, step).rate, best * (1 + kRounding)) << entry.name;
    }
    EXPECT_GT(played(*policy("oracle"), step).rate, best * (1 + kRounding)) << "foresight must show";
  }
}

/// The planted cost: a jump in front of a flat stretch traps the early stop.
TEST(OneStepOptimum, IsMissedByAlgorithm1WhereCostsJump) {
  const SmallStep step{1, 3, {0.9f, 0.8f}, table_cost({{1, 1}, {4, 2}, {5, 3}})};
  const auto trapped = policy("dspark", written_map({{"cost", written("staircase")}}));
  EXPECT_LT(played(*trapped, step).rate, 0.9 * best_one_step_rate(step));
}

TEST(OneStepOptimum, OfOneRequestIsTheBestOfAllRulesListed) {
  for (const SmallStep& step : convex_cases()) {
    if (step.requests != 1) continue;
    // A rule chooses for each value that the first token shows; long runs mix these choices in one ratio.
    double one_step = 0, long_run = 0;
    std::vector<Worth> rules{{}};
    for (const float c : step.values) {
      std::vector<Worth> combined;
      for (const Worth& worth : rules) {
        for (const Worth& then : every_rule(step, 0, 1, static_cast<double>(c))) {
          combined.push_back(
              {worth.rate + then.rate / 2, worth.tokens + then.tokens / 2, worth.seconds + then.seconds / 2});
        }
      }
      rules = std::move(combined);
    }
    for (const Worth& rule : rules) {
      one_step = std::max(one_step, rule.rate);
      long_run = std::max(long_run, rule.long_run());
    }
    EXPECT_EQ(rules.size(), step.block_size == 1 ? 4u : step.block_size == 2 ? 25u : 676u);
    EXPECT_NEAR(best_one_step_rate(step), one_step, 1e-12);
    EXPECT_NEAR(best_long_run_rate(step), long_run, 1e-12);
  }
}

TEST(LongRunOptimum, OfTheWorkedExampleAdmitsOnlyTheCertainToken) {
  const SmallStep step{1, 1, {1, 0.45f}, linear(1, 0.4)};
  EXPECT_NEAR(played(*policy("dspark"), step).long_run(), (1 + (1 + 0.45) / 2) / 1.4, kRounding);
  EXPECT_NEAR(best_long_run_rate(step), (1 + 0.5) / ((1 + 1.4) / 2), kRounding);
  const auto certain = policy("threshold", {}, written("0.9"));
  EXPECT_NEAR(played(*certain, step).long_run(), 1.25, kRounding);
}

/// Rows of docs/long_run_optimum.md.
std::string table_row(const SmallStep& step, double c) {
  const double greedy = played(*policy("dspark"), step).long_run(), best = best_long_run_rate(step);
  char row[160];
  std::snprintf(row, sizeof row, "| %d | %d | %g | %.2g, %.2g | %.4f | %.4f | %.2f %% |", step.requests,
                step.block_size, c, static_cast<double>(step.values[0]), static_cast<double>(step.values[1]),
                greedy, best, std::max(0.0, 100 * (best / greedy - 1)));
  return row;
}

TEST(LongRunOptimum, LiesAboveAlgorithm1ByWhatThePageSays) {
  std::ifstream file(std::string(DSPARK_SOURCE_DIR) + "/docs/long_run_optimum.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& values : {std::vector<float>{1, 0.45f}, {0.9f, 0.5f}}) {
    for (const int requests : {1, 2}) {
      for (int gamma = 1; gamma <= 3; ++gamma) {
        for (const double c : {0.1, 0.4}) {
          const SmallStep step{requests, gamma, values, linear(requests, c)};
          const std::string row = table_row(step, c);
          std::printf("%s\n", row.c_str());
          EXPECT_NE(page.find(row), std::string::npos) << "docs/long_run_optimum.md lacks " << row;
          EXPECT_GE(best_long_run_rate(step), played(*policy("dspark"), step).long_run() * (1 - kRounding));
        }
      }
    }
  }
}

}  // namespace
}  // namespace dspark
