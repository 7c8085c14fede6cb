// The paths of a few small systems, event by event, as they were when last approved: every build of every
// compiler option takes them, and none changes unnoticed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;
using testing::written;
using testing::written_map;

const char* const kFile = DSPARK_SOURCE_DIR "/tests/sim/golden_digests.txt";

/// Six systems that differ in all that decides a path: policy, arrivals, where prompts are computed, who gets
/// rows first, room in the cache, domains, confidence.
std::vector<std::pair<std::string, SmallSystem>> systems() {
  std::vector<std::pair<std::string, SmallSystem>> all;
  const auto add = [&all](const std::string& policy, const std::string& value) -> SmallSystem& {
    SmallSystem& system = all.emplace_back(policy + (value.empty() ? "" : ":" + value), SmallSystem{}).second;
    system.policy_name = policy;
    system.policy_value = value;
    return system;
  };
  add("none", "");
  SmallSystem& fixed = add("fixed", "3");
  fixed.options.prefill = Prefill::kElsewhere;
  fixed.arrivals_name = "poisson";
  fixed.arrivals = written_map({{"rate", written("80")}});
  SmallSystem& dspark = add("dspark", "");
  dspark.options.kv_blocks = 40;  // preempts
  dspark.batching_name = "prefill_first";
  dspark.arrivals_name = "gamma";
  dspark.arrivals = written_map({{"rate", written("80")}, {"cv", written("3")}});
  SmallSystem& async = add("dspark_async", "");
  async.options.prefill = Prefill::kElsewhere;
  async.options.kv_blocks = 40;
  async.arrivals = written_map({{"users", written("12")}, {"think_seconds", written("0.05")}});
  SmallSystem& smart = add("smart_spec", "");
  smart.domains.push_back({{2.5, 2.0, 1.8, 1.6}, 0.8});
  smart.workload = written_map({{"prompt_tokens", written_map({{"fixed", written("12")}})},
                                {"output_tokens", written_map({{"fixed", written("30")}})},
                                {"domains", written_map({{"hard", written("1")}, {"easy", written("2")}})}});
  SmallSystem& adaedl = add("adaedl", "");
  adaedl.spread = {.between_request_share = 0.3, .text_share = 0.5, .text_correlation_tokens = 4};
  adaedl.options.max_num_batched_tokens = 24;  // hardly room for the drafts
  return all;
}

std::string digests() {
  std::string lines;
  for (auto& [name, system] : systems()) {
    struct Finished final : Watcher {
      int count = 0;
      void finished(const FinishedRequest&) override { ++count; }
    } finished;
    system.build();
    system.simulation->watch(finished);
    const auto stop = system.simulation->run([&] { return finished.count >= 200; }, nullptr);
    EXPECT_EQ(stop, Simulation::Stop::kFinished) << name;
    const auto digest = system.simulation->digest().value();
    lines += fmt::format("{:<13} {:>6} events {:016x}{:016x}\n", name, system.simulation->events(), digest[0],
                         digest[1]);
  }
  return lines;
}

TEST(GoldenDigests, EveryBuildTakesTheApprovedPaths) {
  const std::string now = digests();
  if (std::getenv("DSPARK_APPROVE") != nullptr) std::ofstream(kFile) << now;
  std::ifstream file(kFile);
  const std::string approved{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(now, approved)
      << "If the change of path is meant, approve it and say why in the commit:\n"
         "  DSPARK_APPROVE=1 build/release/tests/sim_fast_tests --gtest_filter='GoldenDigests.*'\n"
         "If only one build differs (release, asan, tsan), it is a defect.";
}

TEST(GoldenDigests, SystemsThatDifferInAnythingTakePathsOfTheirOwn) {
  std::set<std::array<std::uint64_t, 2>> seen;
  auto all = systems();
  all.push_back({"another key", SmallSystem{}});
  all.back().second.key = {1, 3};
  all.push_back({"another token budget", SmallSystem{}});
  all.back().second.options.max_num_batched_tokens = 24;
  all.push_back({"as it stands", SmallSystem{}});
  for (auto& [name, system] : all) {
    system.build();
    system.simulation->run([&, events = 0]() mutable { return ++events >= 1000; }, nullptr);
    EXPECT_TRUE(seen.insert(system.simulation->digest().value()).second) << name;
  }
}

}  // namespace
}  // namespace dspark
