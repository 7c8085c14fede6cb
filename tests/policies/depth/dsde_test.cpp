#include <gmock/gmock.h>

#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::affine_cost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::observe;
using testing::PlayedStep;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_map;

std::vector<int> planned(DepthPolicy& rule, Scene& scene) {
  EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
  return scene.planned;
}

/// Calibrated by the first round, which drafts 8.
std::unique_ptr<DepthPolicy> quick(std::initializer_list<std::pair<std::string, Value>> more = {}) {
  Value map = written_map({{"warmup_tokens", written("1")}, {"warmup_length", written("8")}});
  for (const auto& [key, value] : more) std::get<Value::Map>(map.content).push_back({key, {}, value});
  return policy("dsde", map);
}

/// A round of 8 drafts by each request, all accepted, with the same divergence throughout for each.
PlayedStep steady(const std::vector<float>& divergence) {
  PlayedStep played{.drafted = std::vector<int>(divergence.size(), 8),
                    .accepted = std::vector<int>(divergence.size(), 8)};
  for (int k = 0; k < 8; ++k) {
    played.divergence.insert(played.divergence.end(), divergence.begin(), divergence.end());
  }
  return played;
}

std::unique_ptr<DepthPolicy> small_windows(const char* rounding) {
  return policy("dsde", written_map({{"warmup_tokens", written("4")},
                                     {"warmup_length", written("2")},
                                     {"short_window", written("2")},
                                     {"long_window", written("4")},
                                     {"decay", written("0.5")},
                                     {"rounding", written(rounding)}}));
}

TEST(Dsde, MeetsItsFormulaByHand) {
  // Warm-up: 2 drafted, all accepted, so 4 next; then 6 have been drafted. SL_A,max = 3, mean D = 1/6,
  // largest 0.3: SL_max = 3·(1 + 5/9) = 4.667. SF = exp(2·0.2) - 1 = 0.4918. With weights 1, 1/2, 1/4, 1/8
  // both windows have variance 0.008889: WVIR = 1. SL = (1 - 0.4918)·2.667 + 2 = 3.355.
  for (const auto& [rounding, k] : {std::pair("nearest", 3), std::pair("ceiling", 4)}) {
    const auto rule = small_windows(rounding);
    Scene scene(1, 16, affine_cost(1, 1));
    EXPECT_THAT(planned(*rule, scene), ElementsAre(2));
    observe(*rule, scene, {.drafted = {2}, .accepted = {2}, .divergence = {0.1f, 0.1f}});
    EXPECT_THAT(planned(*rule, scene), ElementsAre(4)) << "doubled while all is accepted";
    observe(*rule, scene, {.drafted = {4}, .accepted = {3}, .divergence = {0.1f, 0.3f, 0.1f, 0.3f}});
    EXPECT_THAT(planned(*rule, scene), ElementsAre(k)) << rounding;
  }
}

TEST(Dsde, AStableWindowCountersAHighDivergenceAndAnUnstableOneAddsToIt) {
  // The last two values against the last four: equal values behind a jump have no variance, so WVIR = 0 and
  // SL = SL_max; a jump at the end gives the most.
  const auto k_after = [](std::vector<float> last) {
    const auto rule = small_windows("nearest");
    Scene scene(1, 16, affine_cost(1, 1));
    planned(*rule, scene);
    observe(*rule, scene, {.drafted = {4}, .accepted = {4}, .divergence = std::move(last)});
    return planned(*rule, scene)[0];
  };
  EXPECT_EQ(k_after({0.1f, 0.1f, 0.3f, 0.3f}), 7) << "4·(1 + 2/3) = 6.67";
  EXPECT_EQ(k_after({0.1f, 0.3f, 0.3f, 0.1f}), 5) << "SF = 0.4918, WVIR = 0.926: 4.54";
  EXPECT_EQ(k_after({0.0f, 0.0f, 0.0f, 2.0f}), 2) << "SF = 1.7: the least";
}

TEST(Dsde, AWindowWithoutVarianceHasTheFlatRatio) {
  // SL_max = 8·2 = 16; SF = exp(0.2) - 1 = 0.2214: (1 - 0.2214)·14 + 2 = 12.9 at WVIR = 1.
  Scene scene(1, 32, affine_cost(1, 1));
  const auto rule = quick();
  planned(*rule, scene);
  observe(*rule, scene, steady({0.1f}));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(13));
  Scene again(1, 32, affine_cost(1, 1));
  const auto released = quick({{"flat_ratio", written("20")}, {"min_length", written("6")}});
  planned(*released, again);
  observe(*released, again, steady({0.1f}));
  EXPECT_THAT(planned(*released, again), ElementsAre(6));
}

TEST(Dsde, HeadroomAndTemperatureAreThoseOfTheReleasedCode) {
  Scene scene(1, 32, affine_cost(1, 1));
  const auto rule = quick({{"headroom", written("0.5")}, {"temperature", written("2")}});
  planned(*rule, scene);
  observe(*rule, scene, steady({0.1f}));
  // SL_max = 8·1.5 = 12; SF = exp(2·0.1/2) - 1 = 0.1052: (1 - 0.1052)·10 + 2 = 10.95.
  EXPECT_THAT(planned(*rule, scene), ElementsAre(11));
}

TEST(Dsde, NobodyDraftsMoreThanTheMeanOfTheBatch) {
  // D = 0: SL = SL_max = 8; D = 0.5: SF = e - 1 > 1, so 2. Mean 5. A new request takes no part.
  for (const auto& [cap, longest] : {std::pair("mean", 5), std::pair("none", 8)}) {
    Scene scene(3, 16, affine_cost(1, 1));
    const auto rule = quick({{"cap", written(cap)}});
    planned(*rule, scene);
    PlayedStep played = steady({0.0f, 0.5f, 0.0f});
    played.finished = {0, 0, 1};
    observe(*rule, scene, played);
    EXPECT_THAT(planned(*rule, scene), ElementsAre(longest, 2, 8)) << cap;
  }
}

TEST(Dsde, ANewRequestOfAnOldNumberForgets) {
  Scene scene(1, 32, affine_cost(1, 1));
  const auto rule = quick();
  planned(*rule, scene);
  observe(*rule, scene, steady({0.5f}));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(2));
  PlayedStep last{.drafted = {2}, .accepted = {0}, .finished = {1}, .divergence = {0.5f, 0.5f}};
  observe(*rule, scene, last);
  EXPECT_THAT(planned(*rule, scene), ElementsAre(8)) << "warms up";
  observe(*rule, scene, steady({0.1f}));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(13))
      << "as of a first request: no divergence of the old one";
}

TEST(Dsde, StepsWithoutDraftsTeachNothingAndTheBlockLimitsLengths) {
  Scene scene(1, 6, affine_cost(1, 1));
  const auto rule = quick();
  EXPECT_THAT(planned(*rule, scene), ElementsAre(6));
  observe(*rule, scene, {.drafted = {0}, .accepted = {0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(6));
  EXPECT_EQ(rule->traits().signals, kDivergence);
}

TEST(Dsde, RefusesWindowsThatCross) {
  EXPECT_THAT(
      [] {
        policy("dsde", written_map({{"short_window", written("31")}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("'short_window' is above 'long_window'")));
}

}  // namespace
}  // namespace dspark
