// A run on a real machine again, on the clock of its recording.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "executor/machine/executor_machine.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;
using testing::texts;
using testing::written;
using testing::written_map;

const std::string kModels = DSPARK_SOURCE_DIR "/tests/executor/model/data";

struct Written {
  std::string policy = "dspark";
  std::string drafter = "ngram";
  std::string threads = "1";
  std::string temperature = "0";
  std::string kv_blocks = "16";  // the requests would take 25
  bool with_costs = false;

  Value tree() const {
    Value::Map executor = {
        {"target", {}, written("qwen3_tied")},
        {"drafter", {}, written(drafter)},
        {"block_size", {}, written("4")},
        {"threads", {}, written(threads)},
        {"kv", {}, written_map({{"blocks", written(kv_blocks)}, {"block_tokens", written("8")}})}};
    if (with_costs) {
      const Value verify = written_map({{"bias_ms", written("1")}, {"per_token_ms", written("0.2")}});
      executor.push_back({"cost", {}, written_map({{"verify_cost", verify}})});
    }
    return written_map(
        {{"machine", written_map({{"use", written("executor")}, {"executor", Value{executor, {}}}})},
         {"engine", written_map({{"max_num_seqs", written("6")}, {"max_num_batched_tokens", written("64")}})},
         {"workload",
          written_map({{"arrivals", written_map({{"poisson", written_map({{"rate", written("5000")}})}})},
                       {"prompt_tokens", written_map({{"fixed", written("12")}})},
                       {"output_tokens", written_map({{"fixed", written("24")}})},
                       {"temperature", written(temperature)}})},
         {"policy", written_map({{policy, testing::required_parameters(policy)}})},
         {"stop", written_map({{"requests", written("20")}, {"warmup_requests", written("4")}})}});
  }
};

std::unique_ptr<const Scenario> scenario(const Written& experiment) {
  const std::vector<MachineEntry> machines = {executor_machine_entry(kModels)};
  Parameters parameters(experiment.tree());
  auto read = Scenario::read(parameters, machines);
  EXPECT_TRUE(read) << ::testing::PrintToString(texts(parameters.errors()));
  return read;
}

ReplicationResult measured(const Scenario& scenario) {
  auto result = scenario.run(3, 1);
  EXPECT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(result->recording);
  return *std::move(result);
}

std::map<std::string, double> metrics(const ReplicationResult& result) {
  std::map<std::string, double> values;
  for (const MetricValue& metric : result.metrics) values[metric.name] = metric.value;
  return values;
}

void expect_the_same(const Result<ReplicationResult>& again, const ReplicationResult& first) {
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->digest, first.digest);
  EXPECT_EQ(metrics(*again), metrics(first));
  EXPECT_EQ(again->recording, first.recording);
  EXPECT_EQ(again->events, first.events);
  EXPECT_EQ(again->simulated_seconds, first.simulated_seconds);
  ASSERT_EQ(again->series.size(), first.series.size());
  for (std::size_t i = 0; i < first.series.size(); ++i) {
    EXPECT_EQ(again->series[i].throughput, first.series[i].throughput);
    EXPECT_EQ(again->series[i].verification_length, first.series[i].verification_length);
  }
}

TEST(RecordedDurations, ServedAgainARunIsTheSameForPoliciesDraftersTemperaturesAndThreads) {
  for (const char* policy : {"fixed", "dspark", "smart_spec", "gamma_tune"}) {
    for (const char* drafter : {"ngram", "llama_tied_llama3"}) {
      for (const char* temperature : {"0", "0.8"}) {
        SCOPED_TRACE(fmt::format("{} {} {}", policy, drafter, temperature));
        const auto one_thread = scenario({.policy = policy, .drafter = drafter, .temperature = temperature});
        const ReplicationResult first = measured(*one_thread);
        EXPECT_GT(metrics(first)["preemptions"], 0) << "memory is small";
        EXPECT_TRUE(first.recording->belief);
        EXPECT_FALSE(find_spoilt(*first.recording));
        ASSERT_TRUE(first.recording->baseline);
        EXPECT_GT(first.recording->baseline->before, 0);
        EXPECT_GT(first.recording->baseline->after, 0);
        expect_the_same(one_thread->replay(3, 1, *first.recording), first);
        const auto three =
            scenario({.policy = policy, .drafter = drafter, .threads = "3", .temperature = temperature});
        expect_the_same(three->replay(3, 1, *first.recording), first);
      }
    }
  }
}

