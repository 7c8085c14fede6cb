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

TEST(SweepAxes, AProductThatIsTooLargeIsRefusedBeforeItIsMade) {
  std::string axes;
  for (char c = 'a'; c < 'k'; ++c) axes += std::string(1, c) + ": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], ";
  EXPECT_THAT(expand("grid: {" + axes + "}"),
              testing::Contains(HasSubstr("the sweep has more than 100000 points")));
}

}  // namespace
}  // namespace dspark
