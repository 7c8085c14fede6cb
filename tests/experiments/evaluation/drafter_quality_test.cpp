#include "experiments/evaluation/drafter_quality.h"

#include <gtest/gtest.h>

#include <cmath>

#include "experiments/evaluation/evaluation.h"
#include "sim/random/variates.h"

namespace dspark {
namespace {

constexpr int kBlock = 3;
constexpr std::int32_t kPrompt = 10;

bool everyone(const RecordedRequest&) { return true; }

/// Adds rounds one by one, as a drafter of γ 3 would leave them.
struct HandMade {
  RunRecording recording;

  HandMade() {
    recording.block_size = kBlock;
    recording.rounds.block_size = kBlock;
    recording.has_confidence_head = true;
  }
  std::int64_t request(std::int32_t output_limit, std::int32_t output_tokens, std::int32_t domain = 0,
                       float temperature = 1) {
    RecordedRequest request;
    request.spec.prompt_tokens = kPrompt;
    request.spec.output_limit = output_limit;
    request.spec.domain = domain;
    request.spec.temperature = temperature;
    request.output_tokens = output_tokens;
    recording.requests.push_back(request);
    produced_ = 1;
    round_ = 0;
    return static_cast<std::int64_t>(recording.requests.size()) - 1;
  }
  void round(int accepted, int drafted = kBlock, float confidence = 0.5F) {
    Rounds& rounds = recording.rounds;
    rounds.request.push_back(static_cast<std::int64_t>(recording.requests.size()) - 1);
    rounds.round.push_back(round_++);
    rounds.anchor_position.push_back(kPrompt + produced_ - 1);
    rounds.domain.push_back(-1);
    rounds.drafted.push_back(drafted);
    rounds.verified.push_back(drafted);
    rounds.accepted.push_back(accepted);
    for (int k = 1; k <= kBlock; ++k) rounds.confidence.push_back(k <= drafted ? confidence : std::nanf(""));
    produced_ += accepted + 1;
  }

