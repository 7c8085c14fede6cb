#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <set>

#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;

/// Checks every law of the engine as events pass; keeps the first few violations in words.
class LawChecker final : public Watcher {
 public:
  explicit LawChecker(const Engine* engine) : engine_(engine) {}

  void arrived(const RequestSpec& spec) override {
    ++arrived_;
    if (!in_system_.insert({spec.source, spec.ordinal}).second) violate("a request arrived twice");
  }
  void finished(const FinishedRequest& request) override {
    ++finished_;
    if (in_system_.erase({request.spec.source, request.spec.ordinal}) != 1)
      violate("finished without being in the system");
    if (request.output_tokens != request.spec.output_tokens()) violate("a reply of the wrong length");
    if (request.first_token < request.spec.arrival || request.last_token < request.first_token)
      violate("time runs back");
  }
  void preempted(const RequestSpec&) override { ++preempted_; }
  void step_ended(const StepRecord& step) override {
    if (step.begin < last_end_) violate("steps overlap");
    last_end_ = step.end;
    int rows = step.prefill_rows + step.decode_requests();
    for (std::size_t r = 0; r < step.verified.size(); ++r) {
      rows += step.verified[r];
      if (step.verified[r] > step.drafted[r] || step.drafted[r] > step.block_size[r])
        violate("verified more than drafted");
      if (step.accepted[r] < 0 || step.accepted[r] > step.verified[r]) violate("accepted more than verified");
      if (step.delivered[r] < 1 || step.delivered[r] > step.accepted[r] + 1)
        violate("delivered more than accepted + 1");
      if (step.delivered[r] <= step.accepted[r] && !step.cut[r]) violate("a round lost tokens uncut");
    }
    if (rows > most_rows_) violate("more rows than the token budget");
    if (rows == 0) violate("an empty step");
    if (step.running_requests > most_running_) violate("more requests run than max_num_seqs");
    if (engine_ != nullptr) {
      if (engine_->kv().used() != engine_->count_held_blocks()) violate("KV blocks leak");
      if (engine_->requests().live() != in_system_.size()) violate("requests leak");
    }
  }

  void limits(const EngineOptions& options) {
    most_rows_ = options.max_num_batched_tokens;
    most_running_ = options.max_num_seqs;
  }
  const std::vector<std::string>& violations() const { return violations_; }
  std::int64_t arrived_ = 0, finished_ = 0, preempted_ = 0;
  std::size_t in_system() const { return in_system_.size(); }

 private:
  void violate(const std::string& what) {
    if (violations_.size() < 5) violations_.push_back(what);
  }
  const Engine* engine_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> in_system_;
  std::vector<std::string> violations_;
  VirtualTime last_end_ = 0;
  int most_rows_ = 1 << 30, most_running_ = 1 << 30;
};

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

TEST(EngineLaws, HoldAtEveryStepForAllPoliciesUnderAnyMemoryPressure) {
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
    LawChecker laws(system.engine);
    laws.limits(system.options);
    system.simulation->watch(laws);
    const auto stop = system.simulation->run([&] { return laws.finished_ >= 300; }, nullptr);
    EXPECT_EQ(stop, Simulation::Stop::kFinished) << "deadlock: nothing is pending";
    EXPECT_THAT(laws.violations(), ::testing::IsEmpty());
    EXPECT_EQ(laws.arrived_, laws.finished_ + static_cast<std::int64_t>(laws.in_system()));
    preemptions += laws.preempted_;
    if (c.kv_blocks == 4096) {
      EXPECT_EQ(laws.preempted_, 0);
    }
  }
  EXPECT_GT(preemptions, 100) << "the small caches were meant to preempt";
}

TEST(EngineLaws, TheCheckerFindsPlantedViolations) {
  const RequestSpec spec{.source = 3, .prompt_tokens = 5, .output_limit = 4};
  const std::vector<int> block{3}, drafted{3}, verified{4}, accepted{5};
  const std::vector<std::int32_t> delivered{7};
  const std::vector<std::uint8_t> cut{0};
  LawChecker laws(nullptr);
  laws.limits({.max_num_seqs = 1, .max_num_batched_tokens = 2});
  laws.arrived(spec);
  laws.arrived(spec);
  laws.step_ended({.begin = -5,
                   .end = 1,
                   .running_requests = 2,
                   .block_size = block,
                   .drafted = drafted,
                   .verified = verified,
                   .accepted = accepted,
                   .delivered = delivered,
                   .cut = cut});
  EXPECT_THAT(laws.violations(),
              ::testing::ElementsAre("a request arrived twice", "steps overlap", "verified more than drafted",
                                     "accepted more than verified", "delivered more than accepted + 1"));
  LawChecker other(nullptr);
  other.finished({.spec = spec, .first_token = 2, .last_token = 1, .output_tokens = 9});
  EXPECT_THAT(other.violations(), ::testing::ElementsAre("finished without being in the system",
                                                         "a reply of the wrong length", "time runs back"));
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
