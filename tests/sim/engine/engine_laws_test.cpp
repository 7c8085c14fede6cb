#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>

#include "tests/sim/engine/run_under_laws.h"

namespace dspark {
namespace {

using testing::SmallSystem;

struct Case {
  std::uint32_t seed;
  Prefill prefill;
  const char* batching;
  const char* policy;
  const char* value;
  int kv_blocks;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint32_t seed = 1;
  for (const char* policy :
       {"none", "fixed", "threshold", "dspark", "dspark_async", "smart_spec", "adaedl", "oracle"}) {
    for (const Prefill prefill : {Prefill::kInStep, Prefill::kElsewhere}) {
      // 40 blocks of 4 tokens hold hardly more than one long request: preemption and shrinking all the time.
      for (const int kv_blocks : {40, 64, 4096}) {
        all.push_back({seed, prefill, seed % 2 ? "decode_first" : "prefill_first", policy,
                       std::string(policy) == "fixed" ? "3" : "", kv_blocks});
        ++seed;
      }
    }
  }
  return all;
}

TEST(EngineLaws, HoldAtEveryEventForAllPoliciesUnderAnyMemoryPressure) {
  std::int64_t preemptions = 0;
  for (const Case& c : cases()) {
    SCOPED_TRACE(::testing::Message()
                 << "seed " << c.seed << " policy " << c.policy << " kv " << c.kv_blocks);
    SmallSystem system;
    system.key = make_random_key(c.seed, 0);
    system.options.prefill = c.prefill;
    system.options.kv_blocks = c.kv_blocks;
    system.batching_name = c.batching;
    system.policy_name = c.policy;
    system.policy_value = c.value;
    system.build();
    LawChecker laws(system.options);
    const auto stop = testing::run_under_laws(system, laws, 300);
    EXPECT_EQ(stop, Simulation::Stop::kFinished) << "deadlock: nothing is pending";
    EXPECT_THAT(laws.violations(), ::testing::IsEmpty());
    EXPECT_EQ(laws.events(), system.simulation->events());
    EXPECT_EQ(system.simulation->arrived(), system.simulation->rejected() + laws.arrived());
    EXPECT_EQ(laws.arrived(), laws.finished() + static_cast<std::int64_t>(system.engine->requests().live()));
    preemptions += laws.preempted();
    if (c.kv_blocks == 4096) {
      EXPECT_EQ(laws.preempted(), 0);
    }
  }
  EXPECT_GT(preemptions, 100) << "the small caches were meant to preempt";
}

/// A request that comes, a step of one reply that verifies two tokens, and its end: no law is broken until a
/// mutant changes something.
struct SmallHistory {
  RequestSpec spec{.source = 3, .prompt_tokens = 5, .output_limit = 4};
  int arrivals = 1;
  std::vector<int> planned{3}, drafted{3}, verified{2}, accepted{1};
  std::vector<std::int32_t> delivered{2};
  std::vector<std::uint8_t> cut{0};
  StepRecord step{};
  bool finishes_another = false;
  VirtualTime first_token = 10, last_token = 20;
  std::int32_t output_tokens = 4;
  VirtualTime first_event = 5, second_event = 20;
  Holdings during{.blocks_used = 2, .blocks_held = 2, .live_requests = 1};

  SmallHistory() {
    step.begin = 10;
    step.end = 20;
    step.running_requests = 1;
  }

