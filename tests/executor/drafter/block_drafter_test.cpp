#include "executor/drafter/block_drafter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

// Of log-probabilities and confidences. Two computations in f32 that sum in other orders.
constexpr double kTolerance = 2e-4;

const char* const kDrafters[] = {"dspark_vanilla",
                                 "dspark_gated",
                                 "dspark_rnn_hidden_confidence",
                                 "dflash",
                                 "dflash_original",
                                 "speculators_dspark",
                                 "speculators_dspark_rnn",
                                 "speculators_dflash",
                                 "speculators_dspark_windows",
                                 "speculators_dflash_windows",
                                 "gemma4_dspark",
                                 "gemma4_dflash"};

/// Numbers of the library for one drafter (scripts/references/block_drafters.py).
class DraftReference {
 public:
  explicit DraftReference(const std::string& name) : reference_("../../drafter/data/" + name), name_(name) {}
  std::vector<std::int32_t> integers(const std::string& name) const {
    const auto numbers = reference_.numbers(name);
    return {numbers.begin(), numbers.end()};
  }
  std::vector<float> numbers(const std::string& name) const { return reference_.numbers(name); }
  /// The target's ids of the drafted vocabulary, empty where it is the same.
  std::vector<std::int32_t> target_ids() const {
    const auto checkpoint = Checkpoint::open(drafter_data() + name_);
    if (!checkpoint->has("d2t")) return {};
    const auto offsets = *checkpoint->integers("d2t", std::vector<std::size_t>{40});
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < offsets.size(); ++i)
      ids.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) + offsets[i]));
    return ids;
  }

 private:
  Reference reference_;
  std::string name_;
};

std::vector<double> log_probabilities(std::span<const float> logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  std::vector<double> result;
  for (const float logit : logits) result.push_back(static_cast<double>(logit) - std::log(sum));
  return result;
}

class BlockDrafterOf : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(EveryDrafter, BlockDrafterOf, ::testing::ValuesIn(kDrafters),
                         [](const auto& drafter) { return std::string(drafter.param); });

