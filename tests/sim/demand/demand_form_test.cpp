#include "sim/demand/demand_form.h"

#include <gmock/gmock.h>

#include <cmath>

#include "sim/demand/shapley.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using testing::FlowReader;

std::unique_ptr<const DemandForm> form(const std::string& name, const std::string& parameters) {
  Parameters read(FlowReader(parameters).value());
  for (const DemandFormEntry& entry : demand_forms()) {
    if (entry.name != name) continue;
    auto made = entry.construct(read, {"chat", std::nullopt, "", nullptr});
    read.finish();
    for (const Error& error : read.errors()) ADD_FAILURE() << to_string(error);
    return made;
  }
  ADD_FAILURE() << name;
  return nullptr;
}

const Conditions kBase = {2, 0.002, 4, 80};
Conditions at_price(double factor) { return {2 * factor, 0.002 * factor, 4, 80}; }

struct Written {
  std::string name;
  std::string parameters;
};
const std::vector<Written> kForms = {
    {"constant_elasticity", "{elasticity: 0.7}"},
    {"linear", "{elasticity: 0.7}"},
    {"logit", "{elasticity: 0.7, share: 0.25}"},
    {"threshold_mixture", "{willingness_to_pay: {lognormal: {median: 1, sigma: 1.5}}}"},
    {"generalised_cost", "{elasticity: 0.7, dollars_per_waiting_hour: 1}"},
};

TEST(DemandForms, AreOneAtTheBaselineAndNeverRiseWithThePrice) {
  EXPECT_EQ(kForms.size(), demand_forms().size());
  for (const Written& written : kForms) {
    const auto made = form(written.name, written.parameters);
    EXPECT_NEAR(made->relative_volume(kBase, kBase), 1, 1e-15) << written.name;
    double last = HUGE_VAL;
    for (double factor = 0.1; factor < 8; factor *= 1.1) {
      const double volume = made->relative_volume(at_price(factor), kBase);
      EXPECT_GE(volume, 0) << written.name;
      EXPECT_LE(volume, last) << written.name << " at " << factor;
      last = volume;
    }
  }
}

TEST(DemandForms, HaveTheStatedElasticityAtTheBaseline) {
  const double step = 1e-5;
  for (const Written& written : kForms) {
    const auto made = form(written.name, written.parameters);
    const auto volume = [&](double factor) { return made->relative_volume(at_price(factor), kBase); };
    const double elasticity = -(volume(1 + step) - volume(1 - step)) / (2 * step);
    double expected = 0.7;
    if (written.name == "generalised_cost")
      expected *= 0.002 / (0.002 + 4 / 3600.0);  // money's share of the cost
    if (written.name == "threshold_mixture") {   // hazard of the lognormal at the price
      const double z = std::log(2.0) / 1.5;
      expected = std::exp(-z * z / 2) / std::sqrt(2 * M_PI) / 1.5 / (0.5 * std::erfc(z / std::sqrt(2.0)));
    }
    EXPECT_NEAR(elasticity, expected, 1e-7) << written.name;
  }
}

TEST(DemandForms, LineEndsAtItsChokePriceAndLogitSaturates) {
  EXPECT_NEAR(form("linear", "{elasticity: 0.5}")->relative_volume(at_price(2.999), kBase), 0.0005, 1e-12);
  EXPECT_EQ(form("linear", "{elasticity: 0.5}")->relative_volume(at_price(3.001), kBase), 0);
  EXPECT_LT(form("logit", "{elasticity: 5, share: 0.25}")->relative_volume(at_price(0.001), kBase), 4);
  EXPECT_GT(form("logit", "{elasticity: 5, share: 0.25}")->relative_volume(at_price(0.001), kBase), 3.9);
}

TEST(DemandForms, AParetoOfWorthsIsConstantElasticity) {
  const auto mixture = form("threshold_mixture", "{willingness_to_pay: {pareto: {alpha: 0.7}}}");
  const auto constant = form("constant_elasticity", "{elasticity: 0.7}");
  for (const double factor : {0.2, 0.5, 2.0, 5.0}) {
    EXPECT_NEAR(mixture->relative_volume(at_price(factor), kBase),
                constant->relative_volume(at_price(factor), kBase), 1e-13);
  }
}

TEST(DemandForms, BothThresholdsMustBeMet) {
  const auto mixture =
      form("threshold_mixture",
           "{willingness_to_pay: {table: {values: [1, 4], shares: [1, 0.25]}}, tolerable_latency: "
           "{table: {values: [2, 6], shares: [1, 0.5]}}}");
  const Conditions better = {1, 0.001, 2, 80};
  EXPECT_NEAR(mixture->relative_volume(better, kBase), 1 / (0.75 * 0.75), 1e-12);
}

TEST(NormalProbability, IsThatOfTheErrorFunction) {
  for (double x = -30; x <= 8; x += 0.037) {
    const double expected = 0.5 * std::erfc(-x / std::sqrt(2.0));
    EXPECT_NEAR(normal_probability(x), expected, 1e-14) << x;
    EXPECT_NEAR(normal_probability(x) / expected, 1, 1e-10) << x;
  }
}

TEST(Shapley, ValuesAreThoseOfTheGloveGame) {
  // Players 0 and 1 have left gloves, 2 the right one: 1/6, 1/6, 2/3.
  const auto values = shapley_values<3>({0, 0, 0, 0, 0, 1, 1, 1});
  EXPECT_NEAR(values[0], 1 / 6.0, 1e-15);
  EXPECT_NEAR(values[1], 1 / 6.0, 1e-15);
  EXPECT_NEAR(values[2], 2 / 3.0, 1e-15);
}

}  // namespace
}  // namespace dspark
