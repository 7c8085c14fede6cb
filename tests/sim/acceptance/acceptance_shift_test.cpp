// Acceptance that moves with context and temperature, and a confidence that follows or does not.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sim/acceptance/latent_acceptance.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

struct Means {
  double confidence = 0;
  double accepted = 0;  // share of first tokens
};

Means first_position(const LatentAcceptance& model, std::int32_t context, float temperature, int domain = 0) {
  constexpr std::size_t kRequests = 20'000;
  BatchRows rows(kRequests);
  std::fill(rows.anchor.begin(), rows.anchor.end(), context);
  std::fill(rows.domain.begin(), rows.domain.end(), domain);
  const std::vector<float> temperatures(kRequests, temperature);
  RunnerRows view = rows.rows();
  view.temperature = temperatures;
  DraftedBlocks blocks;
  model.draw({5, 6}, view, 1, kConfidenceOnly, blocks);
  return {std::accumulate(blocks.confidence.begin(), blocks.confidence.end(), 0.0) / kRequests,
          std::accumulate(blocks.accepted.begin(), blocks.accepted.end(), 0.0) / kRequests};
}

const std::vector<DomainLatent> kOneDomain = {{{1.0}, 1.0}};

TEST(AcceptanceShift, ATemperatureOtherThanTheTrainedOneMovesAcceptanceUnderTheConfidence) {
  const LatentAcceptance stale(kOneDomain, {}, {}, 0, {.logits_per_temperature = -2, .seen_share = 0});
  const LatentAcceptance seen(kOneDomain, {}, {}, 0, {.logits_per_temperature = -2, .seen_share = 1});
  const Means trained = first_position(stale, 10, 1);
  EXPECT_NEAR(trained.confidence, trained.accepted, 0.01);
  for (const float temperature : {0.6f, 1.4f}) {
    const Means moved = first_position(stale, 10, temperature);
    EXPECT_NEAR(moved.confidence, trained.confidence, 1e-6) << "the head knows nothing of it";
    EXPECT_EQ(moved.accepted > trained.accepted, temperature < 1);
    EXPECT_GT(std::abs(moved.accepted - trained.accepted), 0.08);
    const Means followed = first_position(seen, 10, temperature);
    EXPECT_NEAR(followed.confidence, followed.accepted, 0.01);
    EXPECT_NEAR(followed.accepted, moved.accepted, 1e-9) << "the coins are the same";
  }
}

TEST(AcceptanceShift, LongContextsMoveAcceptanceFromTheTrainedLengthOn) {
  const LatentAcceptance model(kOneDomain, {}, {}, 0,
                               {.logits_per_context_doubling = -0.5, .trained_context_tokens = 1000});
  const LatentAcceptance still(kOneDomain, {}, {}, 0);
  EXPECT_EQ(first_position(model, 999, 1).accepted, first_position(still, 999, 1).accepted);
  const double once = first_position(model, 2000, 1).accepted,
               twice = first_position(model, 4000, 1).accepted;
  EXPECT_LT(once, first_position(still, 2000, 1).accepted - 0.05);
  EXPECT_LT(twice, once - 0.05);
}

TEST(AcceptanceShift, EachDomainHasItsOwnCalibration) {
  const std::vector<DomainLatent> domains = {{{1.0}, 1.0}, {{1.0}, 1.0}};
  const LatentAcceptance model(domains, {}, {{1, 0}, {1, 1.0}}, 0);
  const Means calibrated = first_position(model, 10, 1, 0), boastful = first_position(model, 10, 1, 1);
  EXPECT_NEAR(calibrated.confidence, calibrated.accepted, 0.01);
  EXPECT_GT(boastful.confidence, boastful.accepted + 0.1);
  EXPECT_EQ(calibrated.accepted, boastful.accepted);
}

}  // namespace
}  // namespace dspark
