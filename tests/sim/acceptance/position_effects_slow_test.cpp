#include <gtest/gtest.h>

#include "sim/acceptance/position_effects.h"
#include "sim/acceptance/survival_presets.h"
#include "tests/sim/acceptance/back_to_back_rounds.h"

namespace dspark {
namespace {

TEST(PositionEffects, SurvivalOfBackToBackRoundsMeetsThePublishedTables) {
  std::uint32_t seed = 0;
  for (const SurvivalPreset& preset : survival_presets()) {
    if (preset.structure) continue;  // solved with the structure of text, text_structure_slow_test.cpp
    SCOPED_TRACE(preset.name);
    const std::vector<double> table = survival_of(preset.conditional);
    ASSERT_EQ(table.size(), 7u);
    const auto solved = solve_position_effects(table, 0.82, {});
    ASSERT_TRUE(solved) << to_string(solved.error());
    const Survival survival = replay_back_to_back(*solved, {}, make_random_key(++seed, 0), 16384);
    EXPECT_LT(distance_from(table, survival), 4);
    for (const double wrong : {-0.02, 0.02}) {
      std::vector<double> planted = table;
      planted[2] += wrong;
      EXPECT_GT(distance_from(planted, survival), 4) << "a table that is wrong at position 3 passes";
    }
  }
  EXPECT_EQ(seed, 9u);
}

}  // namespace
}  // namespace dspark
