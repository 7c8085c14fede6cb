// A profile that was never measured, written and read back by what reads experiments and results.
#include "experiments/profile/profile_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "experiments/profile/replaced_folder.h"
#include "experiments/results/hdf5_file.h"
#include "experiments/schema/yaml_reader.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

/// Steps of 4 ms + 0.5 ms a row + 0.1 ms a request + 1 µs for each token attended to.
Profile planted_profile(int block_size) {
  Profile profile;
  std::vector<CostPoint> costs;
  for (const int tokens : {1, 2, 4, 8}) {
    for (const int requests : {1, 4}) {
      for (const int context : {16, 512}) {
        if (requests > tokens) continue;
        const ProfilePoint point{tokens, requests, context};
        const double seconds = 4e-3 + 5e-4 * tokens + 1e-4 * requests + 1e-6 * point.attended_tokens();
        profile.points.push_back(point);
        profile.verify.points.push_back({seconds, 0.9 * seconds, 0.02, 3});
        costs.push_back({tokens, requests, point.attended_tokens(), seconds});
      }
    }
  }
  profile.fit = fit_verify_cost(costs);
  profile.step_overhead_seconds = 2e-4;
  profile.noise = 0.02;
  if (block_size == 0) return profile;
  profile.draft = {{1, {1e-3, 9e-4, 0.1, 6}}, {4, {2e-3, 19e-4, 0.1, 6}}};
  profile.draft_table = {{1, 1e-3}, {4, 2e-3}};
  profile.idle_drafter_tax = 0.125;
  return profile;
}

ProfileFacts facts(const std::string& drafter, int block_size) {
  ProfileFacts facts;
  facts.cpu = "a processor";
  facts.machine = "cpu, avx2, 1 threads";
  facts.cores = facts.threads = 1;
  facts.model = "tiny";
  facts.target = DSPARK_SOURCE_DIR "/tests/executor/model/data/qwen3_tied";
  facts.weights = "f32";
  facts.drafter = {.what = drafter, .block_size = block_size};
  facts.kv_blocks = 200;
  facts.block_tokens = 16;
  return facts;
}

/// The profile's folder, and its experiment.
struct Written {
  explicit Written(const std::string& drafter = "none", int block_size = 0,
                   const std::string& acceptance = "", const std::vector<std::string>& set = {})
      : Written(drafter, block_size, ProfiledTraffic{.acceptance = acceptance}, set) {}
  Written(const std::string& drafter, int block_size, const ProfiledTraffic& traffic,
          const std::vector<std::string>& set = {}) {
    const auto made = profile_files(planted_profile(block_size), facts(drafter, block_size), traffic, folder);
    EXPECT_TRUE(made);
    files = *made;
    EXPECT_FALSE(write_folder_atomically(folder, files));
    Errors errors;
    experiment = read_experiment(folder + "/experiment.yaml", set, errors);
    for (const Error& error : errors) ADD_FAILURE() << to_string(error) << "\n" << files["experiment.yaml"];
  }
  ScratchFolder scratch;
  std::string folder = scratch / "profile";
  ProfileFiles files;
  std::optional<Experiment> experiment;
};

double metric(const Experiment& experiment, std::size_t point, const std::string& name) {
  const auto result = experiment.points.at(point).scenario->run(1, 0, nullptr, nullptr);
  EXPECT_TRUE(result);
  for (const MetricValue& value : result->metrics) {
    if (value.name == name) return value.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return 0;
}

TEST(ProfileFiles, TheModelledMachineCostsWhatWasMeasured) {
  const Written written;
  ASSERT_TRUE(written.experiment);
  ASSERT_EQ(written.experiment->points.size(), 2u) << "policy none with 1 and 4 users";
  // With one user the reply's tokens 2 .. 64 are steps of one row behind 64 .. 126 tokens: on average 96 that
  // the row attends to.
  const double seconds = 4e-3 + 5e-4 + 1e-4 + 1e-6 * 96 + 2e-4;
  EXPECT_NEAR(metric(*written.experiment, 0, "user_speed_mean") * seconds, 1, 1e-6);
}

TEST(ProfileFiles, APresetBringsPoliciesThatVerifyDrafts) {
  const Written written("ngram", 7, "llama31-8b/ngram/gsm8k");
  ASSERT_TRUE(written.experiment);
  EXPECT_EQ(written.experiment->points.size(), 6u) << "three policies with 1 and 4 users";
  EXPECT_GT(metric(*written.experiment, 2, "accepted_length"), 1);
  const Written shorter("ngram", 4, "llama31-8b/ngram/gsm8k");
  ASSERT_TRUE(shorter.experiment);
  EXPECT_NE(shorter.files.at("experiment.yaml").find("survival: [0.0747, "), std::string::npos);
}

/// Traffic, policies and prompts of another experiment, drafts of recorded rounds.
TEST(ProfileFiles, TakesTheTrafficOfAnotherExperimentAndRecordedRounds) {
  const auto like = read_yaml(R"(
schema: 1
title: "Another: traffic"
seed: 11
replications: 2
machine: {use: executor, executor: {prompts: text.txt, prompts_by_line: true, kv: {blocks: 99, block_tokens: 8}}}
engine: {max_num_seqs: 3}
workload: {arrivals: {closed_loop: {users: 2}}, prompt_tokens: {fixed: 8}, output_tokens: {fixed: 16}}
policy: dspark
sweep: {grid: {policy: [none, fixed:2], workload.arrivals.closed_loop.users: [1, 2, 3]}}
stop: {requests: 8, warmup_requests: 2}
)",
                              "like.yaml");
  ASSERT_TRUE(like) << to_string(like.error());
  const ScratchFolder recorded;
  std::ofstream(recorded / "rounds.csv") << "request,round,drafted,verified,accepted,margin_1,margin_2\n"
                                            "0,0,2,2,1,0.5,0.25\n0,1,2,2,2,1.5,0.75\n";
  const Written written(
      "ngram", 2,
      ProfiledTraffic{.rounds = recorded / "rounds.csv", .like = *like, .like_folder = "/somewhere"});
  const std::string& yaml = written.files.at("experiment.yaml");
  ASSERT_TRUE(written.experiment) << yaml;
  EXPECT_EQ(written.experiment->points.size(), 6u);
  EXPECT_EQ(written.experiment->seed, 11u);
  EXPECT_EQ(written.experiment->title, "Another: traffic");
  for (const char* line :
       {"somewhere/text.txt\"\n    prompts_by_line: true\n", "    kv: {blocks: 99, block_tokens: 8}\n",
        "confidence: margin_estimator", "rounds.csv"})
    EXPECT_NE(yaml.find(line), std::string::npos) << line << "\n" << yaml;
}

