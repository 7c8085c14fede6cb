#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

const std::string kFolder = DSPARK_SOURCE_DIR "/tests/bad_input";

/// tests/bad_input/expected.txt is a transcript: `$ arguments of dspark`, then what it prints. Every command
/// must fail with exit code 2 and print exactly that. `DSPARK_APPROVE=1` writes what is printed now; read the
/// difference.
struct Case {
  std::string arguments;
  std::string expected;
};

std::vector<Case> read_cases() {
  std::ifstream file(kFolder + "/expected.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("$ ")) {
      cases.push_back({line.substr(2), {}});
    } else if (!cases.empty()) {
      cases.back().expected += line + "\n";
    }
  }
  return cases;
}

/// The transcript in parts, which tests run side by side.
constexpr int kParts = 4;
class BadInputPart : public ::testing::TestWithParam<int> {};

TEST_P(BadInputPart, EveryBrokenFileGivesItsError) {
  const bool approve = std::getenv("DSPARK_APPROVE") != nullptr;
  if (approve && GetParam() > 0) GTEST_SKIP() << "the first part approves all";
  std::vector<Case> cases = read_cases();
  std::string approved;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!approve && static_cast<int>(i) % kParts != GetParam()) continue;
    const Case& c = cases[i];
    const ProgramRun run = run_program(kFolder, c.arguments);
    EXPECT_EQ(run.code, 2) << "dspark " << c.arguments << "\n" << run.output;
    EXPECT_EQ(run.output, c.expected) << "cd tests/bad_input && dspark " << c.arguments;
    approved += "$ " + c.arguments + "\n" + run.output;
  }
  if (approve) std::ofstream(kFolder + "/expected.txt") << approved;
}
INSTANTIATE_TEST_SUITE_P(BadInput, BadInputPart, ::testing::Range(0, kParts));

TEST(BadInput, EveryBrokenFileIsInTheTranscriptAndThereAreManyOfThem) {
  std::string transcript;
  for (const Case& c : read_cases()) transcript += c.arguments + "\n";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name == "expected.txt" || name == "cost.csv") continue;  // cost.csv is the valid one
    EXPECT_NE(transcript.find(name), std::string::npos) << name;
    ++files;
  }
  EXPECT_GE(files, 40u);
}

TEST(BadInput, TheFileThatTheCasesStartFromIsValid) {
  const ProgramRun run = run_program(kFolder, "check base.yaml");
  EXPECT_EQ(run.code, 0) << run.output;
}

}  // namespace
}  // namespace dspark
