#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kExamples = DSPARK_SOURCE_DIR "/experiments/examples";

ProgramRun equilibrium(const std::string& arguments) {
  return run_program(kExamples, "equilibrium constant_elasticity.yaml " + arguments);
}
nlohmann::json json(const std::string& arguments) {
  const ProgramRun ran = equilibrium(arguments + " --json");
  EXPECT_EQ(ran.code, 0) << ran.output;
  return nlohmann::json::parse(ran.output);
}

TEST(EquilibriumCommand, TheExampleIsItsClosedForm) {
  for (const double g : {1.2, 1.51, 2.0, 3.0}) {
    for (const double e : {0.0, 0.06, 0.5, 1.0, 1.11, 1.5}) {
      const auto found = json("--set gain=" + std::to_string(g) + " --set elasticity=" + std::to_string(e));
      const double ratio = std::pow(g, e - 1);
      EXPECT_NEAR(found["resource_ratio"].get<double>(), ratio, 1e-9);
      EXPECT_NEAR(found["rebound"]["all"].get<double>(), 1 - (1 - ratio) / (1 - 1 / g), 1e-8);
      EXPECT_NEAR(found["rebound"]["volume"].get<double>(), found["rebound"]["all"].get<double>(), 1e-9);
      EXPECT_NEAR(found["price"].get<double>(), found["price_before"].get<double>() / g, 1e-12);
      EXPECT_EQ(found["user_speed"], 80);
    }
  }
}

TEST(EquilibriumCommand, PresetsComeWithSourceAndCaveatAndNumbersAreAssumptions) {
  EXPECT_THAT(equilibrium("--set elasticity=nber").output,
              AllOf(HasSubstr("NBER working paper 34608"),
                    HasSubstr("but: the same open model at several hosts"), HasSubstr("Backfire")));
  EXPECT_THAT(equilibrium("").output, HasSubstr("chat: price elasticity of requests 0.5000: assumption"));
  EXPECT_THAT(equilibrium("--set segments.chat.latency=search").output,
              AllOf(HasSubstr("Brutlag, Google (2009)"), HasSubstr("extrapolated")));
}

TEST(EquilibriumCommand, WithoutAGainThereIsNoR) {
  EXPECT_THAT(equilibrium("--set gain=1").output,
              AllOf(HasSubstr("No R: gain 1"), HasSubstr("Induced demand")));
  const auto found = json("--set gain=1");
  EXPECT_TRUE(found["rebound"]["all"].is_null());
  EXPECT_TRUE(found["rebound"]["volume"].is_null());
  EXPECT_NEAR(found["resource_ratio"].get<double>(), 1, 1e-12);
}

TEST(EquilibriumCommand, FixedChipsSaySoAndShowTheShadow) {
  const std::string fixed =
      "--set 'supply={fixed_chips: {gpus: 25, tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3}}'";
  EXPECT_THAT(equilibrium(fixed).output, AllOf(HasSubstr("Full rebound"), HasSubstr("shadow rebound")));
  const auto found = json(fixed);
  EXPECT_EQ(found["rebound"]["all"], 1);
  EXPECT_GT(found["rebound"]["shadow"].get<double>(), 0);
  EXPECT_LT(found["rebound"]["shadow"].get<double>(), 1);
}

TEST(EquilibriumCommand, WhatHasNoEquilibriumIsSaidAndIsNoError) {
  // Two chips carry 6040 weighted tokens/s; what a third would cost takes away the demand for it.
  int alternating = 0;
  for (int requests = 10; requests <= 20; ++requests) {
    const ProgramRun ran = equilibrium(
        "--set gain=1.6 --set elasticity=0.9 --set 'supply={linear_cost: {tokens_per_gpu_second: 2000, "
        "user_speed: "
        "80, dollars_per_gpu_hour: 3, whole_chips: true}}' --set segments.chat.requests_per_second=" +
        std::to_string(requests));
    EXPECT_EQ(ran.code, 0) << ran.output;
    alternating += ran.output.find("the market alternates between") != std::string::npos;
  }
  EXPECT_GT(alternating, 0);
}

TEST(EquilibriumCommand, ThePageShowsWhatTheExamplePrints) {
  std::ifstream page(DSPARK_SOURCE_DIR "/docs/demand.md");
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  EXPECT_THAT(text, HasSubstr(equilibrium("--set gain=2 --set elasticity=0.5").output));
}

TEST(EquilibriumCommand, HelpTeachesAndWrongUseIsInvalidInput) {
  const ProgramRun help = run_program(kExamples, "equilibrium --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("rebound R"), HasSubstr("constant_elasticity.yaml --set gain=2")));
  EXPECT_EQ(run_program(kExamples, "equilibrium").code, 2);
  EXPECT_EQ(run_program(kExamples, "equilibrium missing.yaml").code, 2);
}

}  // namespace
}  // namespace dspark