/// All blocks side by side, greedily: tokens and confidences. Then at temperature 1 with keys that draw the
/// same tokens: distributions.
TEST_P(BlockDrafterOf, DraftsWhatTheLibraryDrafts) {
  const DraftReference reference(GetParam());
  DraftedModel model(drafter_data() + GetParam());
  Drafter& drafter = model.drafter();
  const auto text = reference.integers("text");
  const auto anchors = reference.integers("anchors");
  const auto expected = reference.integers("drafts");
  const auto logits = reference.numbers("logits");
  const auto ids = reference.target_ids();
  const auto depth = static_cast<std::size_t>(drafter.block_size());
  ASSERT_EQ(expected.size(), depth * anchors.size());
  const std::size_t vocabulary = logits.size() / expected.size();

  std::vector<std::vector<DrawKey>> keys(anchors.size(), std::vector<DrawKey>(depth));
  std::vector<DraftRequest> requests;
  for (std::size_t r = 0; r < anchors.size(); ++r) {
    const std::vector<std::int32_t> part(text.begin(), text.begin() + anchors[r] + 1);
    model.tell(RequestId{static_cast<std::int32_t>(r)}, part, {5, 3});
    requests.push_back({.id = RequestId{static_cast<std::int32_t>(r)},
                        .text = std::span(text).first(part.size()),
                        .planned = drafter.block_size(),
                        .keys = keys[r]});
  }
  const Drafts greedy = draft(drafter, requests);
  EXPECT_TRUE(drafter.distributions().empty());
  for (std::size_t r = 0; r < anchors.size(); ++r) {
    EXPECT_EQ(greedy.drafted[r], drafter.block_size());
    for (std::size_t k = 0; k < depth; ++k) {
      const std::size_t at = greedy.at(static_cast<int>(k) + 1, r);
      EXPECT_EQ(greedy.tokens[at], expected[r * depth + k]) << "block " << r << ", position " << k + 1;
      const double confidence = drafter.has_confidence_head()
                                    ? static_cast<double>(reference.numbers("confidence")[r * depth + k])
                                    : 0.5;
      EXPECT_NEAR(static_cast<double>(greedy.confidence[at]), confidence, kTolerance);
      const auto of_row =
          log_probabilities(std::span(logits).subspan((r * depth + k) * vocabulary, vocabulary));
      const double top1 = std::exp(*std::max_element(of_row.begin(), of_row.end()));
      EXPECT_NEAR(static_cast<double>(greedy.top1[at]), top1, kTolerance);
      EXPECT_EQ(greedy.chosen[at], greedy.top1[at]);
    }
  }

  for (DraftRequest& request : requests) request.rule.temperature = 1;
  for (std::size_t r = 0; r < anchors.size(); ++r) {
    for (std::size_t k = 0; k < depth; ++k) {
      std::vector<DraftRequest> alone{requests[r]};
      alone[0].planned = static_cast<int>(k) + 1;
      while (draft(drafter, alone).tokens[k] != expected[r * depth + k]) {
        ASSERT_LT(++keys[r][k].counter[0], 5000U);
      }
    }
  }
  const Drafts drawn = draft(drafter, requests);
  EXPECT_EQ(drawn.tokens, greedy.tokens);
  EXPECT_EQ(drawn.confidence, greedy.confidence);
  const View<const float, 2> distributions = drafter.distributions();
  ASSERT_EQ(distributions.shape[0], depth * anchors.size());
  for (std::size_t r = 0; r < anchors.size(); ++r) {
    for (std::size_t k = 0; k < depth; ++k) {
      const auto of_row =
          log_probabilities(std::span(logits).subspan((r * depth + k) * vocabulary, vocabulary));
      const float* row = distributions.row(drawn.at(static_cast<int>(k) + 1, r));
      double sum = 0;
      for (std::size_t v = 0; v < vocabulary; ++v) {
        const std::size_t id = ids.empty() ? v : static_cast<std::size_t>(ids[v]);
        EXPECT_NEAR(std::log(static_cast<double>(row[id])), of_row[v], kTolerance);
        sum += static_cast<double>(row[id]);
      }
      const double all = std::accumulate(row, row + distributions.shape[1], 0.0);
      EXPECT_EQ(all, sum) << "tokens that it does not know have no probability";
      EXPECT_EQ(drawn.chosen[drawn.at(static_cast<int>(k) + 1, r)], row[expected[r * depth + k]]);
    }
  }
}

/// What a request is drafted depends neither on the requests beside it, nor on how its text came, nor on
/// what it was drafted before.
TEST_P(BlockDrafterOf, ABlockDependsOnItsTextAlone) {
  const auto text = DraftReference(GetParam()).integers("text");
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    DraftedModel model(drafter_data() + GetParam(), type);
    const int depth = model.drafter().block_size();
    const std::vector<DrawKey> keys(static_cast<std::size_t>(depth), DrawKey{.counter = {7, 1, 2, 3}});
    const auto request = [&](int id, std::size_t length, int planned) {
      return DraftRequest{.id = RequestId{id},
                          .text = std::span(text).first(length),
                          .planned = planned,
                          .rule = {.temperature = 1, .top_k = 20},
                          .keys = keys};
    };
    model.tell(RequestId{0}, text);
    const std::vector<DraftRequest> alone{request(0, text.size(), depth)};
    const Drafts expected = draft(model.drafter(), alone);
    EXPECT_EQ(draft(model.drafter(), alone), expected) << "a second time";

    const std::vector<std::int32_t> shorter(text.begin(), text.begin() + 9);
    model.tell(RequestId{2}, shorter);
    model.tell(RequestId{3}, text, {7, 1});
    const std::vector<DraftRequest> batch{request(2, 9, 1), request(5, 9, depth),
                                          request(3, text.size(), depth), request(0, text.size(), 0)};
    const Drafts beside = draft(model.drafter(), batch);
    EXPECT_EQ(beside.drafted, (std::vector<int>{1, 0, depth, 0})) << "of request 5 nobody told";
    for (int k = 1; k <= depth; ++k) {
      EXPECT_EQ(beside.tokens[beside.at(k, 2)], expected.tokens[expected.at(k, 0)]) << k;
      EXPECT_EQ(beside.confidence[beside.at(k, 2)], expected.confidence[expected.at(k, 0)]) << k;
      EXPECT_EQ(beside.entropy[beside.at(k, 2)], expected.entropy[expected.at(k, 0)]) << k;
    }
    EXPECT_EQ(beside.tokens[beside.at(depth, 0)], depth == 1 ? beside.tokens[0] : -1) << "not planned";
  }
}

