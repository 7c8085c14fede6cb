#include "policies/parameters.h"

#include <gmock/gmock.h>

#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::nothing;
using testing::texts;
using testing::written;
using testing::written_list;
using testing::written_map;

const IntegerSpec kDepth = {
    .min = 0, .max = 64, .unit = "tokens", .meaning = "draft tokens verified per request"};

Errors errors_of(Value map, const std::function<void(Parameters&)>& read) {
  Parameters parameters(std::move(map));
  read(parameters);
  parameters.finish();
  return parameters.errors();
}

TEST(Parameters, EveryTypeReadsWhatWasWritten) {
  Parameters parameters(written_map({{"i", written("-3")},
                                     {"n", written("2.5e-1")},
                                     {"l", written_list({"1", ".5"})},
                                     {"c", written("b")},
                                     {"f", written("true")},
                                     {"t", written("some text")}}));
  EXPECT_EQ(parameters.integer("i", {.min = -5}), -3);
  EXPECT_EQ(parameters.number("n", {}), 0.25);
  EXPECT_THAT(parameters.numbers("l", {}), ElementsAre(1, 0.5));
  EXPECT_EQ(parameters.choice("c", {.options = {"a", "b"}}), "b");
  EXPECT_TRUE(parameters.flag("f", {}));
  EXPECT_EQ(parameters.text("t", {}), "some text");
  parameters.finish();
  EXPECT_THAT(texts(parameters.errors()), IsEmpty());
}

TEST(Parameters, AMissingParameterSaysWhatItIsAndYieldsTheLeastValue) {
  Parameters parameters(written_map({}, 4));
  EXPECT_EQ(parameters.integer("k", kDepth), 0);
  EXPECT_EQ(parameters.number("x", {.max = -2, .meaning = "a number"}), -2);
  EXPECT_EQ(parameters.text("t", {.meaning = "a name"}), "");
  EXPECT_THAT(
      texts(parameters.errors()),
      ElementsAre("test.yaml:4:1: missing parameter 'k' (integer, tokens: draft tokens verified per request)",
                  "test.yaml:4:1: missing parameter 'x' (number: a number)",
                  "test.yaml:4:1: missing parameter 't' (text: a name)"));
}

TEST(Parameters, AWrongValueSaysWhatIsExpectedAndWhereItStands) {
  const auto wrong_integer = [](Value value, IntegerSpec spec) {
    return texts(
        errors_of(written_map({{"k", std::move(value)}}), [&](Parameters& p) { p.integer("k", spec); }));
  };
  EXPECT_THAT(wrong_integer(written("abc", 2, 7), kDepth),
              ElementsAre("test.yaml:2:7: 'k' must be an integer in 0 .. 64, not 'abc'"));
  EXPECT_THAT(wrong_integer(written("65"), kDepth),
              ElementsAre("test.yaml:1:1: 'k' must be an integer in 0 .. 64, not '65'"));
  EXPECT_THAT(wrong_integer(written("1.5"), {}),
              ElementsAre("test.yaml:1:1: 'k' must be an integer >= 0, not '1.5'"));
  EXPECT_THAT(wrong_integer(written_map({}), kDepth),
              ElementsAre("test.yaml:1:1: 'k' must be an integer in 0 .. 64, not a map"));
  EXPECT_THAT(wrong_integer(nothing(), kDepth),
              ElementsAre("test.yaml:1:1: 'k' must be an integer in 0 .. 64, not nothing"));
}

TEST(Parameters, NumbersThatAreNotFiniteAreRefused) {
  for (const char* text : {"nan", "inf", "-inf", "1e999", ".nan", ""}) {
    const Errors errors =
        errors_of(written_map({{"x", written(text)}}), [](Parameters& p) { p.number("x", {}); });
    EXPECT_THAT(texts(errors),
                ElementsAre(std::string("test.yaml:1:1: 'x' must be a number, not '") + text + "'"));
  }
}