  std::set<std::string_view> violations() {
    LawChecker laws({.max_num_seqs = 1, .max_num_batched_tokens = 8});
    step.block_size = planned;
    step.drafted = drafted;
    step.verified = verified;
    step.accepted = accepted;
    step.delivered = delivered;
    step.cut = cut;
    for (int i = 0; i < arrivals; ++i) laws.arrived(spec);
    laws.event_passed(first_event, during);
    laws.step_ended(step);
    laws.event_passed(second_event, during);
    if (finishes_another) {
      RequestSpec another = spec;
      another.ordinal = 1;
      laws.finished({.spec = another, .first_token = 10, .last_token = 20, .output_tokens = 4});
    }
    laws.finished(
        {.spec = spec, .first_token = first_token, .last_token = last_token, .output_tokens = output_tokens});
    return laws.violations();
  }
};

TEST(EngineLaws, EachOfThemFindsTheViolationPlantedForItAndNoOtherDoes) {
  EXPECT_THAT(SmallHistory().violations(), ::testing::IsEmpty());
  const std::map<std::string_view, std::function<void(SmallHistory&)>> mutants = {
      {kTimeRunsBack, [](SmallHistory& h) { h.first_event = h.second_event + 1; }},
      {kArrivedTwice, [](SmallHistory& h) { h.arrivals = 2; }},
      {kFinishedOutside, [](SmallHistory& h) { h.finishes_another = true; }},
      {kWrongLength, [](SmallHistory& h) { h.output_tokens = 3; }},
      {kReplyRunsBack, [](SmallHistory& h) { h.last_token = h.first_token - 1; }},
      {kStepsOverlap, [](SmallHistory& h) { h.step.begin = -1; }},
      {kStepWithoutTime, [](SmallHistory& h) { h.step.end = h.step.begin; }},
      {kEmptyStep,
       [](SmallHistory& h) {
         h.planned = h.drafted = h.verified = h.accepted = {};
         h.delivered = {};
         h.cut = {};
       }},
      {kOverPlanned, [](SmallHistory& h) { h.drafted = {4}; }},
      {kOverDrafted, [](SmallHistory& h) { h.verified = {4}; }},
      {kOverVerified, [](SmallHistory& h) { h.accepted = {3}, h.delivered = {4}; }},
      {kOverAccepted, [](SmallHistory& h) { h.delivered = {3}; }},
      {kNothingDelivered, [](SmallHistory& h) { h.delivered = {0}, h.cut = {1}; }},
      {kTokensLost, [](SmallHistory& h) { h.delivered = {1}; }},
      {kOverBudget, [](SmallHistory& h) { h.step.prefill_rows = 6; }},
      {kOverSequences, [](SmallHistory& h) { h.step.running_requests = 2; }},
      {kBlocksLeak, [](SmallHistory& h) { h.during.blocks_used = 3; }},
      {kRequestsLeak, [](SmallHistory& h) { h.during.live_requests = 2; }},
  };
  for (const std::string_view law : kLaws) {
    ASSERT_TRUE(mutants.contains(law)) << "no violation is planted for: " << law;
    SmallHistory history;
    mutants.at(law)(history);
    EXPECT_THAT(history.violations(), ::testing::ElementsAre(law));
  }
}

/// The checker is wired to the running engine: told of less than the engine was, it sees limits and counts
/// broken.
TEST(EngineLaws, AreCheckedInTheLoopOfARunningEngine) {
  SmallSystem system;
  system.build();
  LawChecker laws({.max_num_seqs = 4, .max_num_batched_tokens = 16});
  system.simulation->watch(laws);
  system.simulation->run(
      [&] {
        Holdings holdings = holdings_of(*system.engine);
        if (laws.events() == 50) ++holdings.blocks_held, --holdings.live_requests;  // after this event only
        laws.event_passed(system.simulation->now(), holdings);
        return laws.finished() >= 50;
      },
      nullptr);
  EXPECT_THAT(laws.violations(),
              ::testing::UnorderedElementsAre(kOverBudget, kOverSequences, kBlocksLeak, kRequestsLeak));
}

TEST(Engine, ARequestThatWouldNeverFitIsRejectedAndItsSourceIsTold) {
  SmallSystem system;
  system.options.kv_blocks = 8;  // 32 tokens
  system.arrivals =
      testing::written_map({{"users", testing::written("2")}, {"think_seconds", testing::written("1")}});
  system.build();
  std::int64_t rounds = 0;
  const auto stop =
      system.simulation->run([&] { return ++rounds > 2000 || system.simulation->rejected() > 20; }, nullptr);
  EXPECT_EQ(stop, Simulation::Stop::kFinished);
  EXPECT_GT(system.simulation->rejected(), 20);
}

TEST(Engine, ArrivalsOfOneInstantShareTheFirstStep) {
  struct FirstStep final : Watcher {
    int requests = 0;
    void step_ended(const StepRecord& step) override {
      if (requests == 0) requests = step.running_requests;
    }
  } first;
  SmallSystem system;
  system.arrivals = testing::written_map({{"users", testing::written("6")}});
  system.build();
  system.simulation->watch(first);
  system.simulation->run([&] { return first.requests > 0; }, nullptr);
  EXPECT_EQ(first.requests, 6);
}

TEST(Engine, TheKnownLimitCapsTheBlockAndTheHiddenEndDoesNot) {
  struct Blocks final : Watcher {
    int capped = 0, full_but_cut = 0;
    void step_ended(const StepRecord& step) override {
      for (std::size_t r = 0; r < step.verified.size(); ++r) {
        capped += step.block_size[r] < 3 ? 1 : 0;
        full_but_cut += step.block_size[r] == 3 && step.cut[r] ? 1 : 0;
      }
    }
  };
  for (const bool known : {true, false}) {
    SmallSystem system;
    const Value fixed = testing::written_map({{"fixed", testing::written("9")}});
    const Value hidden = testing::written_map(
        {{"lognormal",
          testing::written_map({{"median", testing::written("9")}, {"sigma", testing::written("0")}})}});
    system.workload =
        testing::written_map({{"prompt_tokens", fixed}, {"output_tokens", known ? fixed : hidden}});
    system.domains = {{{9, 9, 9}, 0}};  // everything is accepted: rounds of four tokens, 1 + 4 + 4
    system.options.kv_blocks = 4096;
    system.build();
    Blocks blocks;
    system.simulation->watch(blocks);
    int events = 0;
    system.simulation->run([&] { return ++events > 500; }, nullptr);
    EXPECT_EQ(blocks.capped > 0, known);
    if (!known) {
      EXPECT_GT(blocks.full_but_cut, 0);
    }
  }
}

}  // namespace
}  // namespace dspark