TEST(RecordedDurations, OtherDurationsOrAnotherBeliefAreAnotherRun) {
  const auto experiment = scenario({});
  const ReplicationResult first = measured(*experiment);
  StepRecording slower = *first.recording;
  for (StepSeconds& step : slower.steps) step.verify *= 1000;
  const auto at_other_times = experiment->replay(3, 1, slower);
  EXPECT_TRUE(!at_other_times || at_other_times->digest != first.digest) << "arrivals do not wait";
  // What this computer measured may be near one of these, but not near both.
  const auto decided_alike = [&](AffineCost belief) {
    StepRecording other = *first.recording;
    other.belief = belief;
    const auto replayed = experiment->replay(3, 1, other);
    return replayed && replayed->digest == first.digest;
  };
  const bool where_tokens_cost_nothing = decided_alike({.bias_seconds = 1});
  const bool where_they_cost_all = decided_alike({.bias_seconds = 1e-9, .seconds_per_token = 1});
  EXPECT_FALSE(where_tokens_cost_nothing && where_they_cost_all) << "the policy weighs tokens";
}

TEST(RecordedDurations, MoreOrFewerStepsThanTheRunHasAreRefusedWithTheirStep) {
  const auto experiment = scenario({});
  const ReplicationResult first = measured(*experiment);
  const std::size_t steps = first.recording->steps.size();
  StepRecording cut = *first.recording;
  cut.steps.resize(7);
  const auto too_few = experiment->replay(3, 1, cut);
  ASSERT_FALSE(too_few);
  EXPECT_THAT(to_string(too_few.error()), HasSubstr("step 7 begins, but the recorded run has 7 steps"));
  StepRecording longer = *first.recording;
  longer.steps.push_back(longer.steps.back());
  const auto too_many = experiment->replay(3, 1, longer);
  ASSERT_FALSE(too_many);
  EXPECT_THAT(
      to_string(too_many.error()),
      HasSubstr(fmt::format("ends after {} steps, but the recorded run has {} steps", steps, steps + 1)));
}

TEST(RecordedDurations, ABeliefThatTheExperimentGivesIsNotRecorded) {
  const auto given = scenario({.with_costs = true});
  const ReplicationResult first = measured(*given);
  EXPECT_FALSE(first.recording->belief);
  expect_the_same(given->replay(3, 1, *first.recording), first);
  StepRecording with_belief = *first.recording;
  with_belief.belief = AffineCost{.bias_seconds = 1};
  EXPECT_FALSE(given->replay(3, 1, with_belief)) << "there is no place for it";
  StepRecording without = measured(*scenario({})).recording.value();
  without.belief.reset();
  EXPECT_FALSE(scenario({})->replay(3, 1, without));
}

TEST(RecordedDurations, TheFilesThatNumbersDependOnAreThoseOfTargetAndDrafter) {
  const auto names = [](const Scenario& scenario) {
    std::vector<std::string> files;
    for (const std::string& path : scenario.model_files()) files.push_back(path.substr(kModels.size() + 1));
    return files;
  };
  EXPECT_THAT(names(*scenario({})),
              ::testing::IsSupersetOf({"qwen3_tied/config.json", "qwen3_tied/model.safetensors"}));
  EXPECT_THAT(names(*scenario({.drafter = "llama_tied_llama3"})),
              ::testing::IsSupersetOf({"qwen3_tied/config.json", "llama_tied_llama3/model.safetensors"}));
}

}  // namespace
}  // namespace dspark
