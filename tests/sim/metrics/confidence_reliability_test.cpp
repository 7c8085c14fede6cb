#include "sim/metrics/confidence_reliability.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "policies/elementary.h"
#include "sim/random/random_key.h"

namespace dspark {
namespace {

using ::testing::SizeIs;

/// A step of `rows` requests that draft and verify up to `depth` tokens, all of it drawn.
struct DrawnStep {
  DrawnStep(std::size_t rows, int depth, std::uint32_t seed)
      : confidence(rows * static_cast<std::size_t>(depth)), verified(rows), accepted(rows), cut(rows) {
    const RandomKey key{seed, 0};
    for (std::size_t i = 0; i < confidence.size(); ++i) {
      const RandomWords words = draw_words(key, Stream::kAcceptance, static_cast<std::uint32_t>(i), 0);
      confidence[i] = words[0] % 16 == 0 ? static_cast<float>(words[1] % 2)
                                         : static_cast<float>(uniform_from_bits(words[1]));
    }
    for (std::size_t r = 0; r < rows; ++r) {
      const RandomWords words = draw_words(key, Stream::kAcceptance, static_cast<std::uint32_t>(r), 1);
      verified[r] = static_cast<int>(words[0] % static_cast<unsigned>(depth + 1));
      accepted[r] = static_cast<int>(words[1] % static_cast<unsigned>(verified[r] + 1));
      cut[r] = words[2] % 8 == 0;
    }
    record.verified = verified;
    record.accepted = accepted;
    record.cut = cut;
    record.drafts.confidence = confidence;
    record.drafts.stride = rows;
  }
  std::vector<float> confidence;
  std::vector<int> verified, accepted;
  std::vector<std::uint8_t> cut;
  StepRecord record;
};

/// One label at a time, in floating point.
std::vector<ReliabilityBin> counted_one_by_one(const DrawnStep& step) {
  std::vector<ReliabilityBin> bins(20);
  for (std::size_t r = 0; r < step.verified.size(); ++r) {
    const int labels = step.cut[r] ? 0 : std::min(step.accepted[r] + 1, step.verified[r]);
    for (int k = 0; k < labels; ++k) {
      const float c = step.confidence[static_cast<std::size_t>(k) * step.verified.size() + r];
      ReliabilityBin& bin = bins[static_cast<std::size_t>(std::min(19, static_cast<int>(c * 20)))];
      bin.bin = static_cast<int>(&bin - bins.data());
      bin.count += 1;
      bin.mean_confidence += static_cast<double>(c);
      bin.accepted_share += k < step.accepted[r] ? 1 : 0;
    }
  }
  bins.erase(std::remove_if(bins.begin(), bins.end(), [](const auto& bin) { return bin.count == 0; }),
             bins.end());
  for (ReliabilityBin& bin : bins) bin.mean_confidence /= bin.count, bin.accepted_share /= bin.count;
  return bins;
}

TEST(ConfidenceReliability, CountsWhatCountingOneByOneDoes) {
  // Rows around the block of 64 that is summed together, and positions around the other 64.
  for (const std::size_t rows : {1u, 3u, 63u, 64u, 65u, 200u}) {
    for (const int depth : {1, 7, 64, 100}) {
      const DrawnStep step(rows, depth, static_cast<std::uint32_t>(rows));
      ConfidenceReliability reliability;
      reliability.add(step.record);
      const auto expected = counted_one_by_one(step);
      const auto bins = reliability.bins();
      ASSERT_THAT(bins, SizeIs(expected.size()));
      for (std::size_t b = 0; b < bins.size(); ++b) {
        EXPECT_EQ(bins[b].bin, expected[b].bin);
        EXPECT_EQ(bins[b].count, expected[b].count);
        EXPECT_EQ(bins[b].accepted_share, expected[b].accepted_share);
        EXPECT_NEAR(bins[b].mean_confidence, expected[b].mean_confidence, 0x1p-24);
      }
    }
  }
}

TEST(ConfidenceReliability, OneWordHoldsTheSumsOfAWholeBlock) {
  // 64 rows of 64 tokens, all certain and all accepted: the most that one bin's word must hold.
  DrawnStep step(64, 64, 0);
  std::fill(step.confidence.begin(), step.confidence.end(), 1.0f);
  std::fill(step.verified.begin(), step.verified.end(), 64);
  std::fill(step.accepted.begin(), step.accepted.end(), 64);
  std::fill(step.cut.begin(), step.cut.end(), std::uint8_t{0});
  ConfidenceReliability reliability;
  reliability.add(step.record);
  const auto bins = reliability.bins();
  ASSERT_THAT(bins, SizeIs(1));
  EXPECT_EQ(bins[0].bin, 19);
  EXPECT_EQ(bins[0].count, 4096);
  EXPECT_EQ(bins[0].accepted_share, 1);
  EXPECT_NEAR(bins[0].mean_confidence, 1, 0x1p-24);
}

TEST(ConfidenceReliability, ErrorIsTheMeanDistanceOfTheBins) {
  // One row verifies 0.95 and is accepted there, another 0.15 and is rejected: (0.05 + 0.15) / 2.
  DrawnStep step(2, 1, 0);
  step.confidence = {0.95f, 0.15f};
  step.verified = {1, 1};
  step.accepted = {1, 0};
  step.cut = {0, 0};
  step.record.verified = step.verified;
  step.record.accepted = step.accepted;
  step.record.cut = step.cut;
  step.record.drafts.confidence = step.confidence;
  ConfidenceReliability reliability;
  EXPECT_EQ(reliability.expected_calibration_error(), 0);
  reliability.add(step.record);
  EXPECT_EQ(reliability.labels(), 2);
  EXPECT_NEAR(reliability.expected_calibration_error(), 0.1, 1e-6);
}

}  // namespace
}  // namespace dspark
