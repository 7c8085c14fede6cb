#include <gmock/gmock.h>

#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

TEST(SimulatedMarketExample, ThePageShowsWhatItPrints) {
  const ScratchFolder scratch;
  const ProgramRun run = run_program(DSPARK_SOURCE_DIR "/experiments/examples",
                                     "equilibrium simulated_market.yaml --cache " + scratch.path(), "2>&-");
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(read_bytes(DSPARK_SOURCE_DIR "/docs/demand.md"), testing::HasSubstr(run.output));
}

}  // namespace
}  // namespace dspark
