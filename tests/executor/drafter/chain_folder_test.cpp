#include "executor/drafter/chain_folder.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/spoilt_drafter.h"

namespace dspark {
namespace {

TEST(ChainFolder, WhatDoesNotFitTheTargetIsOneErrorThatNamesTheKey) {
  const auto nested = [](const std::string& old, const std::string& now) {
    return of_config("eagle3_speculators", old, now);
  };
  const auto published = [](const std::string& old, const std::string& now) {
    return of_config("eagle3_published", old, now);
  };
  const auto mtp = [](const std::string& old, const std::string& now) {
    return of_config("mtp_qwen3", old, now);
  };
  for (const char* name : {"eagle3_speculators", "eagle3_published", "eagle3_two_layers",
                           "eagle3_norm_before_fc", "eagle3_fc_norm", "mtp_qwen3"})
    EXPECT_EQ(SpoiltDrafter(name).error(), "") << name;
  EXPECT_EQ(nested("\"vocab_size\": 64", "\"vocab_size\": 65"),
            "F/config.json: transformer_layer_config.vocab_size: 65, but the target has 64 tokens (a drafter "
            "speaks the target's tokens)");
  EXPECT_EQ(
      published("\n  \"vocab_size\": 64", "\n  \"vocab_size\": 63"),
      "F/config.json: vocab_size: 63, but the target has 64 tokens (a drafter speaks the target's tokens)");
  EXPECT_EQ(
      published("\"hidden_size\": 32", "\"hidden_size\": 48"),
      "F/config.json: hidden_size: 48, but the target's is 32 (where it has no embedding and head of its "
      "own)");
  EXPECT_EQ(mtp("\"hidden_size\": 32", "\"hidden_size\": 48"),
            "F/config.json: transformer_layer_config.hidden_size: 48, but the target's is 32");
  EXPECT_EQ(nested("    0,\n    2,\n    3\n", "    0,\n    2,\n    4\n"),
            "F/config.json: eagle_aux_hidden_state_layer_ids: 4 is not an integer in 0..3");
  EXPECT_EQ(published("      1,\n      2,", "      2,\n      2,"),
            "F/config.json: eagle_config.eagle_aux_hidden_state_layer_ids: 2, 2, 3 are no distinct layers of "
            "the target's 3");
}

TEST(ChainFolder, PublishedIdsNameTheInputsOfLayers) {
  const auto config = *read_model_config(model_data() + "qwen3_tied");
  using Layers = std::vector<int>;
  EXPECT_EQ(*drafter_target_layers(drafter_data() + "eagle3_published", config), (Layers{0, 1, 2}));
  EXPECT_EQ(*drafter_target_layers(drafter_data() + "eagle3_speculators", config), (Layers{-1, 1, 2}));
  EXPECT_EQ(*drafter_target_layers(drafter_data() + "mtp_qwen3", config), Layers{2});
  EXPECT_EQ(*drafter_target_layers(model_data() + "llama_tied_llama3", config), Layers{});
  SpoiltDrafter silent("eagle3_published");
  silent.config.replace(silent.config.find("eagle_aux"), 5, "other");
  const ModelFolder folder;
  silent.write(folder);
  EXPECT_EQ(*drafter_target_layers(folder.path(), config), (Layers{1, 0, -1})) << "as EAGLE's authors read";
}

TEST(ChainFolder, EveryHostileConfigIsOneErrorThatNamesTheKey) {
  const auto nested = [](const std::string& old, const std::string& now) {
    return of_config("eagle3_speculators", old, now);
  };
  EXPECT_EQ(nested("\"draft_vocab_size\": 40", "\"draft_vocab_size\": 0"),
            "F/config.json: draft_vocab_size: 0 is not an integer in 1..64");
  EXPECT_EQ(nested("\"norm_before_fc\": false", "\"norm_before_fc\": \"yes\""),
            "F/config.json: norm_before_fc: \"yes\" is neither true nor false");
  EXPECT_EQ(of_config("eagle3_fc_norm", "\"norm_before_fc\": false", "\"norm_before_fc\": true"),
            "F/config.json: fc_norm: the target's layers are normed once (norm_before_fc is true)");
  EXPECT_EQ(
      of_config("eagle3_published", "\"use_aux_hidden_state\": true", "\"use_aux_hidden_state\": false"),
      "F/config.json: eagle_config.use_aux_hidden_state: a drafter of the last layer alone cannot be "
      "read");
  EXPECT_EQ(nested("\"norm_output\": false", "\"norm_output\": 1"),
            "F/config.json: norm_output: 1 is neither true nor false");
  EXPECT_EQ(nested("\"model_type\": \"llama\"", "\"model_type\": \"gpt2\""),
            "F/config.json: transformer_layer_config.model_type: unknown type 'gpt2' (known: llama, qwen3)");
  EXPECT_EQ(nested("\"transformer_layer_config\"", "\"layers\""),
            "F/config.json: transformer_layer_config: is missing");
  EXPECT_EQ(nested("\"intermediate_size\": 40", "\"intermediate_size\": -1"),
            "F/config.json: transformer_layer_config: intermediate_size: -1 is not an integer in 1..1048576");
  EXPECT_EQ(
      nested("\"speculative_tokens\": 3", "\"speculative_tokens\": 0"),
      "F/config.json: speculators_config.proposal_methods[0].speculative_tokens: 0 is not an integer in "
      "1..1024");
  EXPECT_EQ(of_config("eagle3_published", "\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2"),
            "F/config.json: num_hidden_layers: a published EAGLE-3 drafter has one layer");
  EXPECT_EQ(of_config("eagle3_deepspec", "    0,\n    1\n", "    0,\n    2\n"),
            "F/config.json: target_layer_ids: 2 is not an integer in 0..1");
  EXPECT_EQ(of_config("eagle3_deepspec", "    0,\n    1\n", "    1,\n    1\n"),
            "F/config.json: target_layer_ids: it must be a list of distinct layers");
  EXPECT_EQ(of_config("eagle3_deepspec", "\"ttt_length\": 3", "\"ttt_length\": 0"),
            "F/config.json: ttt_length: 0 is not an integer in 1..1024");
  EXPECT_EQ(of_config("mtp_qwen3", "\"num_nextn_predict_layers\": 1", "\"num_nextn_predict_layers\": 2"),
            "F/config.json: num_nextn_predict_layers: only one layer can be read");
  EXPECT_EQ(of_config("mtp_qwen3", "\"model_type\": \"qwen3\"", "\"model_type\": \"qwen3_next\""),
            "F/config.json: transformer_layer_config.model_type: unknown type 'qwen3_next' (known: qwen3)");
}

TEST(ChainFolder, TensorsThatAreMissingOrMisshapenAreNamed) {
  SpoiltDrafter eagle("eagle3_published");
  eagle.tensors["fc.weight"].shape = {96, 32};
  EXPECT_EQ(eagle.error(), "F/model.safetensors: tensor 'fc.weight' has shape [96, 32], expected [32, 96]");
  SpoiltDrafter without_norm("eagle3_published");
  without_norm.tensors.erase("midlayer.hidden_norm.weight");
  EXPECT_EQ(without_norm.error(), "F: tensor 'midlayer.hidden_norm.weight' is missing");
  SpoiltDrafter without_head("eagle3_published");
  without_head.tensors.erase("lm_head.weight");
  EXPECT_EQ(without_head.error(), "F: tensor 'lm_head.weight' is missing") << "the target's has all tokens";
  SpoiltDrafter without_map("eagle3_published");
  without_map.tensors.erase("d2t");
  EXPECT_EQ(without_map.error(), "F: tensor 'd2t' is missing (did you mean 't2d'?)");
  SpoiltDrafter without_norms("eagle3_fc_norm");
  without_norms.tensors.erase("fc_norm.1.weight");
  EXPECT_EQ(without_norms.error(),
            "F: tensor 'fc_norm.1.weight' is missing (did you mean 'fc_norm.0.weight'?)");
  SpoiltDrafter unread_norm("eagle3_norm_before_fc");
  unread_norm.with("\"norm_before_fc\": true", "\"norm_before_fc\": false");
  EXPECT_EQ(unread_norm.error(), "F/model.safetensors: tensor 'input_norm.weight' is none of this model's");
  SpoiltDrafter lost("eagle3_speculators");
  const std::int64_t offset = 64;
  std::memcpy(lost.tensors["d2t"].bytes.data(), &offset, sizeof(offset));
  EXPECT_EQ(lost.error(), "F: tensor 'd2t': draft token 0 is none of the 64 of the target");
  SpoiltDrafter mtp("mtp_qwen3");
  mtp.tensors.erase("mtp_layers.0.input_proj.weight");
  EXPECT_EQ(mtp.error(),
            "F: tensor 'mtp_layers.0.input_proj.weight' is missing (did you mean "
            "'mtp_layers.0.mlp.up_proj.weight'?)");
}

TEST(ChainFolder, AChainIsAsLongAsItsPublisherSaysOrAsAskedFor) {
  EXPECT_EQ(DraftedModel(drafter_data() + "mtp_qwen3").drafter().block_size(), 3);
  EXPECT_EQ(DraftedModel(drafter_data() + "eagle3_published").drafter().block_size(), kDefaultChain);
  EXPECT_EQ(DraftedModel(model_data() + "llama_tied_llama3").drafter().block_size(), kDefaultChain);
  const DrafterOptions seven{.max_requests = 1, .kv_tokens = 64, .block_size = 7};
  EXPECT_EQ(DraftedModel(drafter_data() + "mtp_qwen3", ElementType::kF32, seven).drafter().block_size(), 7);
}

TEST(ChainDrafter, SignalsAreThoseOfTheDistributionsItDrawsFrom) {
  for (const std::string& folder :
       {drafter_data() + "eagle3_speculators", model_data() + "llama_tied_llama3"}) {
    DraftedModel model(folder);
    model.tell(RequestId{5}, {9, 4, 33, 60, 12});
    const std::vector<std::int32_t> text{9, 4, 33, 60, 12};
    std::vector<DrawKey> keys(3);
    for (std::uint32_t k = 0; k < 3; ++k) keys[k].counter[0] = k;
    const DraftRequest request{
        .id = RequestId{5}, .text = text, .planned = 3, .rule = {.temperature = 1}, .keys = keys};
    const Drafts drafts = draft(model.drafter(), {&request, 1});
    ASSERT_EQ(drafts.drafted[0], 3);
    const View<const float, 2> distributions = model.drafter().distributions();
    for (int k = 1; k <= 3; ++k) {
      const std::size_t at = drafts.at(k, 0);
      const std::span<const float> row(distributions.row(at), distributions.shape[1]);
      double entropy = 0;
      for (const float p : row)
        if (p > 0) entropy -= static_cast<double>(p) * std::log(static_cast<double>(p));
      EXPECT_NEAR(drafts.top1[at], *std::max_element(row.begin(), row.end()), 1e-5);
      EXPECT_NEAR(drafts.entropy[at], entropy, 1e-4);
      EXPECT_GT(drafts.margin[at], 0);
      EXPECT_EQ(drafts.chosen[at], row[static_cast<std::size_t>(drafts.tokens[at])]);
    }
    const DraftRequest greedy{.id = RequestId{5}, .text = text, .planned = 3, .rule = {}, .keys = keys};
    const Drafts certain = draft(model.drafter(), {&greedy, 1});
    EXPECT_TRUE(model.drafter().distributions().empty()) << "greedy drafts are certain";
    EXPECT_EQ(certain.chosen[0], 1);
    EXPECT_EQ(certain.top1[0], drafts.top1[0]) << "signals at temperature 1";
  }
}

TEST(ChainDrafter, WhatARequestIsDraftedDependsOnNoOthersPlan) {
  for (const std::string& folder :
       {drafter_data() + "eagle3_speculators", model_data() + "llama_tied_llama3"}) {
    DraftedModel model(folder);
    const std::vector<std::int32_t> texts[] = {{9, 4, 33, 60, 12}, {7, 21, 40}};
    std::vector<DrawKey> keys(6);
    for (std::uint32_t k = 0; k < 6; ++k) keys[k].counter[0] = 10 + k;
    std::vector<DraftRequest> requests;
    for (std::size_t r = 0; r < 2; ++r) {
      model.tell(RequestId{static_cast<int>(r)}, texts[r]);
      const int planned = r == 0 ? 1 : 3;
      requests.push_back({.id = RequestId{static_cast<int>(r)},
                          .text = texts[r],
                          .planned = planned,
                          .rule = {.temperature = 1},
                          .keys = std::span(keys).subspan(3 * r, static_cast<std::size_t>(planned))});
    }
    const auto rows_of = [&](const Drafts& drafts, std::size_t request) {
      std::vector<float> rows;
      for (int k = 1; k <= 3; ++k) {
        const float* const row = model.drafter().distributions().row(drafts.at(k, request));
        rows.insert(rows.end(), row, row + model.drafter().distributions().shape[1]);
      }
      return rows;
    };
    const Drafts together = draft(model.drafter(), requests);
    const std::vector<float> beside = rows_of(together, 1);
    const Drafts alone = draft(model.drafter(), std::span(requests).last(1));
    EXPECT_EQ(beside, rows_of(alone, 0));
    for (int k = 1; k <= 3; ++k) EXPECT_EQ(together.tokens[together.at(k, 1)], alone.tokens[alone.at(k, 0)]);
  }
}

TEST(ChainDrafter, DraftsNothingForATextItWasNotTold) {
  DraftedModel model(drafter_data() + "eagle3_speculators");
  model.tell(RequestId{5}, {9, 4, 33, 60, 12});
  const std::vector<std::int32_t> text{9, 4, 33, 60, 12};
  const std::vector<DrawKey> keys(2);
  const auto drafted = [&](RequestId id, std::span<const std::int32_t> of) {
    const DraftRequest request{.id = id, .text = of, .planned = 2, .rule = {}, .keys = keys};
    return draft(model.drafter(), {&request, 1}).drafted[0];
  };
  EXPECT_EQ(drafted(RequestId{5}, text), 2);
  EXPECT_EQ(drafted(RequestId{5}, std::span(text).first(4)), 0);
  EXPECT_EQ(drafted(RequestId{6}, text), 0);
  model.drafter().left(RequestId{5});
  EXPECT_EQ(drafted(RequestId{5}, text), 0);
}

}  // namespace
}  // namespace dspark
