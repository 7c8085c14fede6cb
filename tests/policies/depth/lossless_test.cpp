// Lemma 1 of LOSSLESS.md on every registered policy: draws that agree on what was submitted give the same
// decision.
#include <gtest/gtest.h>

#include "tests/policies/depth/planted_faults.h"
#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::decisions_that_anticipate;

TEST(Lossless, NoPolicyThatSaysSoDependsOnDrawsItDidNotSubmit) {
  for (const DepthPolicyEntry& entry : depth_policies()) {
    const testing::PolicyMaker make = [&] {
      Parameters parameters = Parameters::describing();
      return entry.construct(parameters);
    };
    if (!make()->traits().lossless) continue;
    EXPECT_EQ(decisions_that_anticipate(make, 31), 0) << entry.name;
  }
}

/// Cuts at the first token whose own draw was unlikely: looks at what it decides about.
class ChosenThreshold final : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.lossless = false, .signals = kChosen}; }
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    for (std::size_t r = 0; r < lengths.size(); ++r) {
      const int row = static_cast<int>(r);
      lengths[r] = 0;
      while (lengths[r] < view.drafts.drafted[r] && view.drafts.after_draw(row, lengths[r] + 1).chosen > 0.5)
        ++lengths[r];
    }
  }
};

TEST(Lossless, RulesThatAnticipateAreCaught) {
  EXPECT_GT(decisions_that_anticipate([] { return std::make_unique<testing::RetrospectiveSearch>(); }, 32),
            0);
  EXPECT_GT(decisions_that_anticipate([] { return std::make_unique<ChosenThreshold>(); }, 33), 0);
  EXPECT_GT(decisions_that_anticipate([] { return testing::policy("oracle"); }, 34), 0);
}

}  // namespace
}  // namespace dspark
