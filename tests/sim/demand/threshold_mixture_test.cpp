#include "sim/demand/threshold_mixture.h"

#include <gmock/gmock.h>

#include "sim/demand/rebound.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

constexpr const char* kRows =
    "dollars_per_million_tokens,seconds,weight\n"
    "5,1,2\n"
    "0.3,60,4\n"
    "0.5,10,1\n"
    "1.4,30,3\n";

Result<std::vector<ApplicationRow>> rows_of(const std::string& csv) {
  return read_application_rows({"applications.csv", csv, {}});
}
std::string error_of(const std::string& csv) {
  const auto rows = rows_of(csv);
  return rows ? "" : to_string(rows.error());
}

FileLoader one_file() {
  return [](const std::string& path, const Position& position) -> Result<InputFile> {
    return InputFile{path, kRows, position};
  };
}

TEST(ThresholdMixture, RowsExistWhereBothThresholdsAreMet) {
  Parameters parameters(testing::FlowReader("{applications: applications.csv}").value(), one_file());
  const ThresholdMixture mixture(parameters, {});
  ASSERT_TRUE(parameters.errors().empty());
  const auto rows = rows_of(kRows);
  ASSERT_TRUE(rows);
  for (const double price : {0.1, 0.3, 0.31, 1.0, 1.4, 5.0, 6.0}) {
    for (const double latency : {0.5, 1.0, 9.0, 30.0, 59.0, 61.0}) {
      double exist = 0;
      for (const ApplicationRow& row : *rows)
        exist += row.willingness_to_pay >= price && row.tolerable_latency >= latency ? row.weight : 0;
      Conditions now;
      now.dollars_per_million_tokens = price;
      now.latency_seconds = latency;
      EXPECT_DOUBLE_EQ(mixture.share(now), exist / 10) << price << " " << latency;
    }
  }
}

TEST(ThresholdMixture, APriceThatFallsBringsTheRowsBetweenThePrices) {
  // From 0.4167 to 0.2083 $/Mtoken: the row of weight 4 appears beside the 6 that were there.
  const std::string text =
      "{gain: 2, supply: {linear_cost: {tokens_per_gpu_second: 2000, user_speed: 1e6, dollars_per_gpu_hour: "
      "3}}, "
      "segments: {chat: {requests_per_second: 50, output_tokens: 300, volume: {threshold_mixture: "
      "{applications: "
      "a.csv}}}}}";
  Parameters parameters(testing::FlowReader(text).value(), one_file());
  const Market market = read_market(parameters);
  ASSERT_TRUE(parameters.errors().empty()) << to_string(parameters.errors().front());
  const ReboundReport report = settle_market(market, {});
  ASSERT_TRUE(report.end);
  EXPECT_NEAR(report.requests_ratio, 10.0 / 6, 1e-9);
}

TEST(ThresholdMixture, DamagedRowsAreNamedByLine) {
  const std::string header = "dollars_per_million_tokens,seconds,weight\n";
  EXPECT_THAT(error_of(header + "1,2,3\n1,-2,3\n"), ::testing::HasSubstr("applications.csv:3:3"));
  EXPECT_THAT(error_of(header + "1,2,3\n1,2\n"), ::testing::HasSubstr("applications.csv:3"));
  EXPECT_THAT(error_of(header + "1,two,3\n"), ::testing::HasSubstr("applications.csv:2:3"));
  EXPECT_THAT(error_of("dollars_per_million_tokens,second,weight\n1,2,3\n"), ::testing::HasSubstr("seconds"));
  EXPECT_THAT(error_of(header), ::testing::HasSubstr("without rows"));
  EXPECT_NE(error_of(""), "");
}

}  // namespace
}  // namespace dspark
