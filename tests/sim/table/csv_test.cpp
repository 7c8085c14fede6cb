#include "sim/table/csv.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

std::string refusal(const std::string& content) {
  const auto table = CsvTable::parse({"t.csv", content, {}});
  return table ? std::string() : to_string(table.error());
}

TEST(CsvTable, ReadsCommentsBlankLinesSpacesAndCarriageReturns) {
  const auto table = CsvTable::parse({"t.csv", "\xef\xbb\xbf# source\n\n a , b\r\n1, 2.5\r\n\n3,4", {}});
  ASSERT_TRUE(table) << to_string(table.error());
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*table->numbers("b"), (std::vector<double>{2.5, 4}));
  EXPECT_EQ(table->position(1, 1).line, 6);
  EXPECT_EQ(table->position(1, 1).column, 3);
}

TEST(CsvTable, SaysWhereItIsWrong) {
  EXPECT_EQ(refusal(""), "t.csv: an empty table (expected a header line and rows)");
  EXPECT_EQ(refusal("# only a comment\n"), "t.csv: an empty table (expected a header line and rows)");
  EXPECT_EQ(refusal("a,b\n"), "t.csv: a table without rows");
  EXPECT_EQ(refusal("a,b\n1\n"), "t.csv:2:1: 1 fields where the header has 2");
  EXPECT_EQ(refusal("a,a\n1,2\n"), "t.csv:1:3: column 'a' appears twice");
  EXPECT_EQ(refusal("a,\n1,2\n"), "t.csv:1:3: a column without a name");
  EXPECT_EQ(refusal("a,b\n\"1\",2\n"), "t.csv:2:1: quoted fields are not supported");
  EXPECT_EQ(refusal(std::string("a,b\n1,\0\n", 8)),
            "t.csv:2:3: a control character: this is not a text table");
}

TEST(CsvTable, NumbersAreStrict) {
  const auto table = CsvTable::parse({"t.csv", "a,b\n1,nan\n2,inf\n", {}});
  ASSERT_TRUE(table);
  EXPECT_EQ(to_string(table->numbers("b").error()), "t.csv:2:3: 'nan' is not a number");
  EXPECT_EQ(to_string(table->numbers("a", 2).error()), "t.csv:2:1: a = 1 is out of range (at least 2)");
  EXPECT_EQ(to_string(table->numbers("aa").error()), "t.csv: no column 'aa' (did you mean 'a'?)");
}

}  // namespace
}  // namespace dspark
