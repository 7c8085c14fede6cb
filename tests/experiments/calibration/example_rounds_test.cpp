#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "sim/table/rounds_csv.h"
#include "tests/experiments/small_experiment.h"
#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

const std::string kPath = DSPARK_SOURCE_DIR "/experiments/data/example_rounds.csv";

/// 150 requests of 25 rounds from a drafter that is too sure of itself, as a policy cut them that verifies
/// while the raw survival is above what the load of the step allows. Three decimals, so that no library's
/// last bit shows.
std::string example_rounds() {
  SyntheticRounds truth;
  truth.seed = 2026;
  truth.rounds = 3750;
  truth.rounds_per_request = 25;
  truth.mean = {1.3, 1.0, 0.8, 0.7, 0.6};
  truth.temperature = {2.0, 1.7, 1.5, 1.3, 1.2};
  truth.bias = {0, 0, 0, 0, 0};
  Rounds rounds = truth.make();
  for (float& c : rounds.confidence) c = std::round(c * 1000) / 1000;
  rounds.acceptance.clear();
  rounds.domain_names = {"math", "code", "chat"};
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    rounds.domain[row] = static_cast<std::int32_t>(rounds.request[row] % 3);
  }
  rounds = cut_by_survival(rounds, 0, 0.25);
  std::int64_t anchor = 0;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (rounds.round[row] == 0) anchor = 100 + rounds.request[row];  // after the prompt
    rounds.anchor_position[row] = anchor;
    anchor += rounds.accepted[row] + 1;
  }
  return "# Synthetic rounds with a known truth: confidences distorted by temperatures 2, 1.7, 1.5, 1.3, "
         "1.2, "
         "cut by a threshold policy.\n"
         "# Made and checked by tests/experiments/calibration/example_rounds_test.cpp.\n" +
         rounds_csv(rounds);
}

TEST(ExampleRounds, TheFileThatShipsIsWhatTheGeneratorMakes) {
  const std::string made = example_rounds();
  if (std::getenv("DSPARK_APPROVE")) write_bytes(kPath, made);
  EXPECT_TRUE(read_bytes(kPath) == made)
      << "DSPARK_APPROVE=1 writes it anew; docs/calibration.md shows its output";
  EXPECT_LE(made.size(), 200'000u);
}

}  // namespace
}  // namespace dspark
