#include "policies/nearest_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace dspark {
namespace {

const std::vector<std::string> kNames = {"none", "fixed", "threshold", "dspark", "dspark_async"};

TEST(NearestName, FindsTheNameThatWasMeant) {
  EXPECT_EQ(nearest_name("fixd", kNames), "fixed");
  EXPECT_EQ(nearest_name("dspark-async", kNames), "dspark_async");
  EXPECT_EQ(nearest_name("treshhold", kNames), "threshold");
}

TEST(NearestName, SuggestsNothingThatIsFar) {
  EXPECT_EQ(nearest_name("speculative", kNames), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), kNames), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(NearestName, TheFirstOfEquallyNearNamesIsTaken) {
  const std::vector<std::string> names = {"abc1", "abc2"};
  EXPECT_EQ(nearest_name("abc3", names), "abc1");
}

TEST(NearestName, AdviceNamesTheNearestOrAllThatAreKnown) {
  EXPECT_EQ(known_names_advice("fixd", kNames), "did you mean 'fixed'?");
  EXPECT_EQ(known_names_advice("speculative", kNames), "known: none, fixed, threshold, dspark, dspark_async");
  EXPECT_EQ(known_names_advice("x", {}), "nothing is expected here");
}

}  // namespace
}  // namespace dspark
