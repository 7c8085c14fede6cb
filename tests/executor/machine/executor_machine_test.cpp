// An experiment on a real machine: the keys that another machine reads, and a tiny model that serves.
#include "executor/machine/executor_machine.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using testing::texts;
using testing::written;
using testing::written_map;

const std::string kModels = DSPARK_SOURCE_DIR "/tests/executor/model/data";

struct Written {
  std::string use = "executor";
  std::string policy = "fixed";
  Value policy_parameters = written_map({{"k", written("3")}});
  std::string drafter = "ngram";
  std::string target = "qwen3_tied";
  std::string prefill = "in_step";
  Value acceptance = {};  // forced; empty: it is not
  std::string users = "3";

  Value tree() const {
    Value::Map block =
        *written_map({{"target", written(target)},
                      {"drafter", written(drafter)},
                      {"block_size", written("4")},
                      {"threads", written("1")},
                      {"kv", written_map({{"blocks", written("64")}, {"block_tokens", written("8")}})}})
             .map();
    if (!acceptance.empty()) block.push_back({"acceptance", {}, acceptance});
    const Value executor{block, {}};
    // The same acceptance on a modelled machine, for use: modelled.
    const Value verify = written_map({{"bias_ms", written("1")}, {"per_token_ms", written("1")}});
    const Value modelled = written_map({{"verify_cost", verify}, {"acceptance", acceptance}});
    return written_map(
        {{"machine",
          acceptance.empty()
              ? written_map({{"use", written(use)}, {"executor", executor}})
              : written_map({{"use", written(use)}, {"executor", executor}, {"modelled", modelled}})},
         {"engine", written_map({{"max_num_seqs", written("4")},
                                 {"max_num_batched_tokens", written("64")},
                                 {"prefill", written(prefill)}})},
         {"workload",
          written_map({{"arrivals", written_map({{"closed_loop", written_map({{"users", written(users)}})}})},
                       {"prompt_tokens", written_map({{"fixed", written("12")}})},
                       {"output_tokens", written_map({{"fixed", written("24")}})},
                       {"temperature", written("0")}})},
         {"policy", written_map({{policy, policy_parameters}})},
         {"stop", written_map({{"requests", written("12")}, {"warmup_requests", written("3")}})}});
  }
};

struct Read {
  std::unique_ptr<const Scenario> scenario;
  std::vector<std::string> errors;
};

Read read(const Written& experiment) {
  const std::vector<MachineEntry> machines = {executor_machine_entry(kModels)};
  Parameters parameters(experiment.tree());
  Read result;
  result.scenario = Scenario::read(parameters, machines);
  result.errors = texts(parameters.errors());
  return result;
}

std::map<std::string, double> metrics(const ReplicationResult& result) {
  std::map<std::string, double> values;
  for (const MetricValue& metric : result.metrics) values[metric.name] = metric.value;
  return values;
}

TEST(ExecutorMachine, ServesAnExperimentAndMeasuresIt) {
  const Read speculating = read({});
  ASSERT_TRUE(speculating.scenario) << ::testing::PrintToString(speculating.errors);
  EXPECT_TRUE(speculating.scenario->is_measured());
  const auto result = speculating.scenario->run(1, 0);
  ASSERT_TRUE(result) << to_string(result.error());
  auto values = metrics(*result);
  EXPECT_GT(values["accepted_length"], 1) << "a greedy text of a random model repeats itself";
  EXPECT_GT(values["throughput"], 0);

  Written plain;
  plain.policy = "none";
  plain.policy_parameters = {};
  plain.drafter = "none";
  const Read decoding = read(plain);
  ASSERT_TRUE(decoding.scenario) << ::testing::PrintToString(decoding.errors);
  const auto without = decoding.scenario->run(1, 0);
  ASSERT_TRUE(without) << to_string(without.error());
  EXPECT_EQ(metrics(*without)["accepted_length"], 1);
}

TEST(ExecutorMachine, RefusesWhatARealMachineCannot) {
  Written oracle;
  oracle.policy = "oracle";
  oracle.policy_parameters = {};
  EXPECT_THAT(read(oracle).errors,
              ::testing::ElementsAre(::testing::HasSubstr("policy 'oracle' sees outcomes")));
  Written elsewhere;
  elsewhere.prefill = "elsewhere";
  EXPECT_THAT(read(elsewhere).errors,
              ::testing::ElementsAre(::testing::HasSubstr("computes its prompts itself")));
  Written deep;
  deep.policy_parameters = written_map({{"k", written("5")}});
  EXPECT_THAT(read(deep).errors, ::testing::ElementsAre(::testing::HasSubstr(
                                     "asks for 5 draft tokens, the drafter's largest block has 4")));
  Written without_drafter;
  without_drafter.drafter = "none";
  EXPECT_THAT(read(without_drafter).errors,
              ::testing::ElementsAre(::testing::HasSubstr("largest block has 0")));
}

