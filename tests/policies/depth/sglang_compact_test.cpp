#include <gmock/gmock.h>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using ::testing::Contains;
using testing::decisions_that_anticipate;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using testing::table_cost;
using testing::total;
using testing::written;
using testing::written_list;
using testing::written_map;

std::unique_ptr<DepthPolicy> on_table(std::vector<std::string> probes) {
  return policy("sglang_compact",
                written_map({{"cost", written("table_floor")}, {"probes", written_list(std::move(probes))}}));
}
std::unique_ptr<DepthPolicy> with_gain(const std::string& gain) {
  return policy("sglang_compact",
                written_map({{"lag", written("1")}, {"min_predicted_gain", written(gain)}}));
}
Blocks likely(int requests, int gamma) {
  Blocks blocks(requests, gamma);
  std::fill(blocks.confidence.begin(), blocks.confidence.end(), 0.9f);
  return blocks;
}

TEST(SglangCompact, TheFloorTableIsReadAtTheLargestProbeNotAbove) {
  // T = rows, read at 4 for 2..7 rows and at 8 for 8. All count as 1: 7 tokens in 4 s is best, five drafts.
  Scene scene(2, 3, affine_cost(0, 1));
  Blocks blocks = likely(2, 3);
  EXPECT_EQ(total(scene.decide(*on_table({"4", "8"}), blocks)), 5);
  EXPECT_EQ(total(scene.decide(*on_table({"2", "8"}), blocks)), 5);
  EXPECT_EQ(total(scene.decide(*on_table({"2", "5", "8"}), blocks)), 2) << "4/2 beats 7/5 and 8/8";
  EXPECT_EQ(total(scene.decide(*policy("sglang_compact"), blocks)), 0) << "fitted: every rate is 1";
}

TEST(SglangCompact, ReadsTheSurvivalsOfTwoStepsAgo) {
  // T = 2 + rows. Survivals .9 .81 | .1 .01: 2/4, 2.9/5 = .58, 3.71/6 = .618, 3.81/7: two tokens.
  Scene scene(2, 2, affine_cost(2, 1));
  auto rule = policy("sglang_compact");
  EXPECT_EQ(rule->traits().history, 2);
  std::vector<int> admitted;
  for (int step = 0; step < 4; ++step) {
    Blocks blocks = step == 0 ? blocks_of({{0.9f, 0.9f}, {0.1f, 0.1f}}) : likely(2, 2);
    const auto verified = scene.decide(*rule, blocks);
    admitted.push_back(total(verified));
    scene.finish(*rule, blocks, verified);
  }
  EXPECT_THAT(admitted, ElementsAre(4, 4, 2, 4));
}

TEST(SglangCompact, WithPromptRowsInTheBatchEverythingIsVerified) {
  Scene scene(2, 3, affine_cost(0, 1));
  auto rule = policy("sglang_compact");
  Blocks blocks = likely(2, 3);
  scene.plan(*rule);
  Step step = scene.chosen_step();
  step.prefill_rows = 1;
  scene.frontier.reset(blocks.columns());
  rule->choose(step, scene.frontier);
  EXPECT_THAT(scene.frontier.admitted(), Each(3));
}

TEST(SglangCompact, SurvivalsBelowAMillionthAreDropped) {
  Scene scene(1, 2, affine_cost(1, 1e-9));
  Blocks blocks = blocks_of({{0.9f, 1e-6f}});
  EXPECT_THAT(scene.decide(*policy("sglang_compact"), blocks), ElementsAre(1));
  EXPECT_THAT(scene.decide(*policy("vllm_adaptive"), blocks), ElementsAre(2)) << "elsewhere they are not";
}

TEST(SglangCompact, AFlatCostVerifiesNothing) {
  Blocks blocks = likely(2, 3);
  Scene flat(2, 3, affine_cost(1, 0));
  EXPECT_THAT(flat.decide(*policy("sglang_compact"), blocks), Each(0));
  EXPECT_THAT(flat.decide(*policy("vllm_adaptive"), blocks), Each(3)) << "what SGLang would silently do";

  Scene graph(2, 3, table_cost({{8, 1.0}, {16, 2.0}}));
  EXPECT_THAT(graph.decide(*on_table({"2", "8"}), blocks), Each(0)) << "no probe tells of the rise";
  EXPECT_THAT(graph.decide(*on_table({"8", "16"}), blocks), Each(3));
  EXPECT_THAT(graph.decide(*policy("sglang_compact"), blocks), Each(3))
      << "one captured graph holds them all";
}

TEST(SglangCompact, TheDeadBandVerifiesEverythingWhereTheGainIsSmall) {
  // T = 2 + rows, survivals .9 .81 | .1 .01: best .618 at two, all four 3.82/8 = .4775: a gain of 0.295.
  for (const auto& [gain, admitted] : std::vector<std::pair<std::string, int>>{{"0.29", 2}, {"0.3", 4}}) {
    Scene scene(2, 2, affine_cost(2, 1));
    auto rule = with_gain(gain);
    Blocks blocks = blocks_of({{0.9f, 0.9f}, {0.1f, 0.1f}});
    scene.finish(*rule, blocks, scene.decide(*rule, blocks));
    EXPECT_EQ(total(scene.decide(*rule, blocks)), admitted) << gain;
  }
}

TEST(SglangCompact, ProbesRiseAndBelongToTheTable) {
  const auto errors = [](Value map) {
    Parameters parameters(std::move(map));
    make_depth_policy("sglang_compact", parameters);
    parameters.finish();
    return testing::texts(parameters.errors());
  };
  const Value table = written("table_floor");
  EXPECT_THAT(errors(written_map({{"cost", table}, {"probes", written_list({"8", "4"})}})),
              Contains(HasSubstr("'probes' must be whole numbers that rise")));
  EXPECT_THAT(errors(written_map({{"cost", table}, {"probes", written_list({"1", "2.5"})}})),
              Contains(HasSubstr("'probes' must be whole numbers that rise")));
  EXPECT_THAT(errors(written_map({{"cost", table}, {"probes", written_list({"4"})}})),
              Contains(HasSubstr("a list of at least 2 numbers")));
  EXPECT_THAT(errors(written_map({{"probes", written_list({"4", "8"})}})),
              Contains(HasSubstr("unknown key 'probes'")));
}

TEST(SglangCompact, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return on_table({"2", "6", "12", "24"}); }, 51), 0);
  EXPECT_EQ(decisions_that_anticipate([] { return with_gain("0.1"); }, 52), 0);
}

}  // namespace
}  // namespace dspark
