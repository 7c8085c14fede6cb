#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kExamples = DSPARK_SOURCE_DIR "/experiments/examples";

std::string output(const std::string& arguments, const std::string& file = "constant_elasticity.yaml") {
  const ProgramRun ran = run_program(kExamples, "equilibrium " + file + " " + arguments);
  EXPECT_EQ(ran.code, 0) << ran.output;
  return ran.output;
}

TEST(Uncertainty, WithoutDrawsAMarketIsSolvedAtItsMediansAndSaysSo) {
  const auto drawn = nlohmann::json::parse(output("--set 'elasticity={triangular: [0.2, 0.2, 1.2]}' --json"));
  const double median = 1.2 - std::sqrt(0.5);
  EXPECT_NEAR(drawn["uncertain"][0]["median"].get<double>(), median, 1e-12);
  EXPECT_EQ(drawn["uncertain"][0]["name"], "elasticity");
  EXPECT_FALSE(drawn.contains("uncertainty"));
  EXPECT_NEAR(drawn["resource_ratio"].get<double>(), std::pow(1.51, median - 1), 1e-9);
  EXPECT_THAT(output("--set 'elasticity={any_of: [inelastic, nber, elastic]}'"),
              HasSubstr("One number is uncertain, solved at the medians"));
  EXPECT_THAT(output(""), Not(HasSubstr("uncertain")));
}

TEST(Uncertainty, TheSameBytesOnOneAndFourThreads) {
  for (const std::string kind : {"", " --json"}) {
    const std::string one = output("--draws 100 --jobs 1" + kind, "uncertain_demand.yaml");
    EXPECT_TRUE(one == output("--draws 100 --jobs 4" + kind, "uncertain_demand.yaml")) << kind;
    EXPECT_FALSE(one == output("--draws 100 --seed 2" + kind, "uncertain_demand.yaml")) << kind;
  }
}

TEST(Uncertainty, BandsAreImagesOfTheDrawnElasticitiesAndTheFileOnlyNamesTheDistribution) {
  const auto json = nlohmann::json::parse(
      output("--set gain=2 --set 'elasticity={uniform: [0.5, 1.5]}' --draws 1000 --json"))["uncertainty"];
  const auto rebound = [](double e) { return 1 - (1 - std::pow(2, e - 1)) / (1 - 0.5); };
  const double error = 4 * std::sqrt(0.25 / 1000);
  EXPECT_GT(json["bands"]["rebound"]["p50"].get<double>(), rebound(1 - error));
  EXPECT_LT(json["bands"]["rebound"]["p50"].get<double>(), rebound(1 + error));
  EXPECT_NEAR(json["backfire"]["share"].get<double>(), 0.5, error);
  EXPECT_NEAR(json["tornado"][0]["at_high"]["rebound"].get<double>(), rebound(1.45), 1e-8);
  EXPECT_NEAR(json["sensitivity"][0]["rebound"]["total"]["value"].get<double>(), 1, 0.15);
  EXPECT_THAT(json["deciding"].get<std::string>(), HasSubstr("elasticity decides the answer"));
}

TEST(Uncertainty, ADistributionIsCutToWhatItsKeyMayBeAndSaysHow) {
  const auto json = nlohmann::json::parse(
      output("--set 'price={average_cost: {pass_through: {normal: {mean: 0.9, sd: 0.1}}}}' --json"));
  const double cut_off = 0.5 * std::erfc(1 / std::sqrt(2));  // above 1; below 0 is nothing
  EXPECT_NEAR(json["uncertain"][0]["cut_off"].get<double>(), cut_off, 1e-12);
  EXPECT_LT(json["uncertain"][0]["p95"].get<double>(), 1);
  EXPECT_THAT(
      output("--set 'price={average_cost: {pass_through: {normal: {mean: 0.9, sd: 0.1}}}}' --draws 100"),
      HasSubstr("cut to 0 .. 1, 16 % of the distribution"));
}

TEST(Uncertainty, DrawsThatAreNoMarketAreCountedWithTheReason) {
  // A budget below what the baseline spends is refused; that is 75 $ per hour.
  const auto json = nlohmann::json::parse(
      output("--set 'segments.chat.budget_dollars_per_hour={uniform: [55, 155]}' --draws 400 "
             "--json"))["uncertainty"];
  EXPECT_NEAR(json["endings"]["refused"]["share"].get<double>(), 0.2, 4 * std::sqrt(0.16 / 400));
  ASSERT_GE(json["refusals"].size(), 1u);
  EXPECT_THAT(json["refusals"].begin().key(), HasSubstr("budget"));
  EXPECT_EQ(json["without_rebound"]["count"], json["endings"]["refused"]["count"]);
}

TEST(Uncertainty, LawsOfACrowdAndNamesOfSegmentsAreNoDistributions) {
  const auto json =
      nlohmann::json::parse(output("--set 'segments={normal: {requests_per_second: 50, output_tokens: 300, "
                                   "latency: {closed_loop: {uniform: [10, "
                                   "50]}}, new_applications: {willingness_to_pay: {lognormal: {median: "
                                   "{uniform: [1, 2]}, sigma: 1}}}}}' --json"));
  ASSERT_EQ(json["uncertain"].size(), 2u);
  EXPECT_EQ(json["uncertain"][0]["name"], "segments.normal.latency.closed_loop");
  EXPECT_EQ(json["uncertain"][1]["name"],
            "segments.normal.new_applications.willingness_to_pay.lognormal.median");
}

TEST(Uncertainty, ATableOfApplicationsIsReadBesideTheMarketFile) {
  const std::string applications =
      "--set 'segments.chat.volume={threshold_mixture: {applications: applications.csv}}' --set gain=2";
  // From 0.694 to 0.347 $/Mtoken the rows of weight 5 and 8 appear beside 1 + 3 + 6; the reply takes 3.75 s,
  // so that the row of 3 s is out.
  const auto json = nlohmann::json::parse(output(applications + " --json"));
  EXPECT_NEAR(json["requests_ratio"].get<double>(), (9 + 5 + 8 + 4) / 9.0, 1e-9);
  EXPECT_THAT(output(applications + " --set 'gain={uniform: [1.9, 2.1]}' --draws 100"),
              HasSubstr("GPU-hours, after over before"));
}

TEST(Uncertainty, DrawsNeedADistribution) {
  const ProgramRun ran = run_program(kExamples, "equilibrium constant_elasticity.yaml --draws 100");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("nothing in this market is uncertain"));
}

}  // namespace
}  // namespace dspark
