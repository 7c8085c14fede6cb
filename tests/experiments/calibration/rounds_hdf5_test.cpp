#include "experiments/calibration/rounds_hdf5.h"

#include <gmock/gmock.h>

#include "experiments/results/hdf5_file.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kTable =
    "request,round,anchor_position,domain,drafted,verified,accepted,confidence_1,margin_1,confidence_2,"
    "margin_2\n"
    "3,0,17,chat,2,2,1,0.1,12.5,0.33333334,0\n"
    "3,1,,,1,0,0,1e-07,1000000,,\n"
    "9,0,0,math,0,0,0,,,,\n";

Rounds table_rounds(const std::string& text = kTable) {
  auto rounds = read_rounds_csv({"t.csv", text, {}});
  EXPECT_TRUE(rounds) << to_string(rounds.error());
  return *std::move(rounds);
}

std::string refusal(const std::string& bytes) {
  const auto rounds = decode_rounds_hdf5(bytes, "r.h5");
  return rounds ? std::string() : to_string(rounds.error());
}

TEST(RoundsHdf5, WhatIsWrittenReadsBackTheSameAndTheBytesDoNotChange) {
  const auto bytes = encode_rounds_hdf5(table_rounds());
  ASSERT_TRUE(bytes) << to_string(bytes.error());
  EXPECT_EQ(*encode_rounds_hdf5(table_rounds()), *bytes);
  const auto rounds = decode_rounds_hdf5(*bytes, "r.h5");
  ASSERT_TRUE(rounds) << to_string(rounds.error());
  EXPECT_EQ(rounds_csv(*rounds), kTable);
}

TEST(RoundsHdf5, WithoutMatricesTheLargestDraftIsTheBlockSize) {
  const auto bytes = encode_rounds_hdf5(table_rounds("request,round,drafted,verified,accepted\n1,0,3,2,1\n"));
  const auto rounds = decode_rounds_hdf5(*bytes, "r.h5");
  ASSERT_TRUE(rounds) << to_string(rounds.error());
  EXPECT_EQ(rounds->block_size, 3);
  EXPECT_TRUE(rounds->confidence.empty());
}

TEST(RoundsHdf5, OtherBytesAreAnError) {
  EXPECT_EQ(refusal(""), "'r.h5' is empty (rounds of another program are read as CSV)");
  EXPECT_THAT(refusal("\x89HDF\r\n"), StartsWith("'r.h5' is not a dspark result file"));
  const std::string bytes = *encode_rounds_hdf5(table_rounds());
  for (const std::size_t size : {std::size_t{100}, std::size_t{600}, bytes.size() - 1}) {
    EXPECT_THAT(refusal(bytes.substr(0, size)), HasSubstr("is damaged")) << size;
  }
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_THAT(refusal(flipped), HasSubstr("is damaged"));
}

TEST(RoundsHdf5, ValuesThatBreakTheirPromiseAreNamed) {
  Rounds rounds = table_rounds();
  rounds.accepted[0] = 3;
  EXPECT_EQ(refusal(*encode_rounds_hdf5(rounds)),
            "'r.h5', /rounds, row 0: accepted = 3 is out of range (0 .. verified = 2)");
  rounds = table_rounds();
  rounds.request[1] = -1;
  EXPECT_EQ(refusal(*encode_rounds_hdf5(rounds)),
            "'r.h5' holds no table of rounds: row 1: request = -1 is out of range");
  rounds = table_rounds();
  rounds.confidence[0] = 2;
  EXPECT_THAT(refusal(*encode_rounds_hdf5(rounds)), HasSubstr("confidence_1 = 2 is out of range (0 .. 1)"));
  rounds = table_rounds();
  rounds.domain_names[0] = "a,b";
  EXPECT_THAT(refusal(*encode_rounds_hdf5(rounds)), HasSubstr("row 0: the domain has a comma"));
}

/// A file of ours whose table /rounds has these columns.
std::string file_with(const std::vector<Column>& columns) {
  ResultFile content;
  content.tables.push_back({"rounds", "recorded rounds", false, columns});
  return *encode_hdf5(content);
}

TEST(RoundsHdf5, ShapesAndTypesThatDoNotFitAreNamed) {
  const auto wrong = [](const std::vector<Column>& columns) {
    return refusal(file_with(columns)).substr(std::string("'r.h5' holds no table of rounds: ").size());
  };
  const auto integers = [](const std::string& name, std::size_t rows = 2) {
    return Column{name, "", "", Integers(rows, 1)};
  };
  EXPECT_EQ(refusal(*encode_hdf5({})), "'r.h5' holds no table of rounds: no rounds were recorded in it");
  EXPECT_EQ(wrong({}), "no dataset 'request'");
  EXPECT_EQ(wrong({integers("request", 0)}), "it has no rounds");
  EXPECT_EQ(wrong({{"request", "", "", Numbers{1, 2}}}), "'request' is not of integers");
  EXPECT_EQ(wrong({integers("request"), integers("round", 3)}), "'round' has 3 rows where 'request' has 2");
  std::vector<Column> counts;
  for (const char* name : {"request", "round", "drafted", "verified", "accepted"})
    counts.push_back(integers(name));
  EXPECT_TRUE(decode_rounds_hdf5(file_with(counts), "r.h5"));
  const auto with = [&](const Column& column) {
    std::vector<Column> columns = counts;
    columns.push_back(column);
    return columns;
  };
  EXPECT_EQ(wrong(with(integers("domain"))), "'domain' is not of text");
  EXPECT_EQ(wrong(with({"domain", "", "", Texts{std::string(65, 'x'), ""}})),
            "a domain of more than 64 bytes");
  EXPECT_EQ(wrong(with({"confidence", "", "", Numbers{0.5, 0.5}})), "'confidence' has 1 dimensions, not 2");
}

}  // namespace
}  // namespace dspark
