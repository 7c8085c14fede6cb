#include "sim/acceptance/recorded_acceptance.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr RandomKey kKey{8, 9};

/// Whole blocks of γ 3 with the accepted counts of each request's rounds, back to back.
Rounds recording(const std::vector<std::vector<int>>& accepted_by_request) {
  Rounds rounds;
  rounds.block_size = 3;
  rounds.domain_names = {"chat"};
  for (std::size_t request = 0; request < accepted_by_request.size(); ++request) {
    std::int64_t anchor = 100;
    for (const int accepted : accepted_by_request[request]) {
      rounds.request.push_back(static_cast<std::int64_t>(request));
      const bool first =
          rounds.request.size() < 2 || rounds.request[rounds.request.size() - 2] != rounds.request.back();
      rounds.round.push_back(first ? 0 : rounds.round.back() + 1);
      rounds.anchor_position.push_back(anchor);
      rounds.domain.push_back(0);
      rounds.drafted.push_back(3);
      rounds.verified.push_back(3);
      rounds.accepted.push_back(accepted);
      anchor += accepted + 1;
    }
  }
  return rounds;
}

std::string message(Rounds rounds, const std::vector<std::string>& domains = {}) {
  const auto model = RecordedAcceptance::make(std::move(rounds), domains);
  return model ? std::string() : to_string(model.error());
}

/// Accepted counts of the first `count` rounds of one simulated request.
std::vector<int> replayed(const RecordedAcceptance& model, std::uint32_t source, int count, int depth) {
  BatchRows batch(1);
  batch.source[0] = source;
  std::vector<int> accepted;
  std::vector<std::int32_t> produced{1}, round{0};
  for (; round[0] < count; ++round[0]) {
    RunnerRows rows = batch.rows();
    rows.produced = produced;
    rows.round = round;
    DraftedBlocks blocks;
    model.draw(kKey, rows, depth, kConfidenceOnly, blocks);
    accepted.push_back(blocks.accepted[0]);
    produced[0] += blocks.accepted[0] + 1;
  }
  return accepted;
}

TEST(RecordedAcceptance, RoundsComeInTheOrderOfTheirRequestAndGoOnWithTheNext) {
  const auto model = RecordedAcceptance::make(recording({{0, 3, 1}, {2, 2, 0}}), {});
  ASSERT_TRUE(model) << to_string(model.error());
  EXPECT_FALSE((*model)->is_dense());
  EXPECT_EQ((*model)->used_rounds(), 6u);
  std::set<std::vector<int>> seen;
  for (std::uint32_t source = 0; source < 40; ++source) seen.insert(replayed(**model, source, 5, 3));
  EXPECT_THAT(seen, ElementsAre(ElementsAre(0, 3, 1, 2, 2), ElementsAre(2, 2, 0, 0, 3)));
}

TEST(RecordedAcceptance, ADenseRecordingIsReadAtThePlaceOfTheReply) {
  // From every position: how many of the next tokens are accepted. Depth 1 moves by at most two tokens a
  // round.
  Rounds rounds = recording({{3, 2, 1, 0, 3, 2, 1, 0}});
  for (std::size_t i = 0; i < rounds.size(); ++i)
    rounds.anchor_position[i] = 50 + static_cast<std::int64_t>(i);
  const auto model = RecordedAcceptance::make(rounds, {});
  ASSERT_TRUE(model);
  EXPECT_TRUE((*model)->is_dense());
  EXPECT_THAT(replayed(**model, 0, 3, 3), ElementsAre(3, 3, 3)) << "places 0, 4, 8 = 0";
  EXPECT_THAT(replayed(**model, 0, 4, 1), ElementsAre(1, 1, 1, 1)) << "places 0, 2, 4, 6";
  EXPECT_THAT(replayed(**model, 0, 3, 2), ElementsAre(2, 0, 2)) << "places 0, 3, 4";
}

TEST(RecordedAcceptance, WithoutConfidencesTheMeanAtEachPositionStandsIn) {
  const auto model = RecordedAcceptance::make(recording({{0, 1, 3, 3}}), {});
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->signals(), static_cast<unsigned>(kConfidenceOnly));
  EXPECT_THAT((*model)->conditional_acceptance(0), ElementsAre(3.0f / 4, 2.0f / 3, 1.0f));
  BatchRows batch(1);
  const std::vector<std::int32_t> zero{0};
  RunnerRows rows = batch.rows();
  rows.produced = rows.round = zero;
  DraftedBlocks blocks;
  (*model)->draw(kKey, rows, 3, kConfidenceOnly, blocks);
  EXPECT_THAT(blocks.confidence, ElementsAre(3.0f / 4, 2.0f / 3, 1.0f));
}

TEST(RecordedAcceptance, SignalsAreThoseRecorded) {
  Rounds rounds = recording({{1, 3}});
  rounds.confidence = {0.9f, 0.8f, 0.7f, 0.6f, 0.5f, 0.4f};
  rounds.margin = {1, 2, 3, 4, 5, 6};
  const auto model = RecordedAcceptance::make(rounds, {"chat"});
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->signals(), static_cast<unsigned>(kMargin));
  BatchRows batch(1);
  const std::vector<std::int32_t> one{1};
  RunnerRows rows = batch.rows();
  rows.produced = rows.round = one;
  DraftedBlocks blocks;
  (*model)->draw(kKey, rows, 2, kMargin, blocks);
  EXPECT_THAT(blocks.confidence, ElementsAre(0.6f, 0.5f));
  EXPECT_THAT(blocks.margin, ElementsAre(4, 5));
}

TEST(RecordedAcceptance, BlocksThatTheEndOfTextCutAreLeftOutAndThoseThatAPolicyCutRefused) {
  Rounds ended = recording({{1, 2, 1}});
  ended.drafted[2] = ended.verified[2] = ended.accepted[2] = 1;
  const auto model = RecordedAcceptance::make(ended, {});
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->used_rounds(), 2u);
  Rounds cut = recording({{1, 2}});
  cut.verified[1] = 2;
  EXPECT_THAT(message(cut),
              HasSubstr("round 1 of request 0: 2 of 3 draft tokens were verified and all accepted"));
  Rounds rejected_inside = recording({{1, 2}});
  rejected_inside.verified[0] = 2;  // rejected at 2: what lies behind does not matter
  EXPECT_EQ(message(rejected_inside), "");
  Rounds nothing = recording({{1}});
  nothing.drafted[0] = nothing.verified[0] = nothing.accepted[0] = 1;
  EXPECT_THAT(message(nothing), HasSubstr("no recorded round has a whole block"));
  EXPECT_THAT(message(recording({{1}}), {"chta"}),
              HasSubstr("the recorded rounds have no domain 'chta' (did you mean 'chat'?)"));
}

}  // namespace
}  // namespace dspark
