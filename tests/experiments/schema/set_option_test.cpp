#include "experiments/schema/set_option.h"

#include <gmock/gmock.h>

#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

using testing::HasSubstr;

std::string set(std::string_view yaml, std::string_view option) {
  auto root = read_yaml(yaml, "f");
  if (!root) return to_string(root.error());
  const auto error = apply_set_option(*root, option);
  return error ? to_string(*error) : flow_text(*root);
}

TEST(SetOption, ReplacesAndCreates) {
  EXPECT_EQ(set("{a: {b: 1}}", "a.b=2"), "{a: {b: 2}}");
  EXPECT_EQ(set("{a: {b: 1}}", "a.c.d=[1, 2]"), "{a: {b: 1, c: {d: [1, 2]}}}");
  EXPECT_EQ(set("{a: 1}", "policy={fixed: {k: 7}}"), "{a: 1, policy: {fixed: {k: 7}}}");
  EXPECT_EQ(set("{a: 1}", "policy=fixed:7"), "{a: 1, policy: fixed:7}");
  EXPECT_EQ(set("{a: }", "a.b=1"), "{a: {b: 1}}");
}

TEST(SetOption, FindsKeysThatHoldDots) {
  const std::string yaml = "{sweep: {grid: {policy: [none], workload.users: [1]}}}";
  EXPECT_EQ(set(yaml, "sweep.grid.workload.users=[2, 4]"),
            "{sweep: {grid: {policy: [none], workload.users: [2, 4]}}}");
  EXPECT_EQ(set(yaml, "sweep.grid.engine.max=[2]"),
            "{sweep: {grid: {policy: [none], workload.users: [1], engine.max: [2]}}}");
}

TEST(SetOption, WhatItPutsSaysWhereItCameFrom) {
  auto root = read_yaml("{a: {b: 1}}", "f");
  ASSERT_TRUE(root);
  ASSERT_FALSE(apply_set_option(*root, "a.b=2"));
  const Position& position = find_path(*root, {"a", "b"})->position;
  EXPECT_EQ(*position.source, "--set a.b=2");
  EXPECT_EQ(position.line, 0);
  EXPECT_TRUE(is_set_option(position));
}

TEST(SetOption, ReportsWhatIsWrong) {
  EXPECT_THAT(set("{a: 1}", "a"), HasSubstr("--set a: a --set option is path.to.key=value"));
  EXPECT_THAT(set("{a: 1}", "=1"), HasSubstr("a --set option is path.to.key=value"));
  EXPECT_THAT(set("{a: 1}", "a..b=1"), HasSubstr("'a..b' is not a path of keys"));
  EXPECT_THAT(set("{a: 1}", "a="), HasSubstr("--set a=: the value is missing"));
  EXPECT_THAT(set("{a: 1}", "a=[1"), HasSubstr("--set a=[1: this is not YAML"));
  EXPECT_THAT(set("{a: 1}", "a.b=1"), HasSubstr("'a' cannot have a key 'b': it is text '1'"));
}

}  // namespace
}  // namespace dspark
