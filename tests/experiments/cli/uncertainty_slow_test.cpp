#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

TEST(UncertaintyPage, ShowsWhatTheExamplePrints) {
  std::ifstream page(DSPARK_SOURCE_DIR "/docs/demand.md");
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const ProgramRun ran = run_program(DSPARK_SOURCE_DIR "/experiments/examples",
                                     "equilibrium uncertain_demand.yaml --draws 10000");
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(text.find(ran.output) != std::string::npos) << ran.output;
}

}  // namespace
}  // namespace dspark
