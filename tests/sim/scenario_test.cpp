#include "sim/scenario.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "policies/depth/depth_policy_registry.h"
#include "sim/engine/watcher.h"
#include "tests/policies/depth/required_parameters.h"

namespace dspark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::texts;
using testing::written;
using testing::written_list;
using testing::written_map;

/// A whole scenario; `change` may edit it by top-level key.
Value scenario_value(const std::string& policy = "dspark_async") {
  return written_map(
      {{"machine",
        written_map(
            {{"modelled",
              written_map({{"verify_cost",
                            written_map({{"bias_ms", written("5")}, {"per_token_ms", written("0.02")}})},
                           {"acceptance", written_map({{"survival", written_list({"0.8", "0.5", "0.3"})}})},
                           {"kv", written_map({{"blocks", written("512")}})}})}})},
       {"workload",
        written_map({{"arrivals", written_map({{"closed_loop", written_map({{"users", written("6")}})}})},
                     {"prompt_tokens", written_map({{"fixed", written("20")}})},
                     {"output_tokens", written_map({{"fixed", written("30")}})}})},
       {"policy", written(policy)},
       {"stop", written_map({{"requests", written("60")}, {"warmup_requests", written("12")}})}});
}

Value* at_path(Value& value, std::initializer_list<const char*> path) {
  Value* here = &value;
  for (const char* key : path) {
    for (Value::Entry& entry : std::get<Value::Map>(here->content)) {
      if (entry.key == key) here = &entry.value;
    }
  }
  return here;
}

std::vector<std::string> errors_of(Value value) {
  Parameters parameters(std::move(value));
  const auto scenario = Scenario::read(parameters);
  parameters.finish();
  return texts(parameters.errors());
}

TEST(Scenario, AFurtherWatcherSeesEveryFinishedRequestAndChangesNothing) {
  struct Requests final : Watcher {
    void finished(const FinishedRequest& request) override {
      if (++count > 60) return;  // finished together with the last one that is measured
      seconds += to_seconds(request.last_token - request.spec.arrival);
    }
    int count = 0;
    double seconds = 0;
  } requests;
  Value value = scenario_value();
  *at_path(value, {"stop", "warmup_requests"}) = written("0");
  Parameters parameters(std::move(value));
  const auto scenario = Scenario::read(parameters);
  parameters.finish();
  ASSERT_TRUE(scenario) << to_string(parameters.errors().at(0));
  const auto alone = scenario->run(7, 3);
  const auto watched = scenario->run(7, 3, nullptr, &requests);
  ASSERT_TRUE(alone && watched);
  EXPECT_EQ(watched->digest, alone->digest);
  EXPECT_GE(requests.count, 60);
  const auto mean = std::find_if(watched->metrics.begin(), watched->metrics.end(),
                                 [](const MetricValue& metric) { return metric.name == "end_to_end_mean"; });
  ASSERT_NE(mean, watched->metrics.end());
  EXPECT_NEAR(requests.seconds / 60, mean->value, 1e-9);
}

TEST(Scenario, TheSameSeedAndReplicationGiveTheSameResultOnAnyThread) {
  Parameters parameters(scenario_value());
  const auto scenario = Scenario::read(parameters);
  parameters.finish();
  ASSERT_TRUE(scenario) << to_string(parameters.errors().at(0));
  const auto here = scenario->run(7, 3);
  ASSERT_TRUE(here);
  std::vector<std::array<std::uint64_t, 2>> digests(4);
  {
    std::vector<std::jthread> threads;
    for (auto& digest : digests) threads.emplace_back([&] { digest = scenario->run(7, 3)->digest; });
  }
  for (const auto& digest : digests) EXPECT_EQ(digest, here->digest);
  EXPECT_NE(scenario->run(7, 4)->digest, here->digest);
  EXPECT_NE(scenario->run(8, 3)->digest, here->digest);
}

TEST(Scenario, EveryRegisteredPolicyRunsWithItsDefaults) {
  for (const DepthPolicyEntry& entry : depth_policies()) {
    Value value = scenario_value(entry.name);
    Value required = testing::required_parameters(entry.name);
    if (required.map()) *at_path(value, {"policy"}) = written_map({{entry.name, std::move(required)}});
    Parameters parameters(std::move(value));
    const auto scenario = Scenario::read(parameters);
    ASSERT_TRUE(scenario) << entry.name << ": " << to_string(parameters.errors().at(0));
    const auto result = scenario->run(1, 0);
    ASSERT_TRUE(result) << entry.name;
    Parameters defaults = Parameters::describing();
    EXPECT_EQ(scenario->policy_is_lossless(), entry.construct(defaults)->traits().lossless);
    EXPECT_GT(result->events, 100);
  }
}

TEST(Scenario, IsCancelled) {
  Parameters parameters(scenario_value());
  const auto scenario = Scenario::read(parameters);
  const std::atomic<bool> cancelled{true};
  EXPECT_FALSE(scenario->run(1, 0, &cancelled));
}

TEST(Scenario, RefusesWhatWouldBeIgnoredOrCannotBe) {
  EXPECT_THAT(errors_of(scenario_value()), ::testing::IsEmpty());
  EXPECT_THAT(errors_of(scenario_value("dspork")), Contains(HasSubstr("did you mean 'dspark'?")));

  Value extra = scenario_value();
  std::get<Value::Map>(at_path(extra, {"machine", "modelled"})->content)
      .push_back({"overhead_ms", {}, written("1")});
  EXPECT_THAT(errors_of(extra), Contains(HasSubstr("unknown key 'overhead_ms'")));

  Value rising = scenario_value();
  *at_path(rising, {"machine", "modelled", "acceptance", "survival"}) = written_list({"0.5", "0.6"});
  EXPECT_THAT(errors_of(rising), Contains(HasSubstr("survival at position 2")));

  Value flat = scenario_value();
  *at_path(flat, {"machine", "modelled", "verify_cost", "per_token_ms"}) = written("0");
  EXPECT_THAT(errors_of(flat), Contains(HasSubstr("'per_token_ms' must be a number")));
}

TEST(Scenario, ARequestLargerThanTheCacheIsAnErrorAndNotAHang) {
  Value value = scenario_value();
  *at_path(value, {"machine", "modelled", "kv", "blocks"}) = written("1");
  *at_path(value, {"workload", "output_tokens", "fixed"}) = written("100");
  Parameters parameters(value);
  const auto scenario = Scenario::read(parameters);
  ASSERT_TRUE(scenario);
  const auto result = scenario->run(1, 0);
  ASSERT_FALSE(result);
  EXPECT_THAT(to_string(result.error()), HasSubstr("did not fit into the KV cache of 1 blocks"));
}

TEST(Catalogue, EverythingThatCanBeNamedHasAMeaningAndDocumentedParameters) {
  for (const CatalogueEntry& entry : catalogue()) {
    EXPECT_FALSE(entry.meaning.empty()) << entry.name;
    for (const ParameterRecord& parameter : entry.parameters) {
      EXPECT_FALSE(parameter.meaning.empty()) << entry.name << "." << parameter.name;
    }
  }
  EXPECT_THAT(describe_scenario(), ::testing::SizeIs(::testing::Ge(5)));
}

}  // namespace
}  // namespace dspark