/// In the engine too, with the target's own tokens behind every block.
TEST_P(BlockDrafterOf, SampledTextDependsOnNoNeighbour) {
  DraftedModel model(drafter_data() + GetParam());
  auto cache = KvCache::make(model.decoder().plan(), 256, 8, model.kernels());
  ASSERT_TRUE(cache);
  DecoderTarget target(model.decoder(), *cache);
  const auto requests = testing::some_requests(7, 20, 1);
  testing::ServedTexts together;
  together.own_kernels = &model.kernels();
  together.own_target = &target;
  together.own_drafter = &model.drafter();
  together.engine.block_tokens = 8;
  together.engine.max_num_batched_tokens = 60;
  together.policy = "fixed";
  together.policy_parameters = testing::written_map({{"k", testing::written("3")}});
  testing::ServedTexts one_by_one = together;
  together.serve(requests);
  EXPECT_GT(together.accepted, 0);
  EXPECT_LT(together.accepted, together.submitted);
  one_by_one.engine.max_num_seqs = 1;
  one_by_one.engine.max_num_batched_tokens = 5;  // and prompts in chunks
  one_by_one.serve(requests);
  EXPECT_EQ(together.replies, one_by_one.replies);
}

/// Greedy text is the target's own, whatever is drafted; in batches, after preemptions, in f32 and bf16.
TEST_P(BlockDrafterOf, GreedyTextIsThatOfTheTargetAlone) {
  std::int64_t accepted = 0;
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    DraftedModel model(drafter_data() + GetParam(), type);
    for (const std::size_t batch : {std::size_t{1}, std::size_t{5}, std::size_t{16}}) {
      for (const int blocks : {256, 14}) {
        if (blocks == 14 && batch == 1) continue;
        SCOPED_TRACE(fmt::format("{} requests, {} blocks", batch, blocks));
        const auto requests = testing::some_requests(batch, 48, 0);
        testing::ServedTexts served;
        served.engine.block_tokens = 8;
        served.engine.kv_blocks = blocks;
        served.engine.max_num_batched_tokens = 60;
        auto cache =
            KvCache::make(model.decoder().plan(), static_cast<std::size_t>(blocks), 8, model.kernels());
        ASSERT_TRUE(cache);
        DecoderTarget target(model.decoder(), *cache);
        served.own_kernels = &model.kernels();
        served.own_target = &target;
        testing::ServedTexts alone = served;
        alone.serve(requests);
        served.own_drafter = &model.drafter();
        served.policy = "fixed";
        served.policy_parameters =
            testing::written_map({{"k", testing::written(std::to_string(model.drafter().block_size()))}});
        served.block_size = model.drafter().block_size();
        served.serve(requests);
        EXPECT_EQ(served.replies, alone.replies);
        EXPECT_GT(served.submitted, 0);
        if (blocks == 14) {
          EXPECT_GT(served.preemptions, 0);
        }
        accepted += served.accepted;
      }
    }
  }
  EXPECT_GT(accepted, 0) << "some drafts were of use";
}

