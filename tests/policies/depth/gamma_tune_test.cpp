#include <gmock/gmock.h>

#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::affine_cost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::observe;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_map;

std::vector<int> planned(DepthPolicy& rule, Scene& scene) {
  EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
  return scene.planned;
}

TEST(GammaTune, JumpsOnFullAcceptanceAndElseFollowsTheMovingAverage) {
  const auto rule = policy("gamma_tune");
  Scene scene(1, 16, affine_cost(1, 1));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(3));
  observe(*rule, scene, {{3}, {3}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(5)) << "A + 2";
  observe(*rule, scene, {{5}, {1}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(3)) << "g = 0.7·3 + 0.3·1 = 2.4";
  observe(*rule, scene, {{3}, {0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(2)) << "g = 1.68";
  observe(*rule, scene, {{2}, {0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(2)) << "g = 1.176";
  observe(*rule, scene, {{2}, {0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(1)) << "g = 0.8232, clipped to 1";
}

TEST(GammaTune, StaysWithinItsBoundsAndTheBlock) {
  const auto rule = policy("gamma_tune");
  Scene deep(1, 16, affine_cost(1, 1));
  for (int step = 0; step < 6; ++step) {
    const int k = planned(*rule, deep)[0];
    observe(*rule, deep, {{k}, {k}});
  }
  EXPECT_THAT(planned(*rule, deep), ElementsAre(10));
  Scene shallow(1, 7, affine_cost(1, 1));
  shallow.rounds = {6};
  EXPECT_THAT(planned(*rule, shallow), ElementsAre(7));
}

TEST(GammaTune, EachRequestHasItsOwnAndANewOneOfAnOldNumberStartsAnew) {
  const auto rule = policy("gamma_tune");
  Scene scene(2, 16, affine_cost(1, 1));
  planned(*rule, scene);
  observe(*rule, scene, {{3, 3}, {3, 0}, {1, 0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(3, 3)) << "⌈0.7·3⌉ = 3 for the second";
  observe(*rule, scene, {{3, 3}, {0, 0}, {0, 1}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(3, 3)) << "⌈2.1⌉, and a new one";
  observe(*rule, scene, {{3, 3}, {0, 0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(2, 3)) << "⌈1.47⌉ against ⌈2.1⌉";
}

TEST(GammaTune, ARoundWithoutADraftTeachesNothing) {
  const auto rule = policy("gamma_tune");
  Scene scene(1, 16, affine_cost(1, 1));
  planned(*rule, scene);
  observe(*rule, scene, {{0}, {0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(3));
}

TEST(GammaTune, RefusesBoundsThatCrossAndAStartOutsideThem) {
  EXPECT_THAT(
      [] {
        policy("gamma_tune", written_map({{"k_min", written("5")}, {"k_max", written("4")}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("'k_min' is above 'k_max'")));
  EXPECT_THAT([] { policy("gamma_tune", {}, written("11")); },
              ThrowsMessage<std::runtime_error>(HasSubstr("'initial_k' is not within")));
}

}  // namespace
}  // namespace dspark
