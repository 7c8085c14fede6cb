#include "experiments/schema/yaml_reader.h"

#include <gmock/gmock.h>

#include "experiments/schema/value_text.h"

namespace dspark {
namespace {

using testing::HasSubstr;

std::string read(std::string_view text) {
  const auto value = read_yaml(text, "f");
  return value ? flow_text(*value) : to_string(value.error());
}

TEST(YamlReader, KeepsScalarsAsWrittenWithTheirPositions) {
  const auto value = read_yaml("a: 1e3\nlist:\n  - no\n  - {k: 007}\n", "f");
  ASSERT_TRUE(value);
  EXPECT_EQ(flow_text(*value), "{a: 1e3, list: [no, {k: 007}]}");
  const Value& item = (*value->find("list")->list())[0];
  EXPECT_EQ(item.position.line, 3);
  EXPECT_EQ(item.position.column, 5);
  EXPECT_EQ(value->map()->at(1).key_position.line, 2);
  EXPECT_EQ(value->map()->at(1).key_position.column, 1);
}

TEST(YamlReader, NothingIsNeitherEmptyTextNorTheQuotedWord) {
  EXPECT_EQ(read("{a: , b: ~, c: null, d: \"\", e: \"null\"}"), "{a: ~, b: ~, c: ~, d: \"\", e: \"null\"}");
}

TEST(YamlReader, MergeKeysGiveWayToOwnKeysAndThenToEarlierMaps) {
  EXPECT_EQ(read("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\n"), "{base: {x: 1, y: 2}, use: {y: 3, x: 1}}");
  EXPECT_EQ(read("p: &p {x: 1}\nq: &q {x: 2, z: 4}\nuse:\n  <<: [*p, *q]\n  w: 0\n"),
            "{p: {x: 1}, q: {x: 2, z: 4}, use: {w: 0, x: 1, z: 4}}");
}

TEST(YamlReader, AQuotedMergeKeyIsAKeyLikeAnyOther) { EXPECT_EQ(read("{\"<<\": 1}"), "{\"<<\": 1}"); }

TEST(YamlReader, ReportsWhatIsWrongAtItsPlace) {
  EXPECT_THAT(read("a: 1\nb: 2\na: 3\n"), HasSubstr("f:3:1: duplicate key 'a' (first given at line 1)"));
  EXPECT_THAT(read("? [a]\n: 1\n"), HasSubstr("f:1:3: a key must be text, not a list"));
  EXPECT_THAT(read("~: 1\n"), HasSubstr("a key must be text, not nothing"));
  EXPECT_THAT(read("a: 1\n---\nb: 2\n"), HasSubstr("a second document starts here"));
  EXPECT_THAT(read(""), HasSubstr("f: the file is empty"));
  EXPECT_THAT(read("# only words\n"), HasSubstr("f: the file is empty"));
  EXPECT_THAT(read("a: [1, 2\n"), HasSubstr("this is not YAML"));
  EXPECT_THAT(read("a:\n\t- 1\n"), HasSubstr("this is not YAML"));
  EXPECT_THAT(read("a: *missing\n"), HasSubstr("f:1:4: this is not YAML"));
  EXPECT_THAT(read("a: &x {b: *x}\n"), HasSubstr("an alias cannot stand inside its own anchor"));
  EXPECT_THAT(read("a: !secret 1\n"), HasSubstr("f:1:4: tags such as '!secret' are not supported"));
  EXPECT_THAT(read("a: {<<: 1}\n"), HasSubstr("f:1:9: '<<' merges a map or a list of maps, not text '1'"));
  EXPECT_THAT(read("a: {<<: {b: 1}, <<: {c: 1}}\n"), HasSubstr("a map can have one '<<'"));
  EXPECT_THAT(read(std::string_view("a: 1\nb: \0\n", 10)),
              HasSubstr("f:2:4: the text is not UTF-8 (byte 0x00)"));
  EXPECT_THAT(read("a: 1\nb: \"x\nc: 2\n"),
              HasSubstr("f:2:4: the text that begins here has no closing quote"));
  EXPECT_THAT(read("a: &x 'it''s\n"), HasSubstr("f:1:4: the text that begins here has no closing quote"));
  EXPECT_THAT(read("a: \xff\n"), HasSubstr("f:1:4: the text is not UTF-8 (byte 0xff)"));
}

TEST(YamlReader, AliasesThatMultiplyAreRefusedBeforeTheyFillTheMemory) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += "*a" + std::to_string(i - 1) + ", ";
    text += "]\n";
  }
  EXPECT_THAT(read(text), HasSubstr("the file has more than 200000 values"));
}

TEST(YamlReader, NestingIsBoundedAlsoThroughAliases) {
  EXPECT_THAT(read(std::string(5000, '[')), HasSubstr("f:1:"));
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    const std::string name = std::to_string(i);
    text += "a" + name + ": &a" + name + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(read(text), HasSubstr("values are nested more than 64 deep"));
}

TEST(YamlReader, QuotesMayHoldQuotes) {
  EXPECT_EQ(read("{a: \"x\\\"y\", b: 'it''s', 'c': &d \"z\"}"), "{a: \"x\\\"y\", b: \"it's\", c: z}");
}

TEST(ValueText, DifferentValuesHaveDifferentTexts) {
  for (const char* text :
       {"a", "\"a b\"", "[a, b]", "[\"a, b\"]", "{a: b}", "\"{a: b}\"", "[~]", "[\"~\"]", "fixed:7"}) {
    const auto value = read_yaml(text, "f");
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(flow_text(*value), text);
  }
}

}  // namespace
}  // namespace dspark