/// Beside a drawn block, a greedy one is what it is alone, and its distributions are certain.
TEST(BlockDrafter, GreedyAndDrawnBlocksShareAStep) {
  for (const char* name : {"dspark_vanilla", "speculators_dspark_rnn"}) {
    const auto text = DraftReference(name).integers("text");
    DraftedModel model(drafter_data() + name);
    const int depth = model.drafter().block_size();
    const std::vector<DrawKey> keys(static_cast<std::size_t>(depth));
    for (const int id : {0, 1}) model.tell(RequestId{id}, text);
    const DraftRequest drawn{
        .id = RequestId{0}, .text = text, .planned = depth, .rule = {.temperature = 1}, .keys = keys};
    DraftRequest greedy = drawn;
    greedy.id = RequestId{1};
    greedy.rule.temperature = 0;
    const Drafts alone = draft(model.drafter(), {&greedy, 1});
    const Drafts drawn_alone = draft(model.drafter(), {&drawn, 1});
    const std::vector<DraftRequest> both{drawn, greedy};
    const Drafts together = draft(model.drafter(), both);
    const View<const float, 2> distributions = model.drafter().distributions();
    for (int k = 1; k <= depth; ++k) {
      const std::size_t at = together.at(k, 1);
      EXPECT_EQ(together.tokens[at], alone.tokens[alone.at(k, 0)]);
      EXPECT_EQ(together.chosen[at], alone.chosen[alone.at(k, 0)]);
      EXPECT_EQ(together.tokens[together.at(k, 0)], drawn_alone.tokens[alone.at(k, 0)]);
      const std::span<const float> row(distributions.row(at), distributions.shape[1]);
      EXPECT_EQ(row[static_cast<std::size_t>(together.tokens[at])], 1);
      EXPECT_EQ(std::count(row.begin(), row.end(), 0.0F), static_cast<std::ptrdiff_t>(row.size()) - 1);
    }
  }
}

/// Of more rows in one step than the drafter computes at once.
TEST(BlockDrafter, ALongTextIsStoredInPieces) {
  constexpr std::int32_t kRows = 600;
  DraftedModel model(drafter_data() + "dspark_vanilla");
  std::vector<float> numbers(2 * kRows * 32);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = std::sin(static_cast<float>(i * i % 1009));
  const View<const float, 2> kept[] = {{numbers.data(), {kRows, 32}},
                                       {numbers.data() + kRows * 32, {kRows, 32}}};
  std::vector<std::int32_t> all(kRows);
  std::iota(all.begin(), all.end(), 0);
  const auto tell = [&](std::vector<RequestId> ids, std::int32_t first, std::int32_t count) {
    std::vector<std::int32_t> first_row{0}, positions, rows;
    for (std::size_t r = 0; r < ids.size(); ++r) {
      positions.push_back(first);
      rows.insert(rows.end(), all.begin() + first, all.begin() + first + count);
      first_row.push_back(static_cast<std::int32_t>(rows.size()));
    }
    model.drafter().extend({.id = ids,
                            .first_row = first_row,
                            .first_position = positions,
                            .tokens = rows,
                            .next_tokens = rows,
                            .target_rows = rows,
                            .kept = kept});
  };
  for (std::int32_t first = 0; first < kRows; first += 100) tell({RequestId{0}}, first, 100);
  tell({RequestId{1}, RequestId{2}}, 0, kRows);
  const std::vector<std::int32_t> text(kRows + 1, 7);
  const std::vector<DrawKey> keys(5);
  std::vector<DraftRequest> requests;
  for (const int id : {0, 1, 2})
    requests.push_back({.id = RequestId{id}, .text = text, .planned = 5, .keys = keys});
  const Drafts drafts = draft(model.drafter(), requests);
  for (int k = 1; k <= 5; ++k) {
    for (const std::size_t r : {std::size_t{1}, std::size_t{2}}) {
      EXPECT_EQ(drafts.tokens[drafts.at(k, r)], drafts.tokens[drafts.at(k, 0)]);
      EXPECT_EQ(drafts.confidence[drafts.at(k, r)], drafts.confidence[drafts.at(k, 0)]);
    }
  }
}

TEST(BlockDrafter, WhereItsCacheIsFullARequestIsNotDraftedFor) {
  const auto text = DraftReference("dspark_vanilla").integers("text");
  DraftedModel model(drafter_data() + "dspark_vanilla", ElementType::kF32,
                     {.max_requests = 4, .kv_tokens = 48});
  const std::vector<DrawKey> keys(5);
  model.tell(RequestId{0}, text);
  model.tell(RequestId{1}, text);
  const std::vector<DraftRequest> requests{{.id = RequestId{0}, .text = text, .planned = 5, .keys = keys},
                                           {.id = RequestId{1}, .text = text, .planned = 5, .keys = keys}};
  EXPECT_EQ(draft(model.drafter(), requests).drafted, (std::vector<int>{5, 0}));
  model.drafter().left(RequestId{0});
  model.tell(RequestId{1}, text);
  EXPECT_EQ(draft(model.drafter(), requests).drafted, (std::vector<int>{0, 5}));
}

}  // namespace
}  // namespace dspark
