#include "experiments/recording/replayed_experiment.h"

#include <gtest/gtest.h>

#include <limits>

#include "sim/acceptance/recorded_acceptance.h"

namespace dspark {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

/// Three rounds of a request with a prompt of 10 tokens: a whole block, none although one was asked for, and
/// one that the reply's length of 6 tokens caps.
RunRecording recorded() {
  RunRecording recording;
  recording.block_size = 2;
  recording.rounds = {.block_size = 2,
                      .request = {0, 0, 0},
                      .round = {0, 1, 2},
                      .anchor_position = {10, 12, 14},
                      .domain = {-1, -1, -1},
                      .drafted = {2, 0, 0},
                      .verified = {2, 0, 0},
                      .accepted = {1, 0, 0},
                      .confidence = {0.9f, 0.5f, kNone, kNone, kNone, kNone}};
  recording.step = {1, 2, 3};
  recording.planned = {2, 2, 0};
  recording.requests = {{.spec = {.prompt_tokens = 10, .output_limit = 6}}};
  return recording;
}

TEST(ReachOfARecording, ALengthLimitIsNoCutAndAnEmptyDraftIsShort) {
  const RecordingReach reach = reach_of(recorded());
  EXPECT_EQ(reach.rounds, 3u);
  EXPECT_EQ(reach.cut, 0u);
  EXPECT_EQ(reach.short_drafts, 1u);
}

TEST(ReachOfARecording, AShorterPlanOrAnUnverifiedRestIsACut) {
  RunRecording planned = recorded();
  planned.planned[1] = 1;
  EXPECT_EQ(reach_of(planned).cut, 1u);
  EXPECT_EQ(reach_of(planned).cut_round, 1);
  RunRecording verified = recorded();
  verified.rounds.verified[0] = 1;
  EXPECT_EQ(reach_of(verified).cut, 1u) << "all of one accepted, and another drafted";
}

TEST(WholeBlocks, AShortDraftEndsInTokensThatAreRejected) {
  const RunRecording recording = recorded();
  const Rounds rounds = with_whole_blocks(recording.rounds, recording.planned);
  EXPECT_EQ(rounds.drafted, (std::vector<std::int32_t>{2, 2, 0}));
  EXPECT_EQ(rounds.verified, rounds.drafted);
  EXPECT_EQ(rounds.accepted, (std::vector<std::int32_t>{1, 0, 0}));
  EXPECT_EQ(rounds.confidence[rounds.at(1, 1)], 0);
  EXPECT_FALSE(find_fault(rounds));
  const auto model = RecordedAcceptance::make(rounds, {});
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->used_rounds(), 2u) << "but for the one that the reply's end capped";
}

}  // namespace
}  // namespace dspark
