#include "experiments/calibration/calibration_study.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/schema/yaml_reader.h"
#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

using testing::HasSubstr;

Rounds distorted() {
  SyntheticRounds truth;
  truth.rounds = 20'000;
  truth.temperature = {2, 1.6, 1.3, 1};
  return truth.make();
}

TEST(CalibrationStudy, EverySecondRequestIsHeldOutByDefault) {
  const auto study = study_calibration(distorted(), {});
  ASSERT_TRUE(study) << to_string(study.error());
  EXPECT_EQ(study->requests, 1000u);
  EXPECT_EQ(study->fit_requests, 500u);
  EXPECT_EQ(study->evaluated_requests, 500u);
  ASSERT_EQ(study->positions.size(), 4u);
  for (const PositionStudy& at : study->positions) {
    EXPECT_EQ(at.fit_rounds, 10'000);
    EXPECT_EQ(at.rounds, 10'000);
    EXPECT_TRUE(at.fitted);
    if (at.position < 4) {
      EXPECT_LT(at.calibrated.debiased_ece, at.raw.debiased_ece) << at.position;
    }
  }
  EXPECT_NEAR(study->temperatures[0], 2, 0.2);
}

TEST(CalibrationStudy, TheShareOfRequestsIsHeldOutEvenly) {
  for (const auto& [share, evaluated] : {std::pair{0.25, 250u}, {0.9, 900u}, {0.001, 1u}}) {
    const auto study = study_calibration(distorted(), {.held_out = share});
    ASSERT_TRUE(study);
    EXPECT_EQ(study->evaluated_requests, evaluated) << share;
    EXPECT_EQ(study->fit_requests + study->evaluated_requests, 1000u);
  }
}

TEST(CalibrationStudy, WithNothingHeldOutItSaysSo) {
  const auto study = study_calibration(distorted(), {.held_out = 0});
  ASSERT_TRUE(study);
  EXPECT_FALSE(study->held_out);
  EXPECT_EQ(study->positions[0].rounds, 20'000);
  EXPECT_THAT(study_text(*study, "r.csv"), HasSubstr("(nothing held out): they flatter"));
}

TEST(CalibrationStudy, PositionsWithFewRoundsUseTheLastTemperature) {
  Rounds rounds = distorted();
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    rounds.verified[row] = 2;
    rounds.accepted[row] = std::min(2, rounds.accepted[row]);
  }
  const auto study = study_calibration(rounds, {});
  ASSERT_TRUE(study);
  EXPECT_EQ(study->temperatures.size(), 2u);
  EXPECT_EQ(study->cut_rounds, 20'000u);
  EXPECT_EQ(study->positions[3].temperature, study->temperatures[1]);
  EXPECT_FALSE(study->positions[3].fitted);
  const std::string text = study_text(*study, "r.csv");
  EXPECT_THAT(text, HasSubstr("20000 verified less than was drafted"));
  EXPECT_THAT(text, HasSubstr("* too few rounds verified to k"));
}

TEST(CalibrationStudy, WhatCannotBeFittedIsAnError) {
  Rounds one = distorted();
  one.request.assign(one.size(), 5);
  EXPECT_EQ(to_string(study_calibration(one, {}).error()),
            "nothing can be held out of 1 request (--held-out 0 evaluates on the rounds that it fits)");
  Rounds unverified = distorted();
  unverified.verified.assign(unverified.size(), 0);
  unverified.accepted = unverified.verified;
  EXPECT_EQ(
      to_string(study_calibration(unverified, {}).error()),
      "0 rounds with a known confidence verified position 1, of those to fit (at least 100 are needed)");
  Rounds blind = distorted();
  blind.confidence.clear();
  EXPECT_EQ(to_string(study_calibration(blind, {}).error()),
            "the recording has no confidences (columns confidence_1 .. confidence_γ)");
}

TEST(CalibrationStudy, TheTemperatureFileReadsBackExactly) {
  const auto study = study_calibration(distorted(), {});
  const std::string yaml = temperatures_yaml(*study, "a\nb.csv");
  EXPECT_TRUE(yaml.starts_with(kTemperatureFileMark));
  const auto value = read_yaml(yaml, "t.yaml");
  ASSERT_TRUE(value) << to_string(value.error());
  const Value::List& list = *value->find("temperatures")->list();
  ASSERT_EQ(list.size(), study->temperatures.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(*parse_number(*list[i].scalar()), study->temperatures[i]);
  }
}

TEST(CalibrationStudy, TheFigureGetsTheCurvesAsJson) {
  const auto study = study_calibration(distorted(), {});
  const auto json = nlohmann::json::parse(study_json(*study, "r\xff.csv"));
  ASSERT_EQ(json["positions"].size(), 4u);
  const auto& first = json["positions"][0];
  EXPECT_EQ(first["raw"]["curve"].size(), study->positions[0].raw.curve.size());
  EXPECT_DOUBLE_EQ(first["calibrated"]["ece"], study->positions[0].calibrated.ece);
}

}  // namespace
}  // namespace dspark
