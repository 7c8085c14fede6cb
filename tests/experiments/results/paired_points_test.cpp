#include "experiments/results/paired_points.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/experiments/results/made_result.h"

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMachine = "machine.use";

/// Points without metrics: policy, then the axes.
ResultFile of(const std::vector<std::string>& axes, const std::vector<std::vector<std::string>>& points,
              bool numeric = true) {
  std::vector<MadePoint> made;
  for (const auto& point : points) made.push_back({point[0], {point.begin() + 1, point.end()}, {}});
  return made_result(axes, made, 7, numeric);
}

using Pairs = std::set<std::pair<std::size_t, std::size_t>>;

Pairs rows(const PairedPoints& paired) {
  Pairs found;
  for (const PointPair& pair : paired.pairs) found.emplace(pair.a, pair.b);
  return found;
}

PairedPoints paired(const ResultFile& a, const ResultFile& b, const std::vector<AxisChoice>& choices = {}) {
  const auto found = pair_points(a, b, choices);
  EXPECT_TRUE(found) << to_string(found.error());
  return *found;
}

std::string refused(const ResultFile& a, const ResultFile& b, const std::vector<AxisChoice>& choices = {}) {
  const auto found = pair_points(a, b, choices);
  EXPECT_FALSE(found);
  return found ? "" : to_string(found.error());
}

TEST(PairedPoints, ArePairedByValuesWhateverTheirNumberAndOrder) {
  const ResultFile a = of({kUsers}, {{"none", "1"}, {"none", "8"}, {"dspark", "1"}, {"dspark", "8"}});
  const ResultFile b = of({kUsers}, {{"dspark", "8"}, {"fixed:3", "8"}, {"none", "8"}, {"none", "1"}});
  const PairedPoints found = paired(a, b);
  EXPECT_EQ(rows(found), (Pairs{{0, 3}, {1, 2}, {3, 0}}));
  EXPECT_THAT(found.settings, ElementsAre(ElementsAre("1"), ElementsAre("8")));
  ASSERT_EQ(found.lone.size(), 2u) << "neither is dropped in silence";
  EXPECT_TRUE(found.lone[0].is_of_a);
  EXPECT_EQ(found.lone[0].point, 2u);
  EXPECT_FALSE(found.lone[1].is_of_a);
  EXPECT_EQ(found.lone[1].point, 1u);
}

TEST(PairedPoints, NumbersAreEqualAsNumbersAndAxesMayStandInAnyOrder) {
  const ResultFile a = of({kUsers, "x"}, {{"none", "1", "0.5"}, {"none", "8", "0.5"}});
  const ResultFile b = of({"x", kUsers}, {{"none", "5e-1", "8.0"}, {"none", "0.50", "1"}}, false);
  EXPECT_EQ(rows(paired(a, b)), (Pairs{{0, 1}, {1, 0}}));
}

TEST(PairedPoints, OfEqualPointsTheFirstIsComparedAndTheOthersAreListed) {
  const ResultFile a = of({kUsers}, {{"none", "1"}, {"none", "1"}});
  const ResultFile b = of({kUsers}, {{"none", "1"}, {"none", "1"}, {"none", "1"}});
  const PairedPoints found = paired(a, b);
  EXPECT_EQ(rows(found), (Pairs{{0, 0}}));
  ASSERT_EQ(found.lone.size(), 3u);
  for (const LonePoint& lone : found.lone) EXPECT_TRUE(lone.repeated);
}

TEST(PairedPoints, APolicyIsPairedWithAnotherByTheOtherAxes) {
  const ResultFile file = of({kUsers}, {{"none", "1"}, {"none", "8"}, {"dspark", "8"}, {"dspark", "1"}});
  const PairedPoints found = paired(file, file, {{"policy", "none", "dspark"}});
  EXPECT_EQ(rows(found), (Pairs{{0, 3}, {1, 2}}));
  EXPECT_THAT(found.lone, IsEmpty()) << "what was not chosen is no partner that is missing";
}

TEST(PairedPoints, AnyAxisMayBePairedWithAnotherValue) {
  const ResultFile file =
      of({kMachine}, {{"none", "modelled"}, {"none", "executor"}, {"dspark", "executor"}}, false);
  const PairedPoints found = paired(file, file, {{kMachine, "modelled", "executor"}});
  EXPECT_EQ(rows(found), (Pairs{{0, 1}}));
  ASSERT_EQ(found.lone.size(), 1u);
  EXPECT_EQ(found.lone[0].point, 2u);
}

TEST(PairedPoints, AxesUnderThePolicyAreThePolicys) {
  const ResultFile a = of({"policy.threshold.value"}, {{"{threshold: {value: 0.5}}", "0.5"}});
  const ResultFile b = of({}, {{"{threshold: {value: 0.5}}"}});
  EXPECT_EQ(rows(paired(a, b)), (Pairs{{0, 0}}));
}

TEST(PairedPoints, AnAxisThatOneFileHasAloneMayNotVaryThere) {
  const ResultFile a = of({kUsers, "x"}, {{"none", "1", "3"}, {"none", "8", "3"}});
  const ResultFile b = of({kUsers}, {{"none", "1"}, {"none", "8"}});
  const PairedPoints found = paired(a, b);
  EXPECT_EQ(rows(found), (Pairs{{0, 0}, {1, 1}}));
  EXPECT_THAT(found.fixed, ElementsAre("x=3"));
  const ResultFile varies = of({kUsers, "x"}, {{"none", "1", "3"}, {"none", "1", "4"}});
  EXPECT_THAT(refused(varies, b), HasSubstr("axis 'x' varies in A (3, 4) and B does not have it"));
  EXPECT_THAT(refused(b, varies), HasSubstr("axis 'x' varies in B (3, 4) and A does not have it"));
}

TEST(PairedPoints, WhereNothingCanBePairedBothAreDescribed) {
  const std::string error =
      refused(of({kUsers}, {{"none", "1"}, {"none", "2"}}), of({kUsers}, {{"none", "4"}, {"dspark", "8"}}));
  EXPECT_EQ(error, "no point of A has a partner in B (A has policy: none; " + kUsers +
                       ": 1, 2; B has policy: none, dspark; " + kUsers + ": 4, 8)");
}

TEST(PairedPoints, AChoiceThatIsNotThereIsAnErrorThatSaysWhatIs) {
  const ResultFile a = of({kUsers}, {{"none", "1"}});
  const ResultFile b = of({kUsers}, {{"dspark", "1"}});
  EXPECT_EQ(refused(a, b, {{"policy", "none", "none"}}), "B has no point with policy=none (known: dspark)");
  EXPECT_THAT(refused(a, b, {{"users", "1", "1"}}), HasSubstr("A has no axis 'users' (known: policy, "));
}

}  // namespace
}  // namespace dspark
