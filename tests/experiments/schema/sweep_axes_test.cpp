#include "experiments/schema/sweep_axes.h"

#include <gmock/gmock.h>

#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The points as texts "axis=value axis=value", or the errors.
std::vector<std::string> expand(std::string_view yaml) {
  const auto value = read_yaml(yaml, "f");
  EXPECT_TRUE(value);
  Errors errors;
  const SweepAxes sweep = read_sweep(&*value, errors);
  std::vector<std::string> texts;
  for (const Error& error : errors) texts.push_back(to_string(error));
  if (!errors.empty()) return texts;
  for (const auto& point : sweep.points) {
    std::string text;
    for (const Assignment& a : point) {
      text += (text.empty() ? "" : " ") + sweep.axes[a.axis].text + "=" + label(*a.value);
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(SweepAxes, AGridIsEveryCombinationTheFirstAxisSlowest) {
  EXPECT_THAT(expand("grid: {a: [1, 2], b: [x, y]}"),
              ElementsAre("a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"));
}
TEST(SweepAxes, AZipGoesSideBySide) {
  EXPECT_THAT(expand("zip: {a: [1, 2], b: [x, y]}"), ElementsAre("a=1 b=x", "a=2 b=y"));
}
TEST(SweepAxes, AListIsAsWritten) {
  EXPECT_THAT(expand("list: [{a: 1}, {a: 2, b: x}]"), ElementsAre("a=1", "a=2 b=x"));
}
TEST(SweepAxes, BlocksMultiplyInTheOrderGridZipList) {
  EXPECT_THAT(expand("{list: [{c: 1}, {c: 2}], grid: {a: [1, 2]}}"),
              ElementsAre("a=1 c=1", "a=1 c=2", "a=2 c=1", "a=2 c=2"));
}
TEST(SweepAxes, WithoutASweepThereIsOnePoint) {
  Errors errors;
  EXPECT_EQ(read_sweep(nullptr, errors).points.size(), 1u);
  EXPECT_TRUE(errors.empty());
}

TEST(SweepAxes, ReportsWhatIsWrong) {
  EXPECT_THAT(expand("grid: {a: []}"),
              ElementsAre(HasSubstr("f:1:11: axis 'a' needs a list of values, not an empty list")));
  EXPECT_THAT(expand("grid: {a: 1}"),
              ElementsAre(HasSubstr("axis 'a' needs a list of values, not text '1'")));
  EXPECT_THAT(expand("grid: {a: [1, 2, 1]}"), ElementsAre(HasSubstr("f:1:18: axis 'a' holds '1' twice")));
  EXPECT_THAT(expand("gird: {a: [1]}"),
              ElementsAre(HasSubstr("unknown key 'gird' in 'sweep' (did you mean 'grid'?)")));
  EXPECT_THAT(expand("zip: {a: [1, 2], b: [1]}"),
              ElementsAre(HasSubstr("zip: 'b' has 1 values, the axes before it have 2")));
  EXPECT_THAT(expand("{grid: {a: [1]}, zip: {a: [2]}}"),
              ElementsAre(HasSubstr("axis 'a' overlaps axis 'a'")));
  EXPECT_THAT(expand("grid: {a: [1], a.b: [2]}"), ElementsAre(HasSubstr("axis 'a.b' overlaps axis 'a'")));
  EXPECT_THAT(expand("grid: {seed: [1]}"), ElementsAre(HasSubstr("'seed' cannot be an axis")));
  EXPECT_THAT(expand("grid: {a..b: [1]}"), ElementsAre(HasSubstr("'a..b' is not a path of keys")));
  EXPECT_THAT(expand("list: [1]"), ElementsAre(HasSubstr("an entry of 'list' is a map from path to value")));
  EXPECT_THAT(expand("[1]"), ElementsAre(HasSubstr("'sweep' must be a map, not a list")));
}

TEST(SweepAxes, MergedAndAliasedListEntriesKeepTheirValues) {
  EXPECT_THAT(expand("list: [&one {a: 1, b: [x, {y: 2}]}, {<<: *one, a: 2}, *one]"),
              ElementsAre("a=1 b=[x, {y: 2}]", "a=2 b=[x, {y: 2}]", "a=1 b=[x, {y: 2}]"));
  EXPECT_THAT(expand("list: [&one {a: 1}, &two {a: 2, b: x}, {<<: [*one, *two]}, {c: *one}]"),
              ElementsAre("a=1", "a=2 b=x", "a=1 b=x", "c={a: 1}"));
  EXPECT_THAT(expand("grid: {a: &loads [1, 2]}\nlist: [{b: *loads}, {b: &k {k: 3}, c: {<<: *k, j: 4}}]"),
              ElementsAre("a=1 b=[1, 2]", "a=1 b={k: 3} c={j: 4, k: 3}", "a=2 b=[1, 2]",
                          "a=2 b={k: 3} c={j: 4, k: 3}"));
}

TEST(SweepAxes, AListThatGrowsByManyAxesLateKeepsTheValuesOfItsFirstEntries) {
  // Points refer to values: neither the axes found later nor the entries merged later may move them.
  std::string yaml = "list:\n- &first {a0: v0}\n";
  std::string expected;
  for (int i = 1; i < 50; ++i) {
    const std::string n = std::to_string(i);
    yaml += "- {<<: *first, a" + n + ": a long text that no small string buffer holds " + n + "}\n";
  }
  const auto points = expand(yaml);
  ASSERT_EQ(points.size(), 50u);
  EXPECT_EQ(points.front(), "a0=v0");
  for (int i = 1; i < 50; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_THAT(points[static_cast<std::size_t>(i)], HasSubstr("a0=v0"));
    EXPECT_THAT(points[static_cast<std::size_t>(i)],
                HasSubstr("a" + n + "=a long text that no small string buffer holds " + n));
  }
}

TEST(SweepAxes, MalformedListEntriesWithMergesAndAliasesAreOneErrorEach) {
  EXPECT_THAT(expand("list: [&one {a: 1}, [*one], *one, {a.b: *one}]"),
              ElementsAre(HasSubstr("f:1:21: an entry of 'list' is a map from path to value"),
                          HasSubstr("axis 'a.b' overlaps axis 'a'")));
  EXPECT_THAT(expand("list: &block {a: [1], b: {<<: {c: 2}}}"),
              ElementsAre(HasSubstr("'list' must be a list of maps")));
  EXPECT_THAT(expand("list: [&bad {a..b: 1}, *bad, {<<: *bad, c: 1}]"),
              testing::Each(HasSubstr("'a..b' is not a path of keys")));
  EXPECT_THAT(expand("list: [&scalar 1, {a: *scalar}, *scalar]"),
              testing::Each(HasSubstr("an entry of 'list' is a map from path to value, not text '1'")));
  for (const char* yaml : {"list: [{<<: 1, a: 2}]", "list: [{<<: [1], a: 2}]", "list: [{<<: *gone, a: 2}]",
                           "list: [&one {a: 1, b: *one}]", "list: [&one {<<: *one, a: 1}]"}) {
    EXPECT_FALSE(read_yaml(yaml, "f")) << yaml;
  }
}

TEST(SweepAxes, AProductThatIsTooLargeIsRefusedBeforeItIsMade) {
  std::string axes;
  for (char c = 'a'; c < 'k'; ++c) axes += std::string(1, c) + ": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], ";
  EXPECT_THAT(expand("grid: {" + axes + "}"),
              testing::Contains(HasSubstr("the sweep has more than 100000 points")));
}

}  // namespace
}  // namespace dspark
