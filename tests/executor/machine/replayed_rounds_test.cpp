// Policies decide identically in simulator and executor: a recorded run, played to the engine by
// RecordedRunner, is the same step by step.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "executor/machine/executor_machine.h"
#include "policies/depth/depth_policy_registry.h"
#include "sim/recording/recorded_runner.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;
using testing::texts;
using testing::written;
using testing::written_map;

const std::string kModels = DSPARK_SOURCE_DIR "/tests/executor/model/data";
const std::string kDspark = "../../drafter/data/dspark_vanilla";

struct Written {
  std::string policy = "dspark";
  Value policy_parameters = testing::required_parameters(policy);
  std::string drafter = kDspark;
  std::string block_size = "4";
  std::string temperature = "0";
  std::string kv_blocks = "16";  // the requests would take 25
  std::string confidence = "raw";
  Value confidence_parameters = {};
  bool with_costs = false;
  bool cap_accept = false;

  Value tree() const {
    Value::Map executor = {
        {"target", {}, written("qwen3_tied")},
        {"drafter", {}, written(drafter)},
        {"block_size", {}, written(block_size)},
        {"threads", {}, written("1")},
        {"kv", {}, written_map({{"blocks", written(kv_blocks)}, {"block_tokens", written("8")}})}};
    if (with_costs) {
      const Value verify = written_map({{"bias_ms", written("1")}, {"per_token_ms", written("0.2")}});
      executor.push_back({"cost", {}, written_map({{"verify_cost", verify}})});
    }
    return written_map(
        {{"machine", written_map({{"use", written("executor")}, {"executor", Value{executor, {}}}})},
         {"engine", written_map({{"max_num_seqs", written("6")},
                                 {"max_num_batched_tokens", written("64")},
                                 {"cap_accept", written(cap_accept ? "true" : "false")}})},
         {"workload",
          written_map({{"arrivals", written_map({{"poisson", written_map({{"rate", written("5000")}})}})},
                       {"prompt_tokens", written_map({{"fixed", written("12")}})},
                       {"output_tokens", written_map({{"fixed", written("24")}})},
                       {"temperature", written(temperature)}})},
         {"policy", written_map({{policy, policy_parameters}})},
         {"confidence", written_map({{confidence, confidence_parameters}})},
         {"stop", written_map({{"requests", written("20")}, {"warmup_requests", written("4")}})}});
  }
};

/// Null where the policy cannot be served by this drafter.
std::unique_ptr<const Scenario> scenario(const Written& experiment) {
  static const std::vector<MachineEntry> machines = {executor_machine_entry(kModels)};
  Parameters parameters(experiment.tree());
  return Scenario::read(parameters, machines);
}

struct Recorded {
  RunRecording recording;
  ReplicationResult result;
};
Recorded recorded(const Scenario& scenario) {
  Recorded recorded;
  auto result = scenario.record(3, 1, recorded.recording);
  EXPECT_TRUE(result) << to_string(result.error());
  if (result) recorded.result = *std::move(result);
  const auto spoilt = find_spoilt(recorded.recording);
  EXPECT_FALSE(spoilt) << to_string(*spoilt);
  return recorded;
}

std::map<std::string, double> metrics(const ReplicationResult& result) {
  std::map<std::string, double> values;
  for (const MetricValue& metric : result.metrics) values[metric.name] = metric.value;
  return values;
}

void expect_the_same_run(const Scenario& scenario, const Recorded& recorded) {
  const auto replay = scenario.play(3, 1, recorded.recording);
  ASSERT_TRUE(replay) << to_string(replay.error());
  ASSERT_FALSE(replay->difference) << to_string(*replay->difference);
  EXPECT_EQ(replay->steps, static_cast<std::int64_t>(recorded.recording.steps.size()));
  EXPECT_EQ(replay->rounds, static_cast<std::int64_t>(recorded.recording.rounds.size()));
  EXPECT_EQ(replay->result.digest, recorded.result.digest);
  EXPECT_EQ(metrics(replay->result), metrics(recorded.result));
}

TEST(ReplayedRounds, AreTheRecordedOnesForEveryPolicyThatCanBeServed) {
  for (const std::string& drafter : {kDspark, std::string("ngram"), std::string("llama_tied_llama3")}) {
    int served = 0;
    for (const std::string& policy : depth_policy_names()) {
      for (const char* temperature : {"0", "0.8"}) {
        SCOPED_TRACE(fmt::format("{} {} {}", drafter, policy, temperature));
        const Written experiment{.policy = policy, .drafter = drafter, .temperature = temperature};
        const auto read = scenario(experiment);
        if (!read) continue;
        ++served;
        const Recorded first = recorded(*read);
        EXPECT_GT(metrics(first.result)["preemptions"], 0) << "memory is small";
        expect_the_same_run(*read, first);
      }
    }
    EXPECT_GT(served, 30) << drafter
                          << ": only oracles cannot, and what reads a divergence that is not there";
  }
}

