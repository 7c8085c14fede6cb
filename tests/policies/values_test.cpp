#include <gmock/gmock.h>

#include <limits>

#include "policies/parameters.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using testing::nothing;
using testing::written;
using testing::written_list;
using testing::written_map;

std::string refusal(const Value& value) {
  const Result<NamedValue> found = read_named_value(value);
  return found ? "" : to_string(found.error());
}

TEST(NamedValue, TheShortFormKeepsThePositionOfItsValue) {
  const Result<NamedValue> found = read_named_value(written("threshold:0.7:x", 3, 9));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "threshold");
  EXPECT_EQ(*found->shorthand.scalar(), "0.7:x");
  EXPECT_EQ(found->shorthand.position.line, 3);
  EXPECT_EQ(found->shorthand.position.column, 19);
  EXPECT_TRUE(found->parameters.empty());
}

TEST(NamedValue, AMapOfOneKeyHoldsParametersOrTheShortForm) {
  const Result<NamedValue> map =
      read_named_value(written_map({{"fixed", written_map({{"k", written("3")}})}}));
  ASSERT_TRUE(map);
  EXPECT_EQ(*map->parameters.find("k")->scalar(), "3");
  EXPECT_EQ(map->parameters.find("j"), nullptr);
  const Result<NamedValue> value = read_named_value(written_map({{"fixed", written("3")}}));
  ASSERT_TRUE(value);
  EXPECT_EQ(*value->shorthand.scalar(), "3");
}

TEST(NamedValue, WhatIsNoSelectionIsRefusedWithTheWaysToWriteIt) {
  const std::string forms = " (write name, name:value or {name: {key: value}})";
  EXPECT_EQ(refusal(written(":3")), "test.yaml:1:1: a name is missing in ':3'" + forms);
  EXPECT_EQ(refusal(written("")), "test.yaml:1:1: a name is missing in ''" + forms);
  EXPECT_EQ(refusal(written("fixed:")), "test.yaml:1:1: a value is missing after 'fixed:'" + forms);
  EXPECT_EQ(refusal(nothing(2, 4)), "test.yaml:2:4: a name is expected here, not nothing" + forms);
  EXPECT_EQ(refusal(written_map({})), "test.yaml:1:1: one name is expected here, not 0" + forms);
  EXPECT_EQ(refusal(written_map({{"a", nothing()}, {"b", nothing()}})),
            "test.yaml:1:1: one name is expected here, not 2" + forms);
  EXPECT_EQ(refusal(written_map({{"a", written_list({"1"})}})),
            "test.yaml:1:1: 'a' takes a map or a single value, not a list" + forms);
}

TEST(Values, NumbersAreReadStrictly) {
  EXPECT_EQ(parse_number("1e3"), 1000);
  EXPECT_EQ(parse_number("-.5"), -0.5);
  EXPECT_EQ(parse_number("5."), 5);
  for (const char* text :
       {"", " 1", "1 ", "0x10", "nan", "inf", "+5", "1_000", "1,5", "1e", "1e999", "-", "."}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", "1e3", "1.0", "+1", " 1", "9223372036854775808", "0x1"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
}

TEST(Values, NumbersAreWrittenSoThatTheyReadBackTheSame) {
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(number_text(-0.0), "0");
  EXPECT_EQ(number_text(0.1), "0.1");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -123456789.125, std::numeric_limits<double>::max()}) {
    EXPECT_EQ(parse_number(number_text(value)), value);
  }
}

TEST(Values, AreDescribedInWords) {
  EXPECT_EQ(describe(written("abc")), "text 'abc'");
  EXPECT_EQ(describe(written_list({})), "a list");
  EXPECT_EQ(describe(written_map({})), "a map");
  EXPECT_EQ(describe({}), "nothing");
}

}  // namespace
}  // namespace dspark