TEST(Parameters, AListNamesTheItemThatIsWrong) {
  const auto read = [](Parameters& p) {
    p.numbers("l", {.min = 0, .max = 1, .min_count = 2, .max_count = 3});
  };
  EXPECT_THAT(texts(errors_of(written_map({{"l", written_list({"0.5", "x", "2"}, 3)}}), read)),
              ElementsAre("test.yaml:3:2: 'l[1]' must be a number in 0 .. 1, not 'x'",
                          "test.yaml:3:3: 'l[2]' must be a number in 0 .. 1, not '2'"));
  EXPECT_THAT(texts(errors_of(written_map({{"l", written_list({"0"})}}), read)),
              ElementsAre("test.yaml:1:1: 'l' must be a list of at least 2 numbers, not of 1"));
  EXPECT_THAT(texts(errors_of(written_map({{"l", written_list({"0", "0", "0", "0"})}}), read)),
              ElementsAre("test.yaml:1:1: 'l' must be a list of at most 3 numbers, not of 4"));
  EXPECT_THAT(texts(errors_of(written_map({{"l", written("0")}}), read)),
              ElementsAre("test.yaml:1:1: 'l' must be a list of numbers, not '0'"));
}

TEST(Parameters, ChoicesAndFlagsListWhatIsKnown) {
  EXPECT_THAT(
      texts(errors_of(written_map({{"cost", written("hul")}}),
                      [](Parameters& p) {
                        EXPECT_EQ(p.choice("cost", {.options = {"staircase", "hull"}}), "staircase");
                      })),
      ElementsAre("test.yaml:1:1: 'cost' must be one of staircase, hull, not 'hul' (did you mean 'hull'?)"));
  EXPECT_THAT(texts(errors_of(written_map({{"f", written("yes")}}),
                              [](Parameters& p) { EXPECT_TRUE(p.flag("f", {.default_value = true})); })),
              ElementsAre("test.yaml:1:1: 'f' must be true or false, not 'yes'"));
}

TEST(Parameters, AKeyThatNobodyReadsIsAnErrorReportedOnce) {
  Parameters parameters(
      written_map({{"k", written("3")}, {"kk", written("4")}, {"quite_other", written("5")}}));
  parameters.integer("k", kDepth);
  parameters.finish();
  parameters.finish();
  EXPECT_THAT(texts(parameters.errors()), ElementsAre("test.yaml:2:1: unknown key 'kk' (did you mean 'k'?)",
                                                      "test.yaml:3:1: unknown key 'quite_other' (known: k)"));
  EXPECT_THAT(texts(errors_of(written_map({{"k", written("3")}}), [](Parameters&) {})),
              ElementsAre("test.yaml:1:1: unknown key 'k' (nothing is expected here)"));
}

TEST(Parameters, AnAbsentGroupReadsItsDefaultsAndStandsWhereItsMapStands) {
  const Errors errors = errors_of(written_map({}, 6), [](Parameters& p) {
    Parameters group = p.group("kv", "key-value cache");
    EXPECT_EQ(group.integer("blocks", {.default_value = 7}), 7);
    group.integer("block_tokens", {.meaning = "tokens of a block"});
  });
  EXPECT_THAT(texts(errors),
              ElementsAre("test.yaml:6:1: missing parameter 'block_tokens' (integer: tokens of a block)"));
}

TEST(Parameters, AGroupThatIsNoMapIsOneErrorAndNoMore) {
  const auto read = [](Parameters& p) { p.group("kv", "key-value cache", true).integer("blocks", {}); };
  EXPECT_THAT(texts(errors_of(written_map({{"kv", written("3", 2, 5)}}), read)),
              ElementsAre("test.yaml:2:5: 'kv' must be a map, not '3'"));
  EXPECT_THAT(texts(errors_of(written_map({}), read)),
              ElementsAre("test.yaml:1:1: missing parameter 'kv' (group: key-value cache)"));
  EXPECT_THAT(
      texts(errors_of(written_map({{"kv", written_map({{"blocks", written("3")}, {"x", written("3")}}, 9)}}),
                      read)),
      ElementsAre("test.yaml:10:1: unknown key 'x' (known: blocks)"))
      << "unread keys of groups are found too";
}

TEST(Parameters, TheFirstParameterTakesTheShortForm) {
  Parameters parameters(Value{}, {}, written("3"));
  EXPECT_EQ(parameters.integer("k", kDepth), 3);
  EXPECT_EQ(parameters.integer("other", {.default_value = 8}), 8);
  EXPECT_TRUE(parameters.given("k"));
  EXPECT_FALSE(parameters.given("other"));
  parameters.finish();
  EXPECT_THAT(texts(parameters.errors()), IsEmpty());
}

