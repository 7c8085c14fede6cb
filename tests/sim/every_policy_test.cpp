// Every registered policy over every source of acceptance and both kinds of load: the laws of the engine
// hold, nobody starves, and the paths are those last approved.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "sim/acceptance/recorded_acceptance.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/sim/engine/law_checker.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;
using testing::written;
using testing::written_map;

const char* const kFile = DSPARK_SOURCE_DIR "/tests/sim/every_policy_digests.txt";
constexpr int kFinished = 60;

/// Draft tokens that each request gets where it drafted as many, whatever the others need: stated by the
/// policy.
int stated_floor(const std::string& policy) { return policy == "floor" || policy == "ascend_held" ? 1 : 0; }

/// Rounds with every signal, from a latent: what a recorder would have written.
std::shared_ptr<const AcceptanceModel> recorded() {
  constexpr int kGamma = 4;
  const LatentAcceptance latent({{{1.5, 1.0, 0.8, 0.6}, 1.2}}, {}, {}, 0.7);
  Rounds rounds;
  rounds.block_size = kGamma;
  std::vector<RequestId> id(1);
  std::vector<std::uint32_t> source(1), ordinal(1);
  std::vector<std::int32_t> anchor(1), attempt(1), domain(1);
  DraftedBlocks blocks;
  for (source[0] = 0; source[0] < 8; ++source[0]) {
    anchor[0] = 20;
    for (int round = 0; round < 12; ++round) {
      latent.draw({7, 7}, {id, source, ordinal, anchor, attempt, domain}, kGamma,
                  kTop1 | kMargin | kEntropy | kChosen, blocks);
      rounds.request.push_back(source[0]);
      rounds.round.push_back(round);
      rounds.anchor_position.push_back(anchor[0]);
      rounds.domain.push_back(-1);
      rounds.drafted.push_back(kGamma);
      rounds.verified.push_back(kGamma);
      rounds.accepted.push_back(blocks.accepted[0]);
      const auto append = [](std::vector<float>& to, const std::vector<float>& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      append(rounds.confidence, blocks.confidence);
      append(rounds.top1, blocks.top1);
      append(rounds.margin, blocks.margin);
      append(rounds.entropy, blocks.entropy);
      append(rounds.chosen, blocks.chosen);
      append(rounds.acceptance, blocks.confidence);
      anchor[0] += blocks.accepted[0] + 1;
    }
  }
  return *RecordedAcceptance::make(std::move(rounds), {});
}

/// One domain; two that differ in acceptance and calibration, moved by the context; recorded rounds.
void set_acceptance(SmallSystem& system, const std::string& name) {
  if (name == "recorded") system.acceptance = recorded();
  if (name != "shifted") return;
  system.workload = written_map({{"prompt_tokens", written_map({{"fixed", written("12")}})},
                                 {"output_tokens", written_map({{"fixed", written("30")}})},
                                 {"domains", written_map({{"hard", written("1")}, {"easy", written("2")}})}});
  const std::vector<DomainLatent> domains = {{{1.0, 0.8, 0.6, 0.4}, 1.2}, {{2.5, 2.0, 1.8, 1.6}, 0.8}};
  system.acceptance = std::make_shared<LatentAcceptance>(
      domains, LatentSpread{}, std::vector<Miscalibration>{{0.7, 0}, {1, -0.5}}, 0.7,
      AcceptanceShift{.logits_per_context_doubling = -0.5, .trained_context_tokens = 16});
}

void set_policy(SmallSystem& system, const std::string& name) {
  system.policy_name = name;
  system.policy_value = "";
  system.policy_parameters = testing::required_parameters(name);
}

void set_load(SmallSystem& system, const std::string& name) {
  if (name != "open") return;
  system.options.prefill = Prefill::kElsewhere;
  system.arrivals_name = "gamma";
  system.arrivals = written_map({{"rate", written("60")}, {"cv", written("2")}});
}

/// The worst that any request was served, against what it was promised.
struct Starvation final : Watcher {
  explicit Starvation(int promised) : floor(promised) {}
  void finished(const FinishedRequest&) override { ++done; }
  void step_ended(const StepRecord& step) override {
    for (std::size_t r = 0; r < step.verified.size(); ++r) {
      starved += step.delivered[r] < 1;
      below_floor += step.verified[r] < std::min(floor, step.drafted[r]);
    }
  }
  int floor;
  int done = 0;
  int starved = 0;
  int below_floor = 0;
};

std::string served(const std::string& policy, const std::string& acceptance, const std::string& load) {
  SmallSystem system;
  set_policy(system, policy);
  set_acceptance(system, acceptance);
  set_load(system, load);
  system.build();
  LawChecker laws(system.options);
  Starvation starvation(stated_floor(policy));
  system.simulation->watch(laws);
  system.simulation->watch(starvation);
  const std::string line = fmt::format("{:<24}{:<10}{:<8}", policy, acceptance, load);
  const auto stop = system.simulation->run(
      [&] {
        laws.event_passed(system.simulation->now(), holdings_of(*system.engine));
        return starvation.done >= kFinished;
      },
      nullptr);
  EXPECT_EQ(stop, Simulation::Stop::kFinished) << line;
  for (const std::string_view law : laws.violations()) ADD_FAILURE() << line << law;
  EXPECT_EQ(starvation.starved, 0) << line;
  EXPECT_EQ(starvation.below_floor, 0) << line;
  const auto digest = system.simulation->digest().value();
  return fmt::format("{}{:016x}{:016x}\n", line, digest[0], digest[1]);
}

TEST(EveryPolicy, KeepsTheLawsOnEveryAcceptanceAndLoadAndTakesTheApprovedPath) {
  std::string now;
  for (const std::string& policy : depth_policy_names()) {
    for (const char* acceptance : {"latent", "shifted", "recorded"}) {
      for (const char* load : {"closed", "open"}) now += served(policy, acceptance, load);
    }
  }
  if (std::getenv("DSPARK_APPROVE") != nullptr) std::ofstream(kFile) << now;
  std::ifstream file(kFile);
  const std::string approved{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(now, approved) << "Approved as tests/sim/golden_digest_test.cpp says: DSPARK_APPROVE=1.";
}

}  // namespace
}  // namespace dspark
