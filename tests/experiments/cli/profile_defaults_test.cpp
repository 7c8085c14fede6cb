// What `dspark profile` measures where its command line leaves it open.
#include "experiments/cli/profile_defaults.h"

#include <gmock/gmock.h>

#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

using testing::ElementsAre;

Value experiment(const std::string& text) {
  const auto value = read_yaml(text, "like.yaml");
  EXPECT_TRUE(value);
  return *value;
}

TEST(ProfileDefaults, WithoutAnExperimentAreTheUsual) {
  ProfileCommandOptions options;
  options.model = "m";
  const auto whole = completed(options, {}, "");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->drafter, "none");
  EXPECT_EQ(whole->block_size, 7);
  EXPECT_EQ(whole->weights, "auto");
  EXPECT_EQ(whole->threads, 0);
  EXPECT_EQ(whole->temperature, 0.0);
  EXPECT_EQ(whole->sizes.tokens, ProfileSizes{}.tokens);
  EXPECT_EQ(whole->sizes.requests, ProfileSizes{}.requests);
  EXPECT_EQ(whole->sizes.context_tokens, ProfileSizes{}.context_tokens);
  options.model.clear();
  EXPECT_FALSE(completed(options, {}, ""));
}

TEST(ProfileDefaults, ComeFromTheExperiment) {
  const Value like = experiment(R"(
machine: {executor: {target: ../t, drafter: d, block_size: 3, weights: f32, threads: 2}}
engine: {max_num_seqs: 6, max_num_batched_tokens: 20}
workload: {prompt_tokens: {fixed: 10}, output_tokens: {fixed: 20}}
)");
  const auto whole = completed({}, like, "/a/b");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->model, "/a/t");
  EXPECT_EQ(whole->drafter, "/a/b/d");
  EXPECT_EQ(whole->block_size, 3);
  EXPECT_EQ(whole->weights, "f32");
  EXPECT_EQ(whole->threads, 2);
  EXPECT_EQ(whole->temperature, 1.0) << "a workload's default";
  EXPECT_THAT(whole->sizes.requests, ElementsAre(1, 2, 4, 6));
  EXPECT_THAT(whole->sizes.tokens, ElementsAre(1, 2, 4, 8, 16, 20)) << "fewer than 6 blocks of 4 rows";
  EXPECT_THAT(whole->sizes.context_tokens, ElementsAre(10, 20, 31));
}

TEST(ProfileDefaults, TakeContextsFromWhereMostLengthsLie) {
  const auto contexts = [](const std::string& workload) {
    return completed({}, experiment("machine: {executor: {target: t}}\nworkload: " + workload), "")
        ->sizes.context_tokens;
  };
  // A tenth is shorter than 100 exp(-1.2816 * 0.5) = 52.7, a tenth longer than 189.8.
  EXPECT_THAT(contexts("{prompt_tokens: {lognormal: {median: 100, sigma: 0.5}}, output_tokens: {fixed: 20}}"),
              ElementsAre(53, 110, 211));
  EXPECT_THAT(
      contexts(
          "{prompt_tokens: {fixed: 10}, output_tokens: {lognormal: {median: 100, sigma: 0.5, max: 150}}}"),
      ElementsAre(10, 60, 161));
  for (const char* other : {"{empirical: {file: f, column: c}}", "{lognormal: {median: 0, sigma: 1}}",
                            "{lognormal: {median: 8, sigma: 6}}", "{fixed: 0.5}", "{fixed: -3}"}) {
    EXPECT_EQ(contexts(std::string("{prompt_tokens: {fixed: 10}, output_tokens: ") + other + "}"),
              ProfileSizes{}.context_tokens)
        << other;
  }
}

TEST(ProfileDefaults, GiveWayToTheCommandLine) {
  const Value like = experiment(R"(
machine: {executor: {target: t, drafter: ngram, block_size: 3, threads: 2}}
engine: {max_num_seqs: 6}
workload: {temperature: 0.5}
)");
  ProfileCommandOptions options;
  options.model = "m";
  options.drafter = "none";
  options.threads = 1;
  options.sizes.requests = {5};
  options.temperature = 0;
  const auto whole = completed(options, like, "");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->model, "m");
  EXPECT_EQ(whole->drafter, "none");
  EXPECT_EQ(whole->threads, 1);
  EXPECT_EQ(whole->temperature, 0.0);
  EXPECT_THAT(whole->sizes.requests, ElementsAre(5));
  EXPECT_THAT(whole->sizes.tokens, ElementsAre(1, 2, 4, 6)) << "nobody drafts";
  options.temperature.reset();
  EXPECT_EQ(completed(options, like, "")->temperature, 0.5);
}

}  // namespace
}  // namespace dspark
