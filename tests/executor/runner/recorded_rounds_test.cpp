// What RoundRecorder hears of the real runner.
#include <gmock/gmock.h>

#include <cmath>

#include "policies/calibration/margin_estimator.h"
#include "sim/recording/round_recorder.h"
#include "tests/executor/runner/served_texts.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using testing::ServedTexts;
using testing::some_requests;
using testing::written;
using testing::written_map;

void set_fixed(ServedTexts& served, const std::string& drafter, const char* k = "4") {
  served.drafter = drafter;
  served.policy = "fixed";
  served.policy_parameters = written_map({{"k", written(k)}});
}

RunRecording recorded(ServedTexts& served, std::vector<GivenRequest> requests) {
  RoundRecorder recorder;
  served.recorder = &recorder;
  served.serve(std::move(requests));
  RunRecording recording = recorder.take();
  EXPECT_FALSE(find_spoilt(recording)) << to_string(*find_spoilt(recording));
  return recording;
}

TEST(RecordedRounds, RecordingChangesNoText) {
  for (const char* drafter : {"toy", "ngram"}) {
    for (const float temperature : {0.0f, 1.0f}) {
      for (const char* policy : {"fixed", "dspark", "adaedl"}) {
        SCOPED_TRACE(::testing::Message() << drafter << " " << temperature << " " << policy);
        const auto serve = [&](RoundRecorder* recorder) {
          ServedTexts served;
          served.drafter = drafter;
          served.policy = policy;
          served.policy_parameters = testing::required_parameters(policy);
          served.recorder = recorder;
          served.serve(some_requests(12, 30, temperature));
          return std::tuple(served.replies, served.submitted, served.accepted, served.rounds);
        };
        RoundRecorder recorder;
        EXPECT_EQ(serve(&recorder), serve(nullptr));
        EXPECT_GT(recorder.rounds(), 0u);
      }
    }
  }
}

TEST(RecordedRounds, AreTheRoundsThatWereServed) {
  ServedTexts served;
  set_fixed(served, "toy");
  const RunRecording recording = recorded(served, some_requests(12, 30, 1));
  const Rounds& rounds = recording.rounds;
  EXPECT_EQ(rounds.block_size, 4);
  std::int64_t verified = 0, accepted = 0;
  std::vector<std::int64_t> next_round(12, 0);
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    verified += rounds.verified[row];
    accepted += rounds.accepted[row];
    EXPECT_EQ(rounds.round[row], next_round[static_cast<std::size_t>(rounds.request[row])]++);
    EXPECT_EQ(rounds.domain[row], -1);
  }
  EXPECT_EQ(verified, served.submitted);
  EXPECT_EQ(accepted, served.accepted);
  // The first token of each reply comes with its prompt and is no round.
  EXPECT_EQ(static_cast<int>(rounds.size()), served.rounds - 12);
  ASSERT_EQ(recording.requests.size(), 12u);
  for (const RecordedRequest& request : recording.requests)
    EXPECT_EQ(request.output_tokens, request.spec.output_limit);
  EXPECT_TRUE(recording.has_confidence_head);
  EXPECT_TRUE(recording.divergence.empty()) << "nobody asked";
}

TEST(RecordedRounds, ACalibratedRunIsRecordedWithTheDraftersOwnConfidence) {
  ServedTexts served;
  set_fixed(served, "ngram");
  MarginEstimator calibration(4);
  served.calibration = &calibration;
  const RunRecording recording = recorded(served, some_requests(12, 30, 1));
  EXPECT_FALSE(recording.has_confidence_head);
  ASSERT_FALSE(recording.rounds.margin.empty());
  int drafted = 0;
  for (std::size_t row = 0; row < recording.rounds.size(); ++row) {
    for (int k = 1; k <= 4; ++k) {
      const float confidence = recording.rounds.confidence[recording.rounds.at(row, k)];
      if (k > recording.rounds.drafted[row]) {
        EXPECT_TRUE(std::isnan(confidence));
      } else {
        EXPECT_EQ(confidence, 0.5f) << "what an n-gram says of itself";
        ++drafted;
      }
    }
  }
  EXPECT_GT(drafted, 0);
}

TEST(RecordedRounds, DraftsAreAcceptedAsOftenAsTheTrueAcceptanceSays) {
  for (const char* drafter : {"toy", "ngram"}) {
    SCOPED_TRACE(drafter);
    ServedTexts served;
    set_fixed(served, drafter);
    const Rounds rounds = recorded(served, some_requests(200, 60, 1)).rounds;
    ASSERT_FALSE(rounds.acceptance.empty());
    double expected = 0, variance = 0, accepted = 0;
    for (std::size_t row = 0; row < rounds.size(); ++row) {
      for (int k = 1; k <= rounds.verified[row] && k <= rounds.accepted[row] + 1; ++k) {
        const auto c = static_cast<double>(rounds.acceptance[rounds.at(row, k)]);
        ASSERT_GE(c, 0);
        expected += c;
        variance += c * (1 - c);  // of a martingale's differences
        accepted += k <= rounds.accepted[row] ? 1 : 0;
      }
    }
    EXPECT_GT(expected, 500);
    EXPECT_NEAR(accepted, expected, 4 * std::sqrt(variance));
  }
}

TEST(RecordedRounds, OfAGreedyRequestNoTrueAcceptanceIsKnown) {
  ServedTexts served;
  set_fixed(served, "toy");
  EXPECT_TRUE(recorded(served, some_requests(12, 30, 0)).rounds.acceptance.empty());
}

TEST(RecordedRounds, AnAcceptedEndOfTextEndsTheBlock) {
  ServedTexts served;
  set_fixed(served, "toy");
  served.end_tokens = {3};
  const RunRecording recording = recorded(served, some_requests(100, 60, 1));
  const Rounds& rounds = recording.rounds;
  int ended_inside = 0;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (recording.planned[row] != 4 || rounds.drafted[row] == 4) continue;
    ++ended_inside;
    EXPECT_EQ(rounds.drafted[row], rounds.accepted[row]);
    EXPECT_EQ(rounds.verified[row], rounds.accepted[row]);
    EXPECT_GE(rounds.accepted[row], 1);
  }
  EXPECT_GT(ended_inside, 10);
}

}  // namespace
}  // namespace dspark
