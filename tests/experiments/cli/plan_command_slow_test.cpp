#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

using testing::HasSubstr;

const std::string kExample = "plan experiments/examples/plan.yaml --no-cache --quiet ";

nlohmann::json plan_of(const std::string& arguments) {
  const ProgramRun ran = run_program(DSPARK_SOURCE_DIR, kExample + "--json " + arguments);
  EXPECT_EQ(ran.code, 0) << ran.output;
  return nlohmann::json::parse(ran.output, nullptr, false);
}

TEST(PlanExample, ThePagesShowWhatTheExamplePrints) {
  const ProgramRun ran = run_program(DSPARK_SOURCE_DIR, kExample);
  EXPECT_EQ(ran.code, 0);
  for (const char* name : {"/README.md", "/docs/planning.md"}) {
    std::ifstream page(DSPARK_SOURCE_DIR + std::string(name));
    const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
    const bool whole = name != std::string("/README.md");
    EXPECT_THAT(text, HasSubstr(whole ? ran.output : ran.output.substr(0, ran.output.find("\nThe others"))));
    EXPECT_THAT(text, HasSubstr("dspark plan experiments/examples/plan.yaml"));
  }
  std::ifstream example(DSPARK_SOURCE_DIR "/experiments/examples/plan.yaml");
  int lines = 0;
  for (std::string line; std::getline(example, line);) ++lines;
  EXPECT_LE(lines, 30);
}

TEST(PlanExample, OfTheMeasuredMachineIsThatOfBruteForce) {
  const auto pruned = plan_of(""), brute = plan_of("--exhaustive");
  for (const char* key : {"best", "runner_up", "baseline", "expected_demand"})
    EXPECT_EQ(pruned[key], brute[key]) << key;
  EXPECT_LT(pruned["replications"], brute["replications"]);
  // What was pruned really needs at least what is said.
  for (const auto& other : pruned["others"]) {
    for (const auto& whole : brute["others"]) {
      if (whole["policy"] == other["policy"] && whole["max_num_seqs"] == other["max_num_seqs"]) {
        EXPECT_GE(whole["least_gpus"], other["least_gpus"]) << other.dump() << whole.dump();
      }
    }
  }
}

}  // namespace
}  // namespace dspark