 private:
  int produced_ = 1;
  std::int64_t round_ = 0;
};

TEST(DrafterQuality, CountsTokensAndPositionsOfWholeRounds) {
  HandMade made;
  made.request(100, 100);
  for (const int accepted : {3, 0, 1, 3}) made.round(accepted);
  const DrafterQuality quality = measure_quality(made.recording, everyone);
  EXPECT_EQ(quality.requests, 1);
  EXPECT_EQ(quality.whole_rounds, 4);
  EXPECT_DOUBLE_EQ(quality.accepted_length.mean, (4 + 1 + 2 + 4) / 4.0);
  EXPECT_TRUE(std::isnan(quality.accepted_length.low)) << "one request does not say how they scatter";
  ASSERT_EQ(quality.positions.size(), 3u);
  EXPECT_DOUBLE_EQ(quality.positions[0].survival, 0.75);
  EXPECT_DOUBLE_EQ(quality.positions[1].survival, 0.5);
  EXPECT_DOUBLE_EQ(quality.positions[0].acceptance, 0.75);
  EXPECT_EQ(quality.positions[1].reached, 3);
  EXPECT_DOUBLE_EQ(quality.positions[1].acceptance, 2.0 / 3);
  EXPECT_DOUBLE_EQ(quality.positions[2].acceptance, 1);
  EXPECT_FALSE(quality.calibration) << "four rounds fit no temperature";
}

TEST(DrafterQuality, LeavesOutRoundsThatTheEndOfAReplyMayHaveCut) {
  HandMade made;
  made.request(9, 9);
  made.round(3);  // 1 token there, 4 come: 5
  made.round(0);  // a whole block and its bonus token make 9: whole, and 6 there
  made.round(2);  // they would make 10: cut, although it was not
  EXPECT_EQ(measure_quality(made.recording, everyone).whole_rounds, 2);
  EXPECT_EQ(whole_rounds(made.recording, everyone).anchor_position, (std::vector<std::int64_t>{10, 14}));

  made.request(100, 5);  // the model ended it
  made.round(0);
  made.round(3, 3);
  EXPECT_EQ(measure_quality(made.recording, everyone).whole_rounds, 3);
}

TEST(DrafterQuality, RoundsWithoutDraftsCountAsOneToken) {
  HandMade made;
  made.request(100, 100);
  made.round(0, 0);
  made.round(3);
  const DrafterQuality quality = measure_quality(made.recording, everyone);
  EXPECT_DOUBLE_EQ(quality.accepted_length.mean, 2.5);
  EXPECT_EQ(quality.positions[0].rounds, 1);
  EXPECT_DOUBLE_EQ(quality.positions[0].acceptance, 1);
}

TEST(DrafterQuality, ScattersOverRequestsAsARatioDoes) {
  HandMade made;
  made.request(100, 100);
  made.round(0);
  made.round(0);
  made.request(100, 100);
  made.round(3);
  const Interval tau = measure_quality(made.recording, everyone).accepted_length;
  EXPECT_DOUBLE_EQ(tau.mean, 2);
  // Residuals 2 - 2·2 = -2 and 4 - 2 = 2: √(8 · 2 / 1) / 3 rounds.
  EXPECT_NEAR(tau.high - tau.mean, student_t_975(1) * 4 / 3, 1e-12);
  EXPECT_EQ(tau.n, 2);
}

/// Accepted lengths of drafts that are accepted with probability p each are cut geometric ones.
TEST(DrafterQuality, FindsTheTruthOfGeometricRounds) {
  constexpr double kP = 0.8;
  HandMade made;
  const RandomKey key = make_random_key(3, 0);
  std::uint32_t draws = 0;
  for (std::uint32_t request = 0; request < 300; ++request) {
    made.request(1000, 1000);
    for (int round = 0; round < 20; ++round) {
      int accepted = 0;
      while (accepted < kBlock &&
             uniform_variate({.key = key, .stream = Stream::kAcceptance, .ordinal = draws++}) < kP)
        ++accepted;
      made.round(accepted, kBlock, 0.9F);
    }
  }
  const DrafterQuality quality = measure_quality(made.recording, everyone);
  const double tau = 1 + kP + kP * kP + kP * kP * kP;
  EXPECT_GT(tau, quality.accepted_length.low);
  EXPECT_LT(tau, quality.accepted_length.high);
  EXPECT_LT(quality.accepted_length.high - quality.accepted_length.low, 0.08);
  for (const PositionQuality& position : quality.positions) {
    EXPECT_GT(kP, position.acceptance_interval.low - 0.01);
    EXPECT_LT(kP, position.acceptance_interval.high + 0.01);
  }
  ASSERT_TRUE(quality.calibration);
  const MeanCalibration mean = mean_calibration(*quality.calibration);
  EXPECT_NEAR(mean.raw_ece, ((0.9 - kP) + (0.81 - kP * kP) + (0.729 - kP * kP * kP)) / 3, 0.02);
  EXPECT_LT(mean.ece, 0.03) << "σ(logit(0.9) / T) can be 0.8";
}

TEST(EvaluatedGroups, AreEveryDomainAtEveryTemperatureAndAllTogether) {
  HandMade made;
  made.request(100, 100, 0, 0);
  made.round(3);
  made.request(100, 100, 1, 0);
  made.round(1);
  made.request(100, 100, 1, 1);
  made.round(0);
  const auto groups = evaluated_groups("d", made.recording, {"math", "chat"}, {0, 1}, {kPrompt});
  ASSERT_EQ(groups.size(), 6u);
  EXPECT_EQ(groups[1].domain, "chat");
  EXPECT_EQ(groups[2].domain, kAllDomains);
  EXPECT_DOUBLE_EQ(groups[0].quality.accepted_length.mean, 4);
  EXPECT_DOUBLE_EQ(groups[1].quality.accepted_length.mean, 2);
  EXPECT_DOUBLE_EQ(groups[2].quality.accepted_length.mean, 3);
  EXPECT_EQ(groups[3].quality.whole_rounds, 0) << "no math at temperature 1";
  EXPECT_TRUE(std::isnan(groups[3].quality.accepted_length.mean));
  EXPECT_DOUBLE_EQ(groups[5].quality.accepted_length.mean, 1);
}

}  // namespace
}  // namespace dspark
