#include "sim/step_recording.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace dspark {
namespace {

using testing::HasSubstr;

constexpr StepSeconds kTaken{.draft = 9, .verify = 9, .overhead = 9};

StepRecording sample() {
  return {.steps = {{0, 0.5, 0}, {0.125, 0.25, 1e-9}, {0, 1e-9, 0}},
          .belief = AffineCost{.bias_seconds = 1e-3, .seconds_per_token = 1e-5}};
}

std::string said(const StepClock& clock) {
  const auto error = clock.mismatch();
  return error ? error->message : "nothing";
}

TEST(StepClock, WritesDownWhatIsMeasured) {
  StepClock clock(nullptr);
  for (const StepSeconds& step : sample().steps) EXPECT_EQ(clock.next(step), step);
  EXPECT_FALSE(clock.ran_out());
  EXPECT_FALSE(clock.mismatch());
  EXPECT_EQ(clock.take_steps(), sample().steps);
}

TEST(StepClock, GivesARecordingInItsOrderWhateverIsMeasured) {
  const StepRecording recording = sample();
  StepClock clock(&recording);
  for (const StepSeconds& step : recording.steps) EXPECT_EQ(clock.next(kTaken), step);
  EXPECT_FALSE(clock.ran_out());
  EXPECT_FALSE(clock.mismatch());
  EXPECT_EQ(clock.take_steps(), recording.steps);
}

TEST(StepClock, MoreOrFewerStepsThanRecordedAreAnotherRun) {
  const StepRecording recording = sample();
  StepClock longer(&recording);
  for (int i = 0; i < 3; ++i) longer.next(kTaken);
  longer.next(kTaken);
  EXPECT_TRUE(longer.ran_out());
  EXPECT_THAT(said(longer), HasSubstr("step 3 begins, but the recorded run has 3 steps"));
  longer.next(kTaken);
  EXPECT_TRUE(longer.ran_out());
  StepClock shorter(&recording);
  for (int i = 0; i < 2; ++i) shorter.next(kTaken);
  EXPECT_THAT(said(shorter), HasSubstr("ends after 2 steps, but the recorded run has 3 steps"));
}

TEST(StepRecording, NumbersThatNoClockGivesAreFoundWithTheirStep) {
  EXPECT_FALSE(find_spoilt(sample()));
  const auto said = [](auto spoil) {
    StepRecording recording = sample();
    spoil(recording);
    const auto error = find_spoilt(recording);
    return error ? error->message : std::string();
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(said([](StepRecording& r) { r.steps[1].draft = -1e-9; }), "step 1: draft of -1e-09 s");
  EXPECT_EQ(said([](StepRecording& r) { r.steps[2].verify = kNan; }), "step 2: verify of nan s");
  EXPECT_EQ(said([](StepRecording& r) { r.steps[0].overhead = INFINITY; }), "step 0: overhead of inf s");
  EXPECT_EQ(said([](StepRecording& r) { r.steps[2] = {}; }), "step 2 took no time");
  for (double AffineCost::*part :
       {&AffineCost::bias_seconds, &AffineCost::seconds_per_request, &AffineCost::seconds_per_token}) {
    for (const double spoilt : {-1.0, kNan, static_cast<double>(INFINITY)}) {
      EXPECT_THAT(said([&](StepRecording& r) { (*r.belief).*part = spoilt; }),
                  HasSubstr("believed step costs"));
    }
  }
  EXPECT_THAT(said([](StepRecording& r) { r.belief->bias_seconds = 0; }),
              HasSubstr("believed step costs of 0 s"));
}

}  // namespace
}  // namespace dspark
