#include "sim/table/rounds_csv.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dspark {
namespace {

std::string refusal(const std::string& content, RoundsForm form = RoundsForm::kRounds) {
  const auto rounds = read_rounds_csv({"r.csv", content, {}}, form);
  return rounds ? std::string() : to_string(rounds.error());
}

const std::string kHead = "request,round,drafted,verified,accepted";

TEST(RoundsCsv, ReadsColumnsByNameInAnyOrder) {
  const auto rounds =
      read_rounds_csv({"r.csv",
                       "# recorded\n"
                       "confidence_2,accepted,verified,drafted,round,request,domain,confidence_1\n"
                       ".5,1,2,2,0,7,math,0.25\n"
                       ",0,1,1,1,7,,\n"
                       ",0,0,0,0,9,math,\n",
                       {}});
  ASSERT_TRUE(rounds) << to_string(rounds.error());
  EXPECT_EQ(rounds->block_size, 2);
  EXPECT_EQ(rounds->request, (std::vector<std::int64_t>{7, 7, 9}));
  EXPECT_EQ(rounds->round, (std::vector<std::int64_t>{0, 1, 0}));
  EXPECT_EQ(rounds->anchor_position, (std::vector<std::int64_t>{-1, -1, -1}));
  EXPECT_EQ(rounds->domain, (std::vector<std::int32_t>{0, -1, 0}));
  EXPECT_EQ(rounds->domain_names, std::vector<std::string>{"math"});
  EXPECT_EQ(rounds->drafted, (std::vector<std::int32_t>{2, 1, 0}));
  EXPECT_EQ(rounds->verified, (std::vector<std::int32_t>{2, 1, 0}));
  EXPECT_EQ(rounds->accepted, (std::vector<std::int32_t>{1, 0, 0}));
  EXPECT_EQ(rounds->confidence[rounds->at(0, 1)], 0.25f);
  EXPECT_EQ(rounds->confidence[rounds->at(0, 2)], 0.5f);
  for (const std::size_t row : {1, 2}) EXPECT_TRUE(std::isnan(rounds->confidence[rounds->at(row, 1)]));
  EXPECT_TRUE(rounds->margin.empty());
}

TEST(RoundsCsv, WithoutPerPositionColumnsTheLargestDraftIsTheBlockSize) {
  const auto rounds = read_rounds_csv({"r.csv", kHead + "\n1,0,3,3,2\n1,1,5,4,4\n", {}});
  ASSERT_TRUE(rounds);
  EXPECT_EQ(rounds->block_size, 5);
}

TEST(RoundsCsv, SaysWhereItIsWrong) {
  EXPECT_EQ(refusal("request,round,drafted,verified\n1,0,1,1\n"),
            "r.csv:1:1: no column 'accepted' (known: request, round, drafted, verified)");
  EXPECT_EQ(refusal("#\n" + kHead + ",confidense_1\n1,0,1,1,1,0.5\n"),
            "r.csv:2:1: unknown column 'confidense_1' (did you mean 'confidence_1'?)");
  EXPECT_EQ(
      refusal(kHead + ",confidence_1,confidence_3\n1,0,1,1,1,0.5,\n"),
      "r.csv:1:1: no column 'confidence_2' (confidence is needed at every position 1 .. 3, or at none)");
  EXPECT_EQ(refusal(kHead + ",confidence_1,confidence_2,margin_1\n1,0,1,1,1,0.5,,1\n"),
            "r.csv:1:1: no column 'margin_2' (margin is needed at every position 1 .. 2, or at none)");
  EXPECT_EQ(refusal(kHead + "\n1,0,1,1.5,1\n"), "r.csv:2:7: verified must be an integer, not '1.5'");
  EXPECT_EQ(refusal(kHead + "\n1,0,1,,1\n"), "r.csv:2:7: verified must be an integer, not ''");
  EXPECT_EQ(refusal(kHead + "\n-1,0,1,1,1\n"),
            "r.csv:2:1: request = -1 is out of range (0 .. 9007199254740992)");
  EXPECT_EQ(refusal(kHead + "\n1,0,65,1,1\n"), "r.csv:2:5: drafted = 65 is out of range (0 .. 64)");
  EXPECT_EQ(refusal(kHead + ",margin_1\n1,0,1,1,1,1\n1,1,2,1,1,1\n"),
            "r.csv:3:5: drafted = 2 is out of range (0 .. γ = 1)");
  EXPECT_EQ(refusal(kHead + "\n1,0,2,1,1\n1,1,2,3,1\n"),
            "r.csv:3:7: verified = 3 is out of range (0 .. drafted = 2)");
  EXPECT_EQ(refusal(kHead + "\n1,0,2,1,2\n"), "r.csv:2:9: accepted = 2 is out of range (0 .. verified = 1)");
  EXPECT_EQ(refusal(kHead + ",confidence_1\n1,0,1,1,1,1.01\n"),
            "r.csv:2:11: confidence_1 = 1.01 is out of range (0 .. 1)");
  EXPECT_EQ(refusal(kHead + ",margin_1\n1,0,1,1,1,-2\n"),
            "r.csv:2:11: margin_1 = -2 is out of range (0 .. 1000000)");
  EXPECT_EQ(refusal(kHead + ",entropy_1\n1,0,1,1,1,nan\n"),
            "r.csv:2:11: entropy_1 must be a number, not 'nan'");
  EXPECT_EQ(refusal(kHead + ",top1_1\n1,0,0,0,0,0.5\n"),
            "r.csv:2:11: top1_1 has a value where only 0 tokens were drafted (leave it empty)");
  EXPECT_EQ(refusal(""), "r.csv: an empty table (expected a header line and rows)");
  EXPECT_EQ(refusal(kHead + "\n1,0,1,1\n"), "r.csv:2:1: 4 fields where the header has 5");
  EXPECT_EQ(refusal(kHead + ",domain\n1,0,1,1,1," + std::string(65, 'x') + "\n"),
            "r.csv:2:11: a domain of more than 64 bytes");
}

TEST(RoundsCsv, RefusesWhatIsTooLargeBeforeReadingIt) {
  const std::string wide = "request" + std::string(400, ',');
  EXPECT_EQ(refusal(wide + "\n"), "r.csv:1:1: 401 columns (a table of rounds has at most 391)");
  EXPECT_EQ(refusal(kHead + ",confidence_65\n1,0,1,1,1,\n"),
            "r.csv:1:1: unknown column 'confidence_65' (did you mean 'confidence_1'?)");
  EXPECT_EQ(refusal(kHead + "\n" + std::string(kMaxRoundsFields + 1, ',')),
            "r.csv: more than 50 million fields (split the recording)");
  EXPECT_EQ(refusal(std::string(kMaxRoundsBytes + 1, ' ')), "r.csv: more than 256 MiB (split the recording)");
}

TEST(RoundsCsv, WhatIsWrittenReadsBackTheSame) {
  const std::string text =
      "request,round,anchor_position,domain,drafted,verified,accepted,confidence_1,margin_1,confidence_2,"
      "margin_2\n"
      "3,0,17,chat,2,2,1,0.1,12.5,0.33333334,0\n"
      "3,1,,,1,0,0,1e-07,1000000,,\n"
      "9007199254740992,0,0,math,0,0,0,,,,\n";
  const auto rounds = read_rounds_csv({"r.csv", text, {}});
  ASSERT_TRUE(rounds) << to_string(rounds.error());
  EXPECT_EQ(rounds_csv(*rounds), text);
}

TEST(RoundsCsv, GateEstimatesAreReadAsTheUserSays) {
  const std::string text = "commits,category,a0,a1,a2\n3,math,0.8,0.4,0.4\n0,chat,0.5,0,0\n";
  const auto cumulative = read_rounds_csv({"r.csv", text, {}}, RoundsForm::kGateCumulative);
  ASSERT_TRUE(cumulative) << to_string(cumulative.error());
  EXPECT_EQ(cumulative->block_size, 3);
  EXPECT_EQ(cumulative->request, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(cumulative->verified, (std::vector<std::int32_t>{3, 3}));
  EXPECT_EQ(cumulative->accepted, (std::vector<std::int32_t>{3, 0}));
  EXPECT_EQ(cumulative->domain_names, (std::vector<std::string>{"math", "chat"}));
  EXPECT_EQ(cumulative->confidence, (std::vector<float>{0.8f, 0.5f, 1, 0.5f, 0, 0}));
  const auto conditional = read_rounds_csv({"r.csv", text, {}}, RoundsForm::kGateConditional);
  ASSERT_TRUE(conditional);
  EXPECT_EQ(conditional->confidence, (std::vector<float>{0.8f, 0.4f, 0.4f, 0.5f, 0, 0}));
}

TEST(RoundsCsv, WhatGateEstimatesMeanIsNotGuessed) {
  EXPECT_EQ(
      refusal("commits,a0\n1,0.5\n"),
      "r.csv:1:1: this table has the form commits, category, a0 .. a{D-1} (say whether its estimates are "
      "conditional or cumulative)");
}

TEST(RoundsCsv, GateEstimatesAreChecked) {
  const auto wrong = [](const std::string& text) { return refusal(text, RoundsForm::kGateCumulative); };
  EXPECT_EQ(wrong("commits,a0,a1\n1,0.5,0.6\n"),
            "r.csv:2:7: a1 = 0.6 is above the estimate before it (cumulative estimates never rise; are these "
            "conditional ones?)");
  EXPECT_EQ(wrong("commits,a0\n2,0.5\n"), "r.csv:2:1: commits = 2 is out of range (0 .. 1)");
  EXPECT_EQ(wrong("commits,a0\n1,1.5\n"), "r.csv:2:3: a0 = 1.5 is out of range (0 .. 1)");
  EXPECT_EQ(wrong("commits,a0\n1,\n"), "r.csv:2:3: a0 must be a number, not ''");
  EXPECT_EQ(wrong("commits,a1\n1,0.5\n"),
            "r.csv:1:1: no column 'a0' (this form has columns commits, category, a0 .. a{D-1})");
  EXPECT_EQ(wrong("commits,a0,a2\n1,0.5,0.5\n"),
            "r.csv:1:1: a column that is none of commits, category, a0 .. a{D-1}, or a gap in a0 .. a{D-1}");
}

}  // namespace
}  // namespace dspark
