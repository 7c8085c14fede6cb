#include "policies/lossless/lossless_check.h"

#include <gtest/gtest.h>

#include "policies/lossless/speculative_sampling.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/policies/depth/scene.h"
#include "tests/policies/lossless/planted_faults.h"

namespace dspark {
namespace {

using Kind = LosslessVerdict::Kind;

LosslessVerdict check(const PolicyMaker& make, ConfidenceSource source = ConfidenceSource::kConfidence,
                      const EngineRules& rules = {}) {
  const LosslessVerdict verdict = check_lossless(make, source, rules);
  if (verdict.exposure) std::cout << exposure_text(*verdict.exposure);
  std::cout << verdict_text(verdict) << ", different " << verdict.different << "\n";
  return verdict;
}
template <class Policy, class... Arguments>
PolicyMaker maker(Arguments... arguments) {
  return [=] { return std::make_unique<Policy>(arguments...); };
}
PolicyMaker registered(const std::string& name) {
  return [=] { return testing::policy(name, testing::required_parameters(name, 4)); };
}

TEST(LosslessCheck, ExposesTheRetrospectiveSearch) {
  EXPECT_EQ(check(maker<testing::RetrospectiveSearch>()).kind, Kind::kExposed);
}

TEST(LosslessCheck, ExposesTheChosenTokensProbabilityWhereDraftsAreSampledAndPassesItWhereTheyAreGreedy) {
  for (const char* name : {"dspark", "threshold"}) {
    EXPECT_EQ(check(registered(name), ConfidenceSource::kChosen).kind, Kind::kExposed) << name;
    EXPECT_EQ(check(registered(name), ConfidenceSource::kChosenGreedy).kind, Kind::kProved) << name;
  }
}

TEST(LosslessCheck, ExposesDroppingTheTokenThatStoppedADraft) {
  const PolicyMaker stops = maker<testing::StopsAtUnlikelyTokens>();
  EXPECT_EQ(check(stops).kind, Kind::kNoViolation);
  EXPECT_EQ(check(stops, ConfidenceSource::kConfidence, {.keeps_the_stopping_token = false}).kind,
            Kind::kExposed);
}

TEST(LosslessCheck, ExposesWhatIsCarriedFromADraftStopIntoTheChoice) {
  EXPECT_EQ(check(maker<testing::CarriesFromTheStop>(true)).kind, Kind::kExposed);
  EXPECT_EQ(check(maker<testing::CarriesFromTheStop>(false)).kind, Kind::kExposed);
}

TEST(LosslessCheck, ExposesBudgetsFromDraftedLengthsAndDraftPasses) {
  const EngineRules shows_drafted{.shows_planned_blocks = false};
  for (const auto& make :
       {maker<testing::BudgetFromDraftedLengths>(), maker<testing::BudgetFromDraftPasses>()}) {
    EXPECT_EQ(check(make).kind, Kind::kNoViolation);
    EXPECT_EQ(check(make, ConfidenceSource::kConfidence, shows_drafted).kind, Kind::kExposed);
  }
}

TEST(LosslessCheck, ExposesAcceptedCountsOfThisStep) {
  EXPECT_EQ(check(maker<testing::AcceptedCounts>()).kind, Kind::kExposed);
}

TEST(LosslessCheck, NamesAViolationThatOnlyTheJointLawShows) {
  const LosslessVerdict verdict = check(maker<testing::MutualDependence>());
  ASSERT_EQ(verdict.kind, Kind::kExposed);
  EXPECT_TRUE(verdict.exposure->changed.joint_only);
}

TEST(LosslessCheck, ExposesScoresThatRiseWithinARequest) {
  EXPECT_EQ(check(maker<testing::ScoresThatRise>()).kind, Kind::kExposed);
}

TEST(LosslessCheck, ExposesAFaultThatBeginsInRoundThree) {
  const LosslessVerdict verdict = check(maker<testing::BeginsInRoundThree>());
  ASSERT_EQ(verdict.kind, Kind::kExposed);
  EXPECT_GE(verdict.exposure->rounds, 2);
}

TEST(Verifier, KeepsTheTargetExactly) {
  const auto identities = prove_verifier();
  ASSERT_TRUE(identities);
  EXPECT_GT(*identities, 500);
}

TEST(Verifier, TheSearchThatLooksAheadTurnsSevenTenthsIntoEightyFiveHundredths) {
  // Appendix A: a fair drafter, a target of (0.7, 0.3), and x_1 submitted only where it is A.
  Distribution<double> p(2, 1, {.7, .3}), q(2, 1, {.5, .5});
  double a = 0;
  for (const int x : {0, 1}) {
    const std::vector<int> draft{x}, text{0};
    a += .5 * output_probability<double>(p, q, draft, x == 0 ? 1 : 0, text);
  }
  EXPECT_NEAR(a, .85, 1e-12);
}

TEST(FrontierStrategies, ShowNothingOfWhatIsNotAdmitted) {
  const FrontierProof proof = prove_frontier();
  EXPECT_FALSE(proof.leak) << *proof.leak;
  EXPECT_GT(proof.states, 10000);
  std::cout << proof.states << " states\n";
}

/// Shows the survival behind the next token too.
class LeakyFrontier : public SurvivalFrontier {
 public:
  double expected_accepted() const {
    double sum = 0;
    for (const float survival : survivals_for_history()) sum += static_cast<double>(survival);
    return sum;
  }
};
TEST(FrontierStrategies, FindALeakThatWasPlanted) {
  std::mt19937 coins(3);
  const SystemSize size{2, 2, 1};
  EXPECT_TRUE(FrontierStrategies<LeakyFrontier>(size, random_models(size, coins), false).prove().leak);
}

}  // namespace
}  // namespace dspark