TEST(ReplayedRounds, AreTheRecordedOnesWithEveryConfidence) {
  const Value temperatures =
      written_map({{"temperatures", Value{Value::List{written("2"), written("0.5")}, {}}}});
  const Value often = written_map({{"refit_steps", written("3")}});
  for (const std::string& drafter : {kDspark, std::string("ngram")}) {
    for (const char* policy : {"dspark", "adaedl", "svip", "dspark_async"}) {
      for (const auto& [confidence, parameters] :
           {std::pair<std::string, Value>{"temperature_scaling", temperatures},
            {"margin_estimator", often}}) {
        SCOPED_TRACE(fmt::format("{} {} {}", drafter, policy, confidence));
        const auto read = scenario({.policy = policy,
                                    .drafter = drafter,
                                    .temperature = "0.8",
                                    .confidence = confidence,
                                    .confidence_parameters = parameters});
        ASSERT_TRUE(read);
        expect_the_same_run(*read, recorded(*read));
      }
    }
  }
}

TEST(ReplayedRounds, AreTheRecordedOnesWithGivenCostsCappedAcceptanceAndNoDrafter) {
  for (const Written& experiment :
       {Written{.with_costs = true}, Written{.cap_accept = true},
        Written{.policy = "none", .policy_parameters = {}, .drafter = "none"}, Written{.kv_blocks = "200"}}) {
    const auto read = scenario(experiment);
    ASSERT_TRUE(read);
    expect_the_same_run(*read, recorded(*read));
  }
}

TEST(ReplayedRounds, RecordingChangesNoDecision) {
  const auto read = scenario({.with_costs = true});
  const Recorded first = recorded(*read);
  const auto again = read->replay(3, 1, *first.result.recording);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->digest, first.result.digest) << "not recorded, on the same clock";
}

TEST(ReplayedRounds, TheFirstOtherDecisionIsNamedWithStepAndRequest) {
  const auto read = scenario({.with_costs = true});
  const Recorded first = recorded(*read);
  std::size_t row = first.recording.rounds.size() / 2;
  while (first.recording.rounds.verified[row] == 0) ++row;
  RunRecording other = first.recording;
  --other.rounds.verified[row];
  const auto replay = read->play(3, 1, other);
  ASSERT_TRUE(replay) << to_string(replay.error());
  ASSERT_TRUE(replay->difference);
  EXPECT_EQ(replay->difference->step, other.step[row]);
  EXPECT_EQ(replay->difference->request, other.rounds.request[row]);
  EXPECT_EQ(replay->difference->recorded, other.rounds.verified[row]);
  EXPECT_EQ(replay->difference->replayed, first.recording.rounds.verified[row]);
  EXPECT_THAT(to_string(*replay->difference), HasSubstr("draft tokens verified"));
}

TEST(ReplayedRounds, AnotherPolicyIsAnotherRun) {
  const auto read = scenario({.policy = "fixed", .policy_parameters = written_map({{"k", written("3")}})});
  const auto other = scenario({.policy = "fixed", .policy_parameters = written_map({{"k", written("2")}})});
  const auto replay = other->play(3, 1, recorded(*read).recording);
  ASSERT_TRUE(replay) << to_string(replay.error());
  ASSERT_TRUE(replay->difference);
  EXPECT_EQ(replay->difference->what, "draft tokens planned");
}

TEST(ReplayedRounds, MoreOrFewerStepsAreADifference) {
  const auto read = scenario({.with_costs = true});
  Recorded first = recorded(*read);
  RunRecording longer = first.recording;
  longer.steps.push_back({.seconds = {.verify = 1}});
  const auto too_many = read->play(3, 1, longer);
  ASSERT_TRUE(too_many && too_many->difference);
  EXPECT_EQ(too_many->difference->what, "steps in all");
  RunRecording cut = first.recording;
  cut.steps.resize(7);
  const auto too_few = read->play(3, 1, cut);
  ASSERT_TRUE(too_few && too_few->difference);
  EXPECT_EQ(too_few->difference->step, 7);
}

TEST(ReplayedRounds, ARecordingOfAnotherMachineIsRefused) {
  const auto read = scenario({.with_costs = true});
  const RunRecording recording = recorded(*read).recording;
  const auto deeper = scenario({.drafter = "ngram", .block_size = "5", .with_costs = true});
  const auto replay = deeper->play(3, 1, recording);
  ASSERT_FALSE(replay);
  EXPECT_THAT(to_string(replay.error()), HasSubstr("blocks of 4 tokens, the experiment's have 5"));
  const auto measured = scenario({})->play(3, 1, recording);
  ASSERT_FALSE(measured) << "what policies believed was not measured";
}

}  // namespace
}  // namespace dspark
