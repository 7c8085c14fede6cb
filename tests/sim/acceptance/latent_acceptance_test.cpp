#include "sim/acceptance/latent_acceptance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

const std::vector<DomainLatent> kDomains = {{{1.5, 1.0, 0.5, 0.2, 0.0, -0.2, -0.5}, 1.6}};
constexpr RandomKey kKey{3, 4};

TEST(LatentAcceptance, ABlockDependsOnItsRequestAndAnchorAlone) {
  const LatentAcceptance model(kDomains, {}, {}, 0.7);
  BatchRows many(50), one(1);
  for (std::size_t r = 0; r < 50; ++r) many.anchor[r] = static_cast<std::int32_t>(100 + 3 * r);
  DraftedBlocks whole, single;
  model.draw(kKey, many.rows(), 7, kTop1 | kMargin | kEntropy | kChosen, whole);
  for (const std::size_t r : {0u, 17u, 49u}) {
    for (const int depth : {1, 3, 7}) {
      one.source[0] = many.source[r];
      one.anchor[0] = many.anchor[r];
      model.draw(kKey, one.rows(), depth, kTop1 | kMargin | kEntropy | kChosen, single);
      EXPECT_EQ(single.accepted[0], std::min(whole.accepted[r], depth));
      for (int k = 0; k < depth; ++k) {
        const auto in_batch = static_cast<std::size_t>(k) * 50 + r, alone = static_cast<std::size_t>(k);
        EXPECT_EQ(single.confidence[alone], whole.confidence[in_batch]);
        EXPECT_EQ(single.entropy[alone], whole.entropy[in_batch]);
        EXPECT_EQ(single.chosen[alone], whole.chosen[in_batch]);
      }
    }
  }
}

TEST(LatentAcceptance, AnotherAnchorOrAttemptIsAnotherDraft) {
  const LatentAcceptance model(kDomains, {}, {}, 0);
  BatchRows rows(1);
  DraftedBlocks first, second;
  model.draw(kKey, rows.rows(), 7, kConfidenceOnly, first);
  ++rows.attempt[0];
  model.draw(kKey, rows.rows(), 7, kConfidenceOnly, second);
  EXPECT_NE(first.confidence, second.confidence);
  rows.attempt[0] = 0;
  ++rows.anchor[0];
  model.draw(kKey, rows.rows(), 7, kConfidenceOnly, second);
  EXPECT_NE(first.confidence, second.confidence);
}

/// By construction: in each bin of the confidence at position 1, accepted share = mean confidence within 4
/// standard errors.
TEST(LatentAcceptance, ConfidenceIsCalibratedAndADistortionIsNot) {
  constexpr std::size_t kRequests = 4000;
  for (const bool distorted : {false, true}) {
    const Miscalibration distortion{distorted ? 0.5 : 1.0, distorted ? 0.4 : 0.0};
    const LatentAcceptance model(kDomains, {}, {distortion}, 0);
    BatchRows rows(kRequests);
    std::vector<double> count(10), confidence(10), accepted(10);
    for (int anchor = 0; anchor < 20 * 64; anchor += 64) {
      std::fill(rows.anchor.begin(), rows.anchor.end(), anchor);
      DraftedBlocks blocks;
      model.draw(kKey, rows.rows(), 1, kConfidenceOnly, blocks);
      for (std::size_t r = 0; r < kRequests; ++r) {
        const auto bin = static_cast<std::size_t>(std::min(9.0f, blocks.confidence[r] * 10));
        count[bin] += 1;
        confidence[bin] += static_cast<double>(blocks.confidence[r]);
        accepted[bin] += blocks.accepted[r];
      }
    }
    int off = 0;
    for (std::size_t b = 0; b < 10; ++b) {
      if (count[b] < 100) continue;
      const double error = std::sqrt(0.25 / count[b]);
      off += std::abs(accepted[b] - confidence[b]) / count[b] > 4 * error ? 1 : 0;
    }
    EXPECT_EQ(off >= 5, distorted);
    EXPECT_EQ(off == 0, !distorted);
  }
}

/// Consecutive text is alike: the correlation of first-position logits at distance 1 exceeds that at 64
/// tokens.
TEST(LatentAcceptance, DifficultyIsCorrelatedAlongTheTextAndWithinARequest) {
  constexpr std::size_t kRequests = 20000;
  const LatentSpread spread{.between_request_share = 0.2, .text_share = 0.5, .text_correlation_tokens = 8};
  const LatentAcceptance model({{{0.5}, 1.0}}, spread, {}, 0);
  const auto logits = [&](int anchor) {
    BatchRows rows(kRequests);
    std::fill(rows.anchor.begin(), rows.anchor.end(), anchor);
    DraftedBlocks blocks;
    model.draw(kKey, rows.rows(), 1, kConfidenceOnly, blocks);
    std::vector<double> x;
    for (const float c : blocks.confidence)
      x.push_back(std::log(static_cast<double>(c) / (1 - static_cast<double>(c))) - 0.5);
    return x;
  };
  const auto correlation = [](const std::vector<double>& x, const std::vector<double>& y) {
    const double xy = std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    const double xx = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
    const double yy = std::inner_product(y.begin(), y.end(), y.begin(), 0.0);
    return xy / std::sqrt(xx * yy);
  };
  const auto start = logits(800);
  const double error = 4 / std::sqrt(static_cast<double>(kRequests));
  EXPECT_NEAR(correlation(start, logits(864)), 0.2, error);  // the request's share alone
  const double near = correlation(start, logits(801));
  EXPECT_GT(near, 0.2 + 0.3);
  EXPECT_LT(near, 0.7 + error);
  const double variance = std::inner_product(start.begin(), start.end(), start.begin(), 0.0) / kRequests;
  EXPECT_NEAR(variance, 1, 4 * std::sqrt(2.0 / kRequests));
}

TEST(LatentAcceptance, OtherSignalsCarryTheSameLatentWithNoise) {
  constexpr std::size_t kRequests = 20000;
  const LatentAcceptance model(kDomains, {}, {}, 0.7);
  BatchRows rows(kRequests);
  DraftedBlocks blocks;
  model.draw(kKey, rows.rows(), 1, kTop1 | kMargin | kEntropy | kChosen | kDivergence, blocks);
  double easy_entropy = 0, hard_entropy = 0, easy = 0, chosen_when_accepted = 0, chosen_when_rejected = 0,
         accepted = 0;
  for (std::size_t r = 0; r < kRequests; ++r) {
    EXPECT_GE(blocks.margin[r], 0);
    EXPECT_GE(blocks.entropy[r], 0);
    EXPECT_GE(blocks.divergence[r], 0);
    EXPECT_GT(blocks.chosen[r], 0);
    EXPECT_LE(blocks.chosen[r], 1);
    const bool is_easy = blocks.confidence[r] > 0.8f;
    (is_easy ? easy_entropy : hard_entropy) += static_cast<double>(blocks.entropy[r]);
    easy += is_easy;
    (blocks.accepted[r] ? chosen_when_accepted : chosen_when_rejected) +=
        static_cast<double>(blocks.chosen[r]);
    accepted += blocks.accepted[r];
  }
  EXPECT_LT(easy_entropy / easy, 0.6 * hard_entropy / (kRequests - easy));
  EXPECT_GT(chosen_when_accepted / accepted, chosen_when_rejected / (kRequests - accepted));
}

}  // namespace
}  // namespace dspark