/// An acceptance that the other experiment forces on the real machine is that of the modelled one, too.
TEST(ProfileFiles, KeepsAForcedAcceptance) {
  const auto like = read_yaml(R"(
schema: 1
machine: {use: executor, executor: {acceptance: {rounds: {file: data/tiny_pair_rounds.csv}}}}
engine: {max_num_seqs: 3}
workload: {arrivals: {closed_loop: {users: 2}}, prompt_tokens: {fixed: 8}, output_tokens: {fixed: 16}}
policy: fixed:2
stop: {requests: 8, warmup_requests: 2}
)",
                              "like.yaml");
  ASSERT_TRUE(like) << to_string(like.error());
  const ProfiledTraffic traffic{.like = *like, .like_folder = DSPARK_SOURCE_DIR "/experiments"};
  for (const char* use : {"modelled", "executor"}) {
    const Written written("ngram", 7, traffic, {std::string("machine.use=") + use});
    ASSERT_TRUE(written.experiment) << written.files.at("experiment.yaml");
    const std::string& yaml = written.files.at("experiment.yaml");
    EXPECT_EQ(yaml.find("tiny_pair_rounds.csv") != yaml.rfind("tiny_pair_rounds.csv"), true) << yaml;
    EXPECT_EQ(yaml.find("margin_estimator"), std::string::npos) << "the rounds have confidences";
  }
}

TEST(ProfileFiles, TheRealMachineBelievesTheSameTables) {
  const Written written("ngram", 4, "", {"machine.use=executor"});
  ASSERT_TRUE(written.experiment);
  EXPECT_TRUE(written.experiment->points.at(0).scenario->is_measured());
}

TEST(ProfileFiles, TheResultFileHoldsTablesAndFacts) {
  const Written written("ngram", 4);
  const auto file = read_result_file(written.folder + "/profile.h5");
  ASSERT_TRUE(file) << to_string(file.error());
  EXPECT_EQ(file->text("kind"), "profile");
  EXPECT_EQ(file->text("cpu"), "a processor");
  const Profile profile = planted_profile(4);
  const Table& points = file->table("points");
  ASSERT_EQ(points.rows(), profile.points.size());
  for (std::size_t i = 0; i < profile.points.size(); ++i) {
    EXPECT_EQ(points.integers("tokens")[i], profile.points[i].tokens);
    EXPECT_EQ(points.numbers("median_ms")[i], 1e3 * profile.verify.points[i].median);
    EXPECT_NEAR(points.numbers("residual")[i], 0, 1e-9);
  }
  EXPECT_EQ(file->table("draft_cost").numbers("draft_ms"), (Numbers{1, 2}));
}

TEST(ProfileFiles, EqualProfilesGiveEqualBytes) {
  const auto once = profile_files(planted_profile(4), facts("ngram", 4), {}, "/somewhere");
  const auto again = profile_files(planted_profile(4), facts("ngram", 4), {}, "/somewhere");
  ASSERT_TRUE(once && again);
  EXPECT_EQ(*once, *again);
  for (const auto& [name, bytes] : *once) EXPECT_TRUE(is_profile_file(name)) << name;
}

}  // namespace
}  // namespace dspark
