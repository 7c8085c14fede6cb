#include <gtest/gtest.h>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

ProgramRun check(const std::string& arguments) { return run_program("/tmp", "check-lossless " + arguments); }

TEST(CheckLosslessCommand, AnswersByTextAndExitCode) {
  const ProgramRun kept = check("--policy fixed:2 --signal confidence");
  EXPECT_EQ(kept.code, 0) << kept.output;
  EXPECT_NE(kept.output.find("fixed:2, confidence: proved"), std::string::npos) << kept.output;

  const ProgramRun exposed = check("--policy '{tetris: {capacity_per_request: 1}}' --signal top1");
  EXPECT_EQ(exposed.code, 1) << exposed.output;
  EXPECT_NE(exposed.output.find("exposed; it says so"), std::string::npos) << exposed.output;
  EXPECT_NE(exposed.output.find("two drafts that agree"), std::string::npos) << exposed.output;

  const ProgramRun idle = check("--policy none --signal margin");
  EXPECT_EQ(idle.code, 0) << idle.output;
  EXPECT_NE(idle.output.find("not applicable: reads no confidence"), std::string::npos) << idle.output;
}

TEST(CheckLosslessCommand, SaysWhatIsWrongWithItsArguments) {
  const ProgramRun unknown = check("--policy dsparc");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.output.find("there is no policy 'dsparc'"), std::string::npos) << unknown.output;
  EXPECT_EQ(check("").code, 2);
  EXPECT_EQ(check("--policy dspark --signal confidense").code, 2);
  EXPECT_EQ(check("--policy '{fixed: {kk: 3}}'").code, 2);
  EXPECT_EQ(check("--policy '{fixed: '").code, 2);
}

}  // namespace
}  // namespace dspark
