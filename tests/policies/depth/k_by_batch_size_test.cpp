#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::at;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using testing::written;
using testing::written_list;
using testing::written_map;

Value rows(std::vector<std::vector<std::string>> table) {
  Value::List list;
  for (std::size_t i = 0; i < table.size(); ++i) {
    list.push_back(written_list(table[i], static_cast<int>(i) + 1));
  }
  return {std::move(list), at(1, 1)};
}
Value with_table(Value table) { return written_map({{"table", std::move(table)}}); }

/// k at these numbers of running requests.
std::vector<int> k_at(DepthPolicy& rule, const std::vector<int>& batch_sizes, int gamma = 7) {
  std::vector<int> result;
  for (const int requests : batch_sizes) {
    Scene scene(requests, gamma, affine_cost(1, 1));
    EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
    EXPECT_THAT(scene.planned, Each(scene.planned[0]));
    result.push_back(scene.planned[0]);
  }
  return result;
}

std::vector<std::string> errors_of(Value map) {
  Parameters parameters(std::move(map));
  EXPECT_NE(make_depth_policy("k_by_batch_size", parameters), nullptr);
  parameters.finish();
  return testing::texts(parameters.errors());
}

TEST(KByBatchSize, GapsAndTheTailOfAListHaveTheKBeforeThem) {
  auto rule = policy("k_by_batch_size", with_table(rows({{"1", "4", "7"}, {"8", "16", "3"}})));
  EXPECT_THAT(k_at(*rule, {1, 4, 5, 7, 8, 16, 17, 300}), ElementsAre(7, 7, 7, 7, 3, 3, 3, 3));
}

TEST(KByBatchSize, KIsCutToTheDraftersBlock) {
  auto rule = policy("k_by_batch_size", with_table(rows({{"1", "4", "7"}, {"5", "16", "3"}})));
  EXPECT_THAT(k_at(*rule, {4, 5}, 5), ElementsAre(5, 3));
  EXPECT_EQ(rule->traits().deepest, 0) << "any drafter will do";
}

TEST(KByBatchSize, TheKeysOfAMapAreUpperBoundsAndAboveTheLastNothingIsDrafted) {
  auto rule =
      policy("k_by_batch_size",
             with_table(written_map({{"4", written("4")}, {"8", written("2")}, {"32", written("1")}})));
  EXPECT_THAT(k_at(*rule, {1, 4, 5, 8, 9, 32, 33}), ElementsAre(4, 4, 2, 2, 1, 1, 0));
}

TEST(KByBatchSize, TheKeysOfOlderReleasesAreLowerBounds) {
  auto rule = policy("k_by_batch_size", written_map({{"table", written_map({{"1", written("4")},
                                                                            {"5", written("2")},
                                                                            {"9", written("1")},
                                                                            {"33", written("0")}})},
                                                     {"keys", written("lower_bounds")}}));
  EXPECT_THAT(k_at(*rule, {1, 4, 5, 8, 9, 32, 33}), ElementsAre(4, 4, 2, 2, 1, 1, 0));
}

TEST(KByBatchSize, ATableIsRequired) {
  EXPECT_THAT(errors_of(written_map({})), Contains(HasSubstr("missing parameter 'table'")));
}

TEST(KByBatchSize, WhatIsWrongInAListIsToldWithItsPlace) {
  const auto error = [](std::vector<std::vector<std::string>> table) {
    const auto errors = errors_of(with_table(rows(std::move(table))));
    return errors.size() == 1 ? errors[0] : std::to_string(errors.size()) + " errors";
  };
  EXPECT_THAT(error({{"2", "4", "7"}}),
              HasSubstr("test.yaml:1:1: 'table': the first row must start at batch size 1, not 2"));
  EXPECT_THAT(error({{"1", "4", "7"}, {"4", "8", "3"}}),
              HasSubstr("test.yaml:2:1: 'table': a row starts at 4, but the row before it ends at 4"));
  EXPECT_THAT(error({{"1", "4", "7"}, {"9", "8", "3"}}),
              HasSubstr("test.yaml:2:2: 'table': a row ends at 8, before its start 9"));
  EXPECT_THAT(error({{"1", "4"}}), HasSubstr("test.yaml:1:1: 'table': a row is [first, last, k]"));
  EXPECT_THAT(error({{"1", "4", "65"}}),
              HasSubstr("test.yaml:1:3: 'table': k must be an integer in 0 .. 64"));
  EXPECT_THAT(error({{"1", "4", "many"}}), HasSubstr("not 'many'"));
  EXPECT_THAT(error({}), HasSubstr("must be a list of [first, last, k] or a map from batch size to k"));
}

TEST(KByBatchSize, WhatIsWrongInAMapIsToldWithItsPlace) {
  EXPECT_THAT(errors_of(with_table(written_map({{"8", written("2")}, {"4", written("4")}}))),
              ElementsAre(HasSubstr("test.yaml:2:1: 'table': batch size 4 comes after 8")));
  EXPECT_THAT(errors_of(with_table(written_map({{"few", written("2")}}))),
              ElementsAre(HasSubstr("'table': a batch size must be an integer in 1 .. 1048576, not 'few'")));
  EXPECT_THAT(errors_of(written_map(
                  {{"table", written_map({{"4", written("2")}})}, {"keys", written("lower_bounds")}})),
              ElementsAre(HasSubstr("the first lower bound must be batch size 1, not 4")));
  EXPECT_THAT(errors_of(with_table(written("7"))),
              ElementsAre(HasSubstr("must be a list of [first, last, k] or a map")));
}

TEST(KByBatchSize, KeysDoNotApplyToAList) {
  EXPECT_THAT(errors_of(written_map({{"table", rows({{"1", "4", "7"}})}, {"keys", written("upper_bounds")}})),
              ElementsAre(HasSubstr("'keys' does not apply to a table that is a list")));
}

}  // namespace
}  // namespace dspark