TEST(ExecutorMachine, PoliciesBelieveTheCostsOfTheirOwnExperiment) {
  const auto models = std::vector<MachineEntry>{executor_machine_entry(kModels)};
  const auto belief = [&](const char* bias_ms) {
    Written experiment;
    const Value tree = experiment.tree();
    const Value verify = written_map({{"bias_ms", written(bias_ms)}, {"per_token_ms", written("1")}});
    Value::Map block = *tree.find("machine")->find("executor")->map();
    block.push_back({"cost", {}, written_map({{"verify_cost", verify}})});
    Parameters parameters(Value{block, {}});
    const auto machine = models[0].read(parameters, {});
    EXPECT_TRUE(machine) << ::testing::PrintToString(texts(parameters.errors()));
    StepClock clock(nullptr);
    auto started = machine->start({1, 2}, {.max_num_seqs = 4, .max_num_batched_tokens = 64}, clock, nullptr);
    EXPECT_TRUE(started);
    return started->belief->verify_seconds(1, 1);
  };
  EXPECT_NEAR(belief("2"), 3e-3, 1e-9);
  EXPECT_NEAR(belief("5"), 6e-3, 1e-9) << "though the model stays in memory";
}

Value survival(const std::vector<const char*>& shares) {
  Value::List list;
  for (const char* share : shares) list.push_back(written(share));
  return written_map({{"survival", Value{list, {}}}});
}

/// The machine's own drafts are forced to fare as the model says: for one user its rounds are those of the
/// modelled machine, anchor by anchor.
TEST(ExecutorMachine, ForcedDraftsFareAsOnTheModelledMachine) {
  for (const char* drafter : {"ngram", "qwen3_tied"}) {
    for (const char* policy : {"fixed", "dspark"}) {
      Written forced;
      forced.users = "1";
      forced.drafter = drafter;
      forced.policy = policy;
      if (std::string(policy) == "dspark") forced.policy_parameters = {};
      forced.acceptance = survival({"0.8", "0.6", "0.5", "0.3"});
      Written modelled = forced;
      modelled.use = "modelled";
      SCOPED_TRACE(drafter + std::string(" ") + policy);
      const Read real = read(forced);
      const Read model = read(modelled);
      ASSERT_TRUE(real.scenario) << ::testing::PrintToString(real.errors);
      ASSERT_TRUE(model.scenario) << ::testing::PrintToString(model.errors);
      EXPECT_FALSE(real.scenario->fits().empty()) << "its survival was solved for";
      const auto measured = real.scenario->run(1, 0);
      const auto predicted = model.scenario->run(1, 0);
      ASSERT_TRUE(measured) << to_string(measured.error());
      ASSERT_TRUE(predicted) << to_string(predicted.error());
      if (std::string(policy) == "dspark") continue;  // it weighs what steps cost here
      for (const char* metric : {"accepted_length", "verification_length", "acceptance_rate"})
        EXPECT_EQ(metrics(*measured)[metric], metrics(*predicted)[metric]) << metric;
    }
  }
}

TEST(ExecutorMachine, RefusesAnAcceptanceThatItsDrafterCannotHave) {
  Written none;
  none.drafter = "none";
  none.policy = "none";
  none.policy_parameters = {};
  none.acceptance = survival({"0.8", "0.6", "0.5", "0.3"});
  EXPECT_THAT(read(none).errors, ::testing::ElementsAre(::testing::HasSubstr("there is no drafter")));
  Written shorter;
  shorter.acceptance = survival({"0.8", "0.6", "0.5"});
  EXPECT_THAT(read(shorter).errors,
              ::testing::ElementsAre(::testing::HasSubstr("blocks of 3 tokens fare, the drafter's have 4")));
}

TEST(ExecutorMachine, AModelDraftsForAnother) {
  Written chain;
  chain.drafter = "qwen3_tied";  // its own text, so every draft is accepted
  const Read experiment = read(chain);
  ASSERT_TRUE(experiment.scenario) << ::testing::PrintToString(experiment.errors);
  const auto result = experiment.scenario->run(1, 0);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(metrics(*result)["accepted_length"], 4);
}

TEST(ExecutorMachine, DsdeHearsTheDivergenceOfDraftersThatHaveOne) {
  for (const char* drafter : {"llama_tied_llama3", "../../drafter/data/dspark_vanilla"}) {
    Written dsde;
    dsde.policy = "dsde";
    dsde.policy_parameters = written_map({{"warmup_tokens", written("4")}});
    dsde.drafter = drafter;
    const Read experiment = read(dsde);
    ASSERT_TRUE(experiment.scenario) << ::testing::PrintToString(experiment.errors);
    const auto result = experiment.scenario->run(1, 0);
    ASSERT_TRUE(result) << to_string(result.error());
    // The divergence of random models is large: behind the warm-up it drafts the least, 2 tokens.
    EXPECT_LT(metrics(*result)["verification_length"], 3) << drafter;
  }
  Written looked_up;
  looked_up.policy = "dsde";
  looked_up.policy_parameters = {};
  EXPECT_THAT(read(looked_up).errors,
              ::testing::ElementsAre(::testing::HasSubstr(
                  "policy 'dsde' reads the divergence, which the drafter does not have")));
}

TEST(ExecutorMachine, AModelThatIsNotThereIsAnErrorOfTheRun) {
  Written missing;
  missing.target = "no_such_model";
  const Read experiment = read(missing);
  ASSERT_TRUE(experiment.scenario);
  const auto result = experiment.scenario->run(1, 0);
  ASSERT_FALSE(result);
  EXPECT_THAT(to_string(result.error()), ::testing::HasSubstr("no_such_model/config.json"));
}

}  // namespace
}  // namespace dspark
