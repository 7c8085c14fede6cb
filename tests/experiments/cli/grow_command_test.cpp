#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kExamples = DSPARK_SOURCE_DIR "/experiments/examples";

ProgramRun grow(const std::string& arguments) {
  return run_program(kExamples, "grow growth.yaml " + arguments);
}

TEST(GrowCommand, TheExampleHasThreePathsOfItsEpochs) {
  const ProgramRun ran = grow("--json");
  ASSERT_EQ(ran.code, 0) << ran.output;
  const auto found = nlohmann::json::parse(ran.output);
  EXPECT_EQ(found["broken"], "");
  for (const char* path : {"with_policy", "without_policy", "engineering"})
    EXPECT_EQ(found[path].size(), 21u) << path;
  EXPECT_EQ(found["resources"].size(), 21u);
  EXPECT_TRUE(found["resources"][0]["gpu_hours"]["rebound"].is_null());
  const auto& all = found["in_all"]["gpu_hours"];
  EXPECT_LT(all["engineering"], all["with_policy"]);
  EXPECT_LT(all["with_policy"], all["without_policy"]);
  const auto& last = found["with_policy"][20];
  double tokens = 62500;  // weighted, at the baseline
  for (const auto& [channel, part] : last["demanded_tokens_by_channel"].items()) tokens += part.get<double>();
  EXPECT_NEAR(tokens, last["tokens_per_second"].get<double>() + last["lost_tokens_per_second"].get<double>(),
              1e-3);
}

TEST(GrowCommand, TablesAndLinesSayTheSame) {
  EXPECT_THAT(grow("").output, AllOf(HasSubstr("GPU-years"), HasSubstr("growth of the segments"),
                                     HasSubstr("What this rests on")));
  const ProgramRun csv = grow("--csv");
  std::istringstream lines(csv.output);
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 22) << line;
  }
  EXPECT_EQ(count, 1 + 3 * 21);
}

TEST(GrowCommand, APathThatTurnsRequestsAwaySaysHowMany) {
  const ProgramRun ran = grow("--set growth.most_gpus=80 --json");
  const auto found = nlohmann::json::parse(ran.output);
  EXPECT_GT(found["with_policy"][20]["lost_tokens_per_second"], 0);
  EXPECT_LE(found["with_policy"][20]["gpus"], 80 + 1e-9);
}

}  // namespace
}  // namespace dspark
