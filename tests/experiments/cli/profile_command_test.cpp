// `dspark profile` of a tiny model, and what it writes run by `dspark run`.
#include <gtest/gtest.h>

#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

const std::string kModel = DSPARK_SOURCE_DIR "/tests/executor/model/data/qwen3_tied";
const std::string kSmall = " --tokens 1,2,8 --requests 1,4 --context 16,48 --repeats 2 --threads 1";

ProgramRun profile(const ScratchFolder& scratch, const std::string& more) {
  return run_program(scratch.path(), "profile --model '" + kModel + "' --output p" + kSmall + more);
}

TEST(ProfileCommand, WritesAnExperimentThatRunsOnBothMachines) {
  const ScratchFolder scratch;
  const ProgramRun made = profile(scratch, " --drafter ngram --block-size 3");
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_NE(made.output.find("8 points (0 left out"), std::string::npos) << made.output;
  EXPECT_NE(made.output.find("drift"), std::string::npos);
  for (const std::string use : {"modelled", "executor"}) {
    const ProgramRun run = run_program(
        scratch.path(), "run p/experiment.yaml --quiet --set replications=1 --set machine.use=" + use +
                            " --out " + use + ".h5");
    EXPECT_EQ(run.code, 0) << run.output;
  }
}

TEST(ProfileCommand, KeepsAProfileUnlessItIsToReplaceIt) {
  const ScratchFolder scratch;
  ASSERT_EQ(profile(scratch, "").code, 0);
  const std::string before = read_bytes(scratch / "p/profile.csv");
  const ProgramRun refused = profile(scratch, "");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.output.find("is there already (--force replaces a profile)"), std::string::npos);
  EXPECT_EQ(read_bytes(scratch / "p/profile.csv"), before);
  EXPECT_EQ(profile(scratch, " --force").code, 0);
  EXPECT_NE(read_bytes(scratch / "p/profile.csv"), before);
}

/// Policies that verify drafts would be predicted from a placeholder.
TEST(ProfileCommand, AnExperimentThatDraftsNeedsToKnowHowDraftsFare) {
  const ScratchFolder scratch;
  write_bytes(scratch / "like.yaml",
              "schema: 1\nmachine: {use: executor, executor: {drafter: ngram, block_size: 3}}\n"
              "engine: {max_num_seqs: 4}\n"
              "workload: {arrivals: {closed_loop: {users: 1}}, prompt_tokens: {fixed: 8}, output_tokens: "
              "{fixed: 8}}\n"
              "policy: dspark\nstop: {requests: 2, warmup_requests: 0}\n");
  const ProgramRun unsaid = profile(scratch, " --experiment like.yaml");
  EXPECT_EQ(unsaid.code, 2);
  EXPECT_NE(unsaid.output.find("how the drafts of the experiment's policies fare"), std::string::npos)
      << unsaid.output;
  const ProgramRun said = profile(scratch, " --experiment like.yaml --acceptance llama31-8b/ngram/gsm8k");
  EXPECT_EQ(said.code, 0) << said.output;
}

TEST(ProfileCommand, PointsThatDoNotFitAreLeftOut) {
  const ScratchFolder scratch;
  const ProgramRun made = profile(scratch, " --kv-blocks 9");
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_NE(made.output.find("7 points (1 left out, which do not fit into 9 KV blocks)"), std::string::npos)
      << made.output;
}

}  // namespace
}  // namespace dspark