TEST(Parameters, AShortFormThatIsGivenTwiceOrTakenByNobodyIsAnError) {
  Parameters twice(written_map({{"k", written("4", 1, 5)}}), {}, written("3"));
  twice.integer("k", kDepth);
  EXPECT_THAT(texts(twice.errors()),
              ElementsAre("test.yaml:1:5: 'k' is given twice: by name and as the value of the short form"));
  Parameters untaken(Value{}, {}, written("3", 2, 9));
  untaken.finish();
  EXPECT_THAT(texts(untaken.errors()),
              ElementsAre("test.yaml:2:9: nothing takes a value here, yet '3' is given"));
}

TEST(Parameters, OneOfReadsEveryWayToWriteASelection) {
  const auto depth_of = [](Value value) {
    Parameters parameters(written_map({{"policy", std::move(value)}}));
    Selection found = parameters.one_of("policy", {"none", "fixed"}, "how deep");
    EXPECT_EQ(found.name, "fixed");
    const auto k = found.parameters.integer("k", {.default_value = 5});
    parameters.finish();
    EXPECT_THAT(texts(parameters.errors()), IsEmpty());
    return k;
  };
  EXPECT_EQ(depth_of(written("fixed")), 5);
  EXPECT_EQ(depth_of(written("fixed:3")), 3);
  EXPECT_EQ(depth_of(written_map({{"fixed", nothing()}})), 5);
  EXPECT_EQ(depth_of(written_map({{"fixed", written("3")}})), 3);
  EXPECT_EQ(depth_of(written_map({{"fixed", written_map({{"k", written("3")}})}})), 3);
}

TEST(Parameters, AWrongSelectionIsOneErrorAndItsParametersAreHarmless) {
  const auto read = [](Parameters& p) {
    Selection found = p.one_of("policy", {"fixed", "none"}, "how deep");
    EXPECT_EQ(found.name, "fixed");
    EXPECT_TRUE(found.parameters.is_describing());
    found.parameters.integer("k", kDepth);  // missing, and nobody cares
    found.parameters.add_error("nobody cares", {});
  };
  EXPECT_THAT(
      texts(errors_of(written_map({{"policy", written("fixd:3", 2, 9)}}), read)),
      ElementsAre("test.yaml:2:9: 'policy' must be one of fixed, none, not 'fixd' (did you mean 'fixed'?)"));
  EXPECT_THAT(texts(errors_of(written_map({{"policy", written("speculation")}}), read)),
              ElementsAre("test.yaml:1:1: 'policy' must be one of fixed, none, not 'speculation'"));
  EXPECT_THAT(texts(errors_of(written_map({}), read)),
              ElementsAre("test.yaml:1:1: missing parameter 'policy' (one of fixed, none: how deep)"));
  EXPECT_THAT(
      texts(errors_of(written_map({{"policy", written_list({"fixed"})}}), read)),
      ElementsAre("test.yaml:1:1: 'policy': a name is expected here, not a list (known: fixed, none)"));
}

TEST(Parameters, AnAbsentSelectionTakesItsDefaultAndReadsItsParameters) {
  const Errors errors = errors_of(written_map({}, 3), [](Parameters& p) {
    Selection found = p.one_of("policy", {"none", "fixed"}, "how deep", "fixed");
    EXPECT_EQ(found.name, "fixed");
    found.parameters.integer("k", kDepth);
  });
  EXPECT_THAT(
      texts(errors),
      ElementsAre(
          "test.yaml:3:1: missing parameter 'k' (integer, tokens: draft tokens verified per request)"));
}

TEST(Parameters, AKeyThatDoesNotApplyBesideAnotherIsToldSo) {
  const auto read = [](Parameters& p) {
    p.exclude("survival", "preset");
    p.text(p.given("preset") ? "preset" : "survival", {});
  };
  EXPECT_THAT(errors_of(written_map({{"preset", written("qwen3")}}), read), IsEmpty());
  EXPECT_THAT(errors_of(written_map({{"survival", written("0.5")}}), read), IsEmpty());
  EXPECT_THAT(
      texts(errors_of(written_map({{"preset", written("qwen3")}, {"survival", written("0.5", 3, 4)}}), read)),
      ElementsAre("test.yaml:3:4: 'survival' does not apply beside 'preset' (give one of the two)"));
}

