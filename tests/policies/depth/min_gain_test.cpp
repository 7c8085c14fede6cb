#include <gmock/gmock.h>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using testing::decisions_that_anticipate;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::policy;
using testing::Scene;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> min_gain(const std::string& gain, const std::string& inside,
                                      const std::string& lag = "1") {
  return policy("min_gain",
                written_map({{"gain", written(gain)}, {"lag", written(lag)}, {"policy", written(inside)}}));
}

TEST(MinGain, TheCutIsKeptFromTheGainOnThatItPromised) {
  // T = 2 + rows. Step before: .9 .81 | .1 .01; all four 3.82/8 = .4775. The threshold now admits two tokens:
  // (2 + 1.71)/6 = .618, a gain of .295, whatever its own confidences are.
  Blocks before = blocks_of({{0.9f, 0.9f}, {0.1f, 0.1f}});
  Blocks now = blocks_of({{0.75f, 0.1f}, {0.75f, 0.1f}});
  for (const auto& [gain, kept] : std::vector<std::pair<std::string, bool>>{{"0.29", true}, {"0.3", false}}) {
    Scene scene(2, 2, affine_cost(2, 1));
    auto rule = min_gain(gain, "threshold");
    scene.finish(*rule, before, scene.decide(*rule, before));
    EXPECT_THAT(scene.decide(*rule, now), Each(kept ? 1 : 2)) << gain;
  }
}

TEST(MinGain, WithoutAnEarlierStepTheCutIsKept) {
  Scene scene(2, 2, affine_cost(2, 1));
  Blocks blocks = blocks_of({{0.9f, 0.1f}, {0.1f, 0.1f}});
  auto rule = min_gain("10", "threshold", "2");
  EXPECT_EQ(rule->traits().history, 2);
  for (int step = 0; step < 3; ++step) {
    const std::vector<int> verified = scene.decide(*rule, blocks);
    EXPECT_EQ(verified[0], step < 2 ? 1 : 2) << "step " << step;
    scene.finish(*rule, blocks, verified);
  }
}

TEST(MinGain, KeepsTheLongerHistoryOfTheTwo) {
  EXPECT_EQ(min_gain("0", "dspark_async")->traits().history, 2);
  EXPECT_EQ(min_gain("0", "dspark_async", "3")->traits().history, 3);
}

TEST(MinGain, VerifiesEverythingForARuleThatAnticipatesToo) {
  Scene scene(2, 2, affine_cost(2, 1));
  auto rule = min_gain("10", "oracle");
  Blocks blocks = blocks_of({{0.9f, 0.9f}, {0.1f, 0.1f}});
  scene.finish(*rule, blocks, scene.decide(*rule, blocks));
  EXPECT_THAT(scene.decide(*rule, blocks), Each(2));
}

TEST(MinGain, NeverAnticipates) {
  for (const std::string gain : {"0", "0.02", "0.2"}) {
    EXPECT_EQ(decisions_that_anticipate([&] { return min_gain(gain, "dspark"); }, 111), 0) << gain;
    EXPECT_EQ(decisions_that_anticipate([&] { return min_gain(gain, "threshold"); }, 112), 0) << gain;
  }
}

}  // namespace
}  // namespace dspark
