// The law by quadrature against rounds that are drawn.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "sim/acceptance/round_law.h"
#include "sim/acceptance/survival_auc.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

constexpr std::size_t kRequests = 40'000;
constexpr double kLawError = 2e-4;

struct Drawn {
  std::vector<double> survival, error;    // (depth) rounds weigh equally
  std::vector<double> of_equal_requests;  // (depth) requests weigh equally
  double auc = 0;
};

/// AUC of pairs (survival, all the same weight), sorted: each is a prefix that was accepted with that
/// probability.
double auc_of(std::vector<float> survival) {
  std::sort(survival.begin(), survival.end());
  double below = 0, ordered = 0, positive = 0;
  for (const float s : survival) {
    const auto mass = static_cast<double>(s);
    ordered += mass * (below + 0.5 * (1 - mass));
    below += 1 - mass;
    positive += mass;
  }
  return ordered / (positive * below);
}

/// Rounds over text positions 512 .. 640 from the reply's begin; `tokens` of a round by its accepted drafts.
Drawn draw(const DomainLatent& latent, const LatentSpread& spread, int depth,
           const std::function<int(int)>& tokens) {
  const LatentAcceptance model({latent}, spread, {}, 0);
  const auto width = static_cast<std::size_t>(depth);
  BatchRows rows(kRequests);
  for (std::size_t r = 0; r < kRequests; ++r) rows.anchor[r] = static_cast<std::int32_t>(r % 64);
  std::vector<double> rounds(kRequests), accepted(kRequests * width);
  std::vector<std::vector<float>> seen(width);
  DraftedBlocks blocks;
  for (bool counting = true; counting;) {
    counting = false;
    model.draw({31, 32}, rows.rows(), depth, kConfidenceOnly, blocks);
    for (std::size_t r = 0; r < kRequests; ++r) {
      const bool counted = rows.anchor[r] >= 512 && rows.anchor[r] < 640;
      rows.anchor[r] += tokens(blocks.accepted[r]);
      counting = counting || rows.anchor[r] < 640;
      if (!counted) continue;
      rounds[r] += 1;
      double survival = 1;
      for (std::size_t k = 0; k < width; ++k) {
        survival *= static_cast<double>(blocks.confidence[k * kRequests + r]);
        accepted[r * width + k] += survival;
        if (r % 4 == 0) seen[k].push_back(static_cast<float>(survival));
      }
    }
  }
  const double all = std::accumulate(rounds.begin(), rounds.end(), 0.0);
  Drawn drawn;
  for (std::size_t k = 0; k < width; ++k) {
    double sum = 0, squares = 0, ratios = 0;
    for (std::size_t r = 0; r < kRequests; ++r) sum += accepted[r * width + k];
    for (std::size_t r = 0; r < kRequests; ++r) {
      const double residual = accepted[r * width + k] - sum / all * rounds[r];
      squares += residual * residual;
      ratios += accepted[r * width + k] / rounds[r] / kRequests;
    }
    drawn.survival.push_back(sum / all);
    drawn.error.push_back(std::hypot(std::sqrt(squares) / all, kLawError / 4));
    drawn.of_equal_requests.push_back(ratios);
    drawn.auc += auc_of(seen[k]) / depth;
  }
  return drawn;
}

double distance(const std::vector<double>& a, const std::vector<double>& b,
                const std::vector<double>& error) {
  double most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]) / error[k]);
  return most;
}

struct Case {
  const char* name;
  DomainLatent latent;
  LatentSpread spread;
  int depth;
};

const std::vector<Case> kCases = {
    {"usual", {{0.7, 0.3, 0.4, 0.6, 0.5, 0.5, 0.4}, 2.0}, {0.1, 0.4, 8}, 7},
    {"shallow", {{0.7, 0.3, 0.4, 0.6, 0.5, 0.5, 0.4}, 2.0}, {0.1, 0.4, 8}, 2},
    {"all is shared", {{-0.7, 0.3, 1.3, 1.4}, 3.0}, {0.3, 0.68, 5}, 4},
    {"knots at every token", {{1.7, 1.3, 1.4, 1.6, 1.5, 1.5, 1.4}, 2.0}, {0.1, 0.6, 1}, 7},
    {"text of long memory", {{0.7, 0.3, 0.4, 0.6}, 2.0}, {0.1, 0.6, 200}, 4},
};

TEST(RoundLaw, IsThatOfRoundsDrawnOneBehindTheOther) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    RoundLaw law(c.spread, static_cast<std::size_t>(c.depth));
    law.settle(c.latent);
    const Drawn drawn = draw(c.latent, c.spread, c.depth, [](int accepted) { return accepted + 1; });
    EXPECT_LT(distance(law.survival(), drawn.survival, drawn.error), 4);
    SurvivalAuc auc(law);
    EXPECT_NEAR(auc.of(c.latent, law, static_cast<std::size_t>(c.depth)), drawn.auc, 0.002);
  }
}

/// What a law would be that counts rounds otherwise, and what the comparison above says to it.
TEST(RoundLaw, AMissingBonusTokenASkippedPositionAnotherKnotDistanceAndEqualRequestsAreSeen) {
  const Case& c = kCases[2];
  RoundLaw law(c.spread, 4), other_distance({0.3, 0.68, 12}, 4);
  law.settle(c.latent);
  other_distance.settle(c.latent);
  const Drawn drawn = draw(c.latent, c.spread, 4, [](int accepted) { return accepted + 1; });
  EXPECT_GT(distance(other_distance.survival(), drawn.survival, drawn.error), 4);
  EXPECT_GT(distance(law.survival(), drawn.of_equal_requests, drawn.error), 4);
  const Drawn no_bonus =
      draw(c.latent, c.spread, 4, [](int accepted) { return accepted < 4 ? accepted + 1 : 4; });
  EXPECT_GT(distance(law.survival(), no_bonus.survival, no_bonus.error), 4);
  const Drawn skipped = draw(c.latent, c.spread, 4, [](int accepted) { return accepted + 2; });
  EXPECT_GT(distance(law.survival(), skipped.survival, skipped.error), 4);
}

}  // namespace
}  // namespace dspark