TEST(Parameters, FilesComeFromTheLoaderAndItsErrorsAreReported) {
  const FileLoader loader = [](const std::string& path, const Position& position) -> Result<InputFile> {
    if (path == "there.csv") return InputFile{"/data/there.csv", "1,2", position};
    return Error{"no such file: " + path, position, {}};
  };
  Parameters parameters(written_map({{"a", written("there.csv")}, {"b", written("gone.csv", 2, 4)}}), loader);
  EXPECT_EQ(parameters.file("a", "a table").content, "1,2");
  EXPECT_EQ(parameters.file("b", "a table").content, "");
  EXPECT_EQ(Parameters(written_map({{"g", written_map({{"a", written("there.csv")}})}}), loader)
                .group("g", "files")
                .file("a", "a table")
                .content,
            "1,2");
  EXPECT_THAT(texts(parameters.errors()), ElementsAre("test.yaml:2:4: no such file: gone.csv"));
  EXPECT_THAT(texts(errors_of(written_map({{"a", written("there.csv")}}),
                              [](Parameters& p) { p.file("a", "a table"); })),
              ElementsAre("test.yaml:1:1: 'a' names the file 'there.csv', but no files can be read here"));
}

TEST(Parameters, RawValuesAreMarkedAsRead) {
  Parameters parameters(written_map({{"grid", written_list({"1"})}}));
  ASSERT_NE(parameters.raw("grid", "map", "axes"), nullptr);
  EXPECT_EQ(parameters.raw("rows", "list", "points"), nullptr);
  EXPECT_EQ(parameters.raw("must", "list", "points", false), nullptr);
  parameters.finish();
  EXPECT_THAT(texts(parameters.errors()),
              ElementsAre("test.yaml:1:1: missing parameter 'must' (list: points)"));
}

TEST(Parameters, WhatIsNoMapIsRefusedAsAWhole) {
  EXPECT_THAT(texts(errors_of(written("7", 3, 2), [](Parameters& p) { p.integer("k", kDepth); })),
              ElementsAre("test.yaml:3:2: a map of parameters is expected here, not text '7'"));
}

TEST(Parameters, DescribingRecordsEverythingAndNeverErrs) {
  Parameters parameters = Parameters::describing();
  EXPECT_EQ(parameters.integer("k", {.min = 1, .max = 64, .unit = "tokens", .meaning = "depth"}), 1);
  EXPECT_EQ(parameters.number("t", {.min = 0, .default_value = 0.7, .meaning = "threshold"}), 0.7);
  parameters.file("table", "costs");
  Parameters group = parameters.group("kv", "cache");
  group.numbers("sizes", {.min = 0, .default_value = std::vector<double>{1, 2.5}});
  Selection chosen = parameters.one_of("policy", {"fixed", "none"}, "how deep");
  chosen.parameters.flag("loud", {.default_value = false});
  parameters.add_error("nobody cares", {});
  parameters.finish();
  EXPECT_TRUE(parameters.is_describing());
  EXPECT_THAT(parameters.errors(), IsEmpty());

  const auto& records = parameters.records();
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].range, "1 .. 64");
  EXPECT_EQ(records[0].unit, "tokens");
  EXPECT_EQ(records[0].default_value, "");
  EXPECT_EQ(records[1].range, ">= 0");
  EXPECT_EQ(records[1].default_value, "0.7");
  EXPECT_EQ(records[2].type, "file");
  ASSERT_EQ(records[3].members.size(), 1u);
  EXPECT_TRUE(records[3].optional);
  EXPECT_EQ(records[3].members[0].default_value, "[1, 2.5]");
  EXPECT_EQ(records[4].type, "one of fixed, none");
  ASSERT_EQ(records[4].members.size(), 1u);
  EXPECT_EQ(records[4].members[0].name, "fixed");
  EXPECT_EQ(records[4].members[0].members.at(0).default_value, "false");
}

TEST(Parameters, ErrorsWithoutAPositionGetThatOfTheMap) {
  Parameters parameters(written_map({}, 8));
  parameters.add_error({"this does not fit"});
  EXPECT_THAT(texts(parameters.errors()), ElementsAre("test.yaml:8:1: this does not fit"));
}

}  // namespace
}  // namespace dspark
