#include "sim/planning/service_limit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/virtual_time.h"
#include "sim/workload/source.h"

namespace dspark {
namespace {

using Quantity = ServiceLimit::Quantity;

/// A request that waits `ttft` seconds and then gets 11 tokens, one every `tpot` seconds.
void finish(LimitWatcher& watcher, double ttft, double tpot, int tokens = 11) {
  RequestSpec spec;
  spec.arrival = to_virtual_time(5);
  FinishedRequest request{spec};
  request.first_token = to_virtual_time(5 + ttft);
  request.last_token = to_virtual_time(5 + ttft + tpot * (tokens - 1));
  request.output_tokens = tokens;
  watcher.finished(request);
}

TEST(ServiceLimit, SharesQuantilesAndMeansAreThoseOfTheMeasuredRequests) {
  const std::vector<ServiceLimit> limits = {{"ttft_p75_ms", Quantity::kTtft, 0.0355, 0.75},
                                            {"tpot_p50_ms", Quantity::kTpot, 0.0055, 0.5},
                                            {"user_speed", Quantity::kUserSpeed, 50, 0},
                                            {"user_speed_p25", Quantity::kUserSpeed, 100, 0.75},
                                            {"end_to_end_p90_ms", Quantity::kEndToEnd, 1, 0.9}};
  LimitWatcher watcher(limits, 2, 4);
  finish(watcher, 9, 9);  // warm-up
  finish(watcher, 9, 9);
  const double tpots[] = {0.005, 0.01, 0.02, 0.005};
  for (int i = 0; i < 4; ++i) finish(watcher, 0.01 * (i + 1), tpots[i]);
  finish(watcher, 9, 9);  // behind the last
  const auto readings = watcher.readings();
  EXPECT_NEAR(readings[0].margin, 0.75 - 0.75, 1e-12);
  EXPECT_NEAR(readings[0].value, 0.03, 1e-9);
  EXPECT_NEAR(readings[0].least_deviation, std::sqrt(0.75 * 0.25 / 4), 1e-12);
  EXPECT_NEAR(readings[1].margin, 0, 1e-12);
  EXPECT_NEAR(readings[1].value, 0.005, 1e-9);
  EXPECT_NEAR(readings[2].value, (200 + 100 + 50 + 200) / 4.0, 1e-6);
  EXPECT_NEAR(readings[2].margin, 137.5 / 50 - 1, 1e-8);
  EXPECT_NEAR(readings[3].margin, 0, 1e-12);  // three of four users have 100 tokens/s
  EXPECT_NEAR(readings[3].value, 100, 1e-6);
  EXPECT_NEAR(readings[4].margin, 0.1, 1e-12);
}

TEST(ServiceLimit, ARejectedRequestMissesEveryShare) {
  const std::vector<ServiceLimit> limits = {{"ttft_p50_ms", Quantity::kTtft, 1, 0.5}};
  LimitWatcher watcher(limits, 0, 2);
  finish(watcher, 0.1, 0.01);
  finish(watcher, 0.1, 0.01);
  watcher.rejected({});
  watcher.rejected({});
  EXPECT_NEAR(watcher.readings()[0].margin, 0.5 - 0.5, 1e-12);
}

TEST(ServiceLimit, RepliesOfOneTokenSayNothingOfTheirSpeed) {
  const std::vector<ServiceLimit> limits = {{"tpot_p50_ms", Quantity::kTpot, 1, 0.5}};
  LimitWatcher watcher(limits, 0, 2);
  finish(watcher, 0.1, 0.01, 1);
  EXPECT_GT(watcher.readings()[0].margin, 0);
}

}  // namespace
}  // namespace dspark
