// What a scenario makes of the ways to give acceptance, and what it refuses.
#include "sim/acceptance/acceptance_parameters.h"

#include <gmock/gmock.h>

#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::texts;
using testing::written;
using testing::written_list;
using testing::written_map;

const char* const kRounds =
    "request,round,drafted,verified,accepted,confidence_1,confidence_2,confidence_3\n"
    "0,0,3,3,1,0.9,0.5,0.4\n"
    "0,1,3,3,3,0.9,0.8,0.7\n";

struct Read {
  std::unique_ptr<const Scenario> scenario;
  std::vector<std::string> errors;
};

/// A whole scenario around `acceptance`; every file that it names is `kRounds`.
Read read(Value acceptance, Value policy = written("dspark"), Value confidence = written("raw")) {
  Parameters parameters(
      written_map(
          {{"machine",
            written_map(
                {{"modelled", written_map({{"verify_cost", written_map({{"bias_ms", written("5")},
                                                                        {"per_token_ms", written("0.02")}})},
                                           {"acceptance", std::move(acceptance)}})}})},
           {"workload",
            written_map({{"arrivals", written_map({{"closed_loop", written_map({{"users", written("8")}})}})},
                         {"prompt_tokens", written_map({{"fixed", written("20")}})},
                         {"output_tokens", written_map({{"fixed", written("60")}})}})},
           {"policy", std::move(policy)},
           {"confidence", std::move(confidence)},
           {"stop", written_map({{"requests", written("150")}, {"warmup_requests", written("30")}})}}),
      [](const std::string& path, const Position& position) {
        return Result<InputFile>(InputFile{path, kRounds, position});
      });
  Read result;
  result.scenario = Scenario::read(parameters);
  parameters.finish();
  result.errors = texts(parameters.errors());
  return result;
}

double metric(const Read& read, const std::string& name) {
  const auto result = read.scenario->run(3, 0);
  for (const MetricValue& value : result->metrics) {
    if (value.name == name) return value.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return 0;
}

const FitLine* fit_of(const Read& read, const std::string& what) {
  for (const FitLine& line : read.scenario->fits()) {
    if (line.what == what) return &line;
  }
  return nullptr;
}

TEST(AcceptanceParameters, LengthsThatNoAcceptanceHasAreFittedAndTheResidualIsReported) {
  const auto lengths = [](const char* bonus, std::vector<std::string> tokens) {
    return written_map({{"accepted_lengths", written_map({{"k", written_list({"5", "7"})},
                                                          {"tokens", written_list(std::move(tokens))},
                                                          {"bonus_token", written(bonus)}})}});
  };
  for (const Read& found :
       {read(lengths("included", {"2.97", "2.92"})), read(lengths("excluded", {"1.97", "1.92"}))}) {
    ASSERT_THAT(found.errors, IsEmpty());
    const FitLine* five = fit_of(found, "accepted length at k 5");
    const FitLine* seven = fit_of(found, "accepted length at k 7");
    ASSERT_TRUE(five && seven);
    EXPECT_NEAR(five->measured, 2.97, 1e-9);
    EXPECT_NEAR(five->modelled, 2.945, 1e-3);
    EXPECT_NEAR(seven->measured, 2.92, 1e-9);
    EXPECT_NEAR(seven->modelled, 2.945, 1e-3);
  }
}

TEST(AcceptanceParameters, APresetBringsItsStructureUnlessTheSharesAreGiven) {
  const Read own = read(written_map({{"preset", written("llama31-8b/eagle/gsm8k")}}));
  ASSERT_THAT(own.errors, IsEmpty());
  const FitLine* spread = fit_of(own, "spread of acceptance between requests, llama31-8b/eagle/gsm8k");
  ASSERT_NE(spread, nullptr);
  EXPECT_EQ(spread->measured, 0.0426);
  EXPECT_NEAR(spread->modelled, 0.0426, 0.0015);
  const Read given =
      read(written_map({{"preset", written("llama31-8b/eagle/gsm8k")}, {"text_share", written("0.2")}}));
  ASSERT_THAT(given.errors, IsEmpty());
  for (const FitLine& line : given.scenario->fits())
    EXPECT_THAT(line.what, ::testing::Not(HasSubstr("spread")));
}

TEST(AcceptanceParameters, TemperaturesUndoTheMiscalibrationThatPoliciesWouldSee) {
  const auto boastful = [] {
    return written_map({{"survival", written_list({"0.8", "0.5", "0.3"})},
                        {"miscalibration", written_map({{"temperature", written("0.4")}})}});
  };
  const Value temperatures =
      written_map({{"temperature_scaling", written_map({{"temperatures", written_list({"2.5"})}})}});
  const Read raw = read(boastful()), undone = read(boastful(), written("dspark"), temperatures);
  ASSERT_THAT(raw.errors, IsEmpty());
  ASSERT_THAT(undone.errors, IsEmpty());
  EXPECT_GT(metric(raw, "confidence_ece"), 0.05);
  EXPECT_LT(metric(undone, "confidence_ece"), 0.02);
}

TEST(AcceptanceParameters, RecordedRoundsAreReplayedAndWhatTheyLackCannotBeAskedFor) {
  const auto recorded = [] { return written_map({{"rounds", written_map({{"file", written("r.csv")}})}}); };
  const Read fixed = read(recorded(), written("fixed:3"));
  ASSERT_THAT(fixed.errors, IsEmpty());
  EXPECT_NEAR(metric(fixed, "accepted_length"), 3, 0.1) << "1 and 3 accepted, in turn, and the bonus token";
  EXPECT_THAT(read(recorded(), written("svip")).errors,
              Contains(HasSubstr("policy 'svip' reads the entropy, which the recorded rounds do not have")));
  EXPECT_THAT(
      read(recorded(), written("dspark"), written("margin_estimator")).errors,
      Contains(HasSubstr("the margin estimator reads the margin, which the recorded rounds do not have")));
  EXPECT_THAT(
      read(written_map({{"rounds", written_map({{"file", written("r.csv")}})}, {"auc", written("0.8")}}))
          .errors,
      Contains(HasSubstr("'auc' does not apply beside 'rounds'")));
}

}  // namespace
}  // namespace dspark
