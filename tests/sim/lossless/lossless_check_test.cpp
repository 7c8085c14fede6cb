#include "sim/lossless/lossless_check.h"

#include <gtest/gtest.h>

#include "sim/lossless/speculative_sampling.h"
#include "tests/policies/depth/planted_faults.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using Kind = LosslessVerdict::Kind;

LosslessVerdict check(const PolicyMaker& make, ConfidenceSource source = ConfidenceSource::kConfidence,
                      const EngineRules& rules = {}) {
  return check_lossless(make, source, rules);
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

TEST(LosslessCheck, SaysSoWhereAPolicyBreaksItsWord) {
  const auto broken = [](const PolicyMaker& make, ConfidenceSource source) {
    return breaks_its_word(make()->traits(), source, check(make, source));
  };
  // Declares that it keeps the output, by saying nothing else, and does not.
  EXPECT_TRUE(broken(maker<testing::CarriesFromTheStop>(true), ConfidenceSource::kConfidence));
  EXPECT_FALSE(broken(registered("oracle"), ConfidenceSource::kConfidence));  // says that it anticipates
  EXPECT_FALSE(broken(registered("dspark"), ConfidenceSource::kChosen));      // the signal does
  EXPECT_FALSE(broken(registered("dspark"), ConfidenceSource::kConfidence));
}

TEST(LosslessCheck, AVerdictSaysWhetherAnythingHungOnDraws) {
  EXPECT_NE(verdict_text(check(registered("fixed"))).find("none depending on draws"), std::string::npos);
  EXPECT_NE(verdict_text(check(registered("dspark"))).find("different ones"), std::string::npos);
}

TEST(LosslessCheck, ATextShowsBothDraftsAndTheChangedProbability) {
  const LosslessVerdict verdict = check(maker<testing::MutualDependence>());
  ASSERT_TRUE(verdict.exposure);
  const std::string text = exposure_text(*verdict.exposure);
  EXPECT_NE(text.find("draft AA|BA: submits 0|1"), std::string::npos) << text;
  EXPECT_NE(text.find("each request by itself keeps its law"), std::string::npos) << text;
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
}

/// Shows the survival behind the next token too.
class LeakyFrontier : public OwnedFrontier {
 public:
  double expected_accepted() const {
    double sum = 0;
    for (const float survival : survivals_for_history()) sum += static_cast<double>(survival);
    return sum;
  }
};
TEST(FrontierStrategies, FindALeakThatWasPlanted) {
  ArbitraryWords coins(3);
  const SystemSize size{2, 2, 1};
  EXPECT_TRUE(FrontierStrategies<LeakyFrontier>(size, random_models(size, coins), false).prove().leak);
}

}  // namespace
}  // namespace dspark
