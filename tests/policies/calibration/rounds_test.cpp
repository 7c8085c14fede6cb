#include "policies/calibration/rounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace dspark {
namespace {

/// Two rounds, γ 2; the second drafted one token.
Rounds two_rounds() {
  const float missing = std::nanf("");
  Rounds rounds;
  rounds.block_size = 2;
  rounds.request = {1, 1};
  rounds.round = {0, 1};
  rounds.anchor_position = {10, -1};
  rounds.domain = {-1, -1};
  rounds.drafted = {2, 1};
  rounds.verified = {2, 1};
  rounds.accepted = {1, 1};
  rounds.confidence = {0.5f, 0.25f, 1.0f, missing};
  rounds.margin = {3, missing, missing, missing};
  return rounds;
}

std::string fault_after(const std::function<void(Rounds&)>& change) {
  Rounds rounds = two_rounds();
  change(rounds);
  const auto fault = find_fault(rounds);
  return fault ? std::to_string(fault->row) + " " + fault->column + ": " + fault->message + " (" +
                     fault->advice + ")"
               : "";
}

TEST(Rounds, WhatIsPromisedIsChecked) {
  EXPECT_EQ(fault_after([](Rounds&) {}), "");
  EXPECT_EQ(fault_after([](Rounds& r) { r.drafted[0] = 3; }),
            "0 drafted: drafted = 3 is out of range (0 .. γ = 2)");
  EXPECT_EQ(fault_after([](Rounds& r) { r.verified[1] = 2; }),
            "1 verified: verified = 2 is out of range (0 .. drafted = 1)");
  EXPECT_EQ(fault_after([](Rounds& r) { r.accepted[1] = -1; }),
            "1 accepted: accepted = -1 is out of range (0 .. verified = 1)");
  EXPECT_EQ(fault_after([](Rounds& r) { r.confidence[1] = 1.5f; }),
            "0 confidence_2: confidence_2 = 1.5 is out of range (0 .. 1)");
  EXPECT_EQ(fault_after([](Rounds& r) { r.margin[0] = std::numeric_limits<float>::infinity(); }),
            "0 margin_1: margin_1 = inf is out of range (0 .. 1000000)");
  EXPECT_EQ(fault_after([](Rounds& r) { r.confidence[3] = 0.5f; }),
            "1 confidence_2: confidence_2 has a value where only 1 tokens were drafted (leave it empty)");
}

}  // namespace
}  // namespace dspark
