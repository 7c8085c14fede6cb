// The best fixed depth where every token is accepted with probability 0.8 and a step takes 1 + c·k: k 8, 6
// and 4 for c 0.05, 0.1 and 0.2, with speed-ups of 3.09, 2.47 and 1.87.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "tests/sim/theory/endless_replies.h"
#include "tests/sim/theory/geometric.h"
#include "tests/sim/theory/planted.h"
#include "tests/sim/theory/standard_error.h"

namespace dspark {
namespace {

using testing::AnchorsForNothing;
using testing::around;
using testing::deviation;
using testing::EndlessReplies;
using testing::estimate;
using testing::kStandardErrors;
using testing::speed_up;

constexpr double kAcceptance = 0.8;
constexpr int kDeepest = 12;

struct Published {
  double c;
  int best;
  double speed_up;
};
constexpr std::array kPublished = {Published{0.05, 8, 3.09}, Published{0.1, 6, 2.47},
                                   Published{0.2, 4, 1.87}};

/// Users' tokens per second by depth, times the number of users: samples of the speed-up over one token a
/// second. The same users with the same coins at every depth and cost, so that differences between depths are
/// paired.
struct Speeds {
  std::vector<std::vector<double>> by_depth;  // (0..12, users)

  int best() const {
    int best = 0;
    for (int k = 1; k <= kDeepest; ++k) {
      if (estimate(at(k)).mean > estimate(at(best)).mean) best = k;
    }
    return best;
  }
  const std::vector<double>& at(int k) const { return by_depth[static_cast<std::size_t>(k)]; }
  /// Standard errors between the speed-up at depth k and the closed form.
  double off(int k, double c) const { return deviation(estimate(at(k)), speed_up(kAcceptance, k, c)); }
  /// Largest of them over k >= 1 (at k 0 nothing is drawn: the speed is 1 exactly).
  double largest_off(double c) const {
    double largest = 0;
    for (int k = 1; k <= kDeepest; ++k) largest = std::max(largest, off(k, c));
    return largest;
  }
};

struct Mutation {
  int depth_shift = 0;
  bool free_anchors = false;
};

Speeds measure(double c, int rounds, const Mutation& mutation = {}) {
  Speeds speeds;
  for (int k = 0; k <= kDeepest; ++k) {
    EndlessReplies scene{.users = 256, .rounds = rounds};
    // With every user in each step, rows cost c / users: a step of all takes 1 + c·k.
    const double per_row = c / scene.users;
    scene.system.cost_parts = {.verify_affine = {.bias_seconds = 1 - c, .seconds_per_token = per_row}};
    if (mutation.free_anchors) scene.system.runner_around = around<AnchorsForNothing>(per_row);
    scene.accept(kAcceptance);
    scene.use("fixed", std::to_string(k + mutation.depth_shift));
    speeds.by_depth.push_back(scene.play().token_rate);
  }
  return speeds;
}

TEST(BestFixedDepth, OfTheClosedFormIsAsPublished) {
  for (const Published& published : kPublished) {
    int best = 0;
    for (int k = 1; k <= 100; ++k) {
      if (speed_up(kAcceptance, k, published.c) > speed_up(kAcceptance, best, published.c)) best = k;
    }
    EXPECT_EQ(best, published.best);
    EXPECT_NEAR(speed_up(kAcceptance, best, published.c), published.speed_up, 0.005);
  }
}

TEST(BestFixedDepth, OfTheEngineIsThatOfTheClosedFormAtItsSpeedUp) {
  std::printf("  c     k   closed form   engine\n");
  for (const Published& published : kPublished) {
    SCOPED_TRACE(::testing::Message() << "c " << published.c);
    const Speeds speeds = measure(published.c, 6000);
    EXPECT_EQ(speeds.best(), published.best);
    EXPECT_LE(speeds.largest_off(published.c), kStandardErrors);
    for (int k = 0; k <= kDeepest; ++k) {
      const auto measured = estimate(speeds.at(k));
      std::printf("  %-4g  %-2d  %.4f        %.4f +- %.4f%s\n", published.c, k,
                  speed_up(kAcceptance, k, published.c), measured.mean, measured.standard_error,
                  k == speeds.best() ? "  best" : "");
      if (k == published.best) continue;
      // The best one is no luck: paired, the gap that theory says is four standard errors and more.
      std::vector<double> gap = speeds.at(published.best);
      for (std::size_t user = 0; user < gap.size(); ++user) gap[user] -= speeds.at(k)[user];
      const double exact =
          speed_up(kAcceptance, published.best, published.c) - speed_up(kAcceptance, k, published.c);
      EXPECT_LE(deviation(estimate(gap), exact), kStandardErrors) << "k " << k;
      EXPECT_GT(exact, kStandardErrors * estimate(gap).standard_error) << "k " << k;
    }
  }
}

TEST(BestFixedDepth, ADepthOffByOneAndFreeAnchorsAreSeen) {
  for (const Published& published : kPublished) {
    SCOPED_TRACE(::testing::Message() << "c " << published.c);
    const Speeds deeper = measure(published.c, 1500, {.depth_shift = 1});
    EXPECT_GT(deeper.largest_off(published.c), kStandardErrors);
    EXPECT_NE(deeper.best(), published.best);
    const Speeds cheaper = measure(published.c, 1500, {.free_anchors = true});
    EXPECT_GT(cheaper.largest_off(published.c), kStandardErrors);
    EXPECT_LE(cheaper.best(), published.best) << "draft tokens weigh more where anchors do not";
  }
}

}  // namespace
}  // namespace dspark
