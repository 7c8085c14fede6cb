#include "experiments/calibration/learned_confidence.h"

#include <gmock/gmock.h>

#include <cmath>

namespace dspark {
namespace {

using testing::HasSubstr;

/// Rounds of blocks of two whose first token is accepted where the margin is large; of every second request.
Rounds rounds(std::size_t size) {
  Rounds made;
  made.block_size = 2;
  for (std::size_t row = 0; row < size; ++row) {
    const bool sure = row % 2 == 0;
    made.request.push_back(static_cast<std::int64_t>(row));
    made.round.push_back(0);
    made.anchor_position.push_back(8);
    made.domain.push_back(-1);
    made.drafted.push_back(sure ? 2 : 1);
    made.verified.push_back(made.drafted.back());
    made.accepted.push_back(sure ? 1 : 0);
    made.confidence.insert(made.confidence.end(), {0.5f, sure ? 0.5f : NAN});
    made.margin.insert(made.margin.end(), {sure ? 4.0f : 0.0f, sure ? 1.0f : NAN});
  }
  return made;
}

TEST(LearnedConfidence, OfAcceptanceByPositionIsWhatWasSeenBeforeTheStep) {
  const auto shown = with_learned_confidence(rounds(24), "acceptance_by_position");
  ASSERT_TRUE(shown);
  EXPECT_FLOAT_EQ(shown->confidence[shown->at(7, 1)], 0.82f) << "the first step has seen nothing";
  // Of each step of eight: four first tokens of eight are accepted, none of four second ones.
  EXPECT_FLOAT_EQ(shown->confidence[shown->at(8, 1)], static_cast<float>((4 + 16.4) / (8 + 20)));
  EXPECT_FLOAT_EQ(shown->confidence[shown->at(16, 1)], static_cast<float>((8 + 16.4) / (16 + 20)));
  EXPECT_FLOAT_EQ(shown->confidence[shown->at(16, 2)], static_cast<float>(16.4 / (8 + 20)));
  EXPECT_TRUE(std::isnan(shown->confidence[shown->at(17, 2)])) << "it drafted one";
}

TEST(LearnedConfidence, OfMarginsTellsAcceptedFromRejected) {
  const auto shown = with_learned_confidence(rounds(16000), "margin_estimator");
  ASSERT_TRUE(shown);
  EXPECT_GT(shown->confidence[shown->at(15998, 1)], 0.98f);
  EXPECT_LT(shown->confidence[shown->at(15999, 1)], 0.02f);
}

TEST(LearnedConfidence, RefusesOtherNamesAndRecordingsWithoutTheirSignal) {
  const auto unknown = with_learned_confidence(rounds(8), "margin_estimate");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(to_string(unknown.error()), HasSubstr("margin_estimator"));
  Rounds without = rounds(8);
  without.margin.clear();
  EXPECT_FALSE(with_learned_confidence(without, "margin_estimator"));
  EXPECT_TRUE(with_learned_confidence(without, "acceptance_by_position"));
}

}  // namespace
}  // namespace dspark
