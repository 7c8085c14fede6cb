#include "executor/drafter/drafter_folder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/spoilt_drafter.h"

namespace dspark {
namespace {

std::string known_architectures() {
  return "Qwen3DSparkModel, Gemma4DSparkModel, DFlashDraftModel, LlamaForCausalLMEagle3, "
         "Eagle3LlamaForCausalLM, Qwen3Eagle3Model, "
         "Qwen3ForCausalLM, LlamaForCausalLM, Gemma3ForCausalLM, "
         "Gemma3ForConditionalGeneration, Gemma4ForCausalLM, Gemma4ForConditionalGeneration";
}

TEST(DrafterFolder, WhatDoesNotFitTheTargetIsOneErrorThatNamesTheKey) {
  EXPECT_EQ(SpoiltDrafter("dspark_vanilla").error(), "");
  const auto deepspec = [](const std::string& old, const std::string& now) {
    return of_config("dspark_vanilla", old, now);
  };
  EXPECT_EQ(deepspec("\"hidden_size\": 32", "\"hidden_size\": 48"),
            "F/config.json: hidden_size: 48 does not fit the target, whose hidden_size is 32");
  EXPECT_EQ(deepspec("\"vocab_size\": 64", "\"vocab_size\": 65"),
            "F/config.json: vocab_size: 65 does not fit the target, whose vocab_size is 64");
  EXPECT_EQ(deepspec("\"num_target_layers\": 3", "\"num_target_layers\": 4"),
            "F/config.json: num_target_layers: 4 does not fit the target, whose num_hidden_layers is 3");
  EXPECT_EQ(deepspec("\"num_target_layers\": 3", "\"num_target_layers\": 2"), "") << "it reads two";
  EXPECT_EQ(deepspec("    1\n  ],\n  \"num_anchors", "    2\n  ],\n  \"num_anchors"),
            "F/config.json: target_layer_ids: 2 does not fit the target, whose num_hidden_layers is 3");
  EXPECT_EQ(
      of_config("speculators_dspark", "    0,\n    2\n", "    0,\n    4\n"),
      "F/config.json: aux_hidden_state_layer_ids: 4 does not fit the target, whose num_hidden_layers is 3");
}

TEST(DrafterFolder, EveryHostileConfigIsOneErrorThatNamesTheKey) {
  const auto deepspec = [](const std::string& old, const std::string& now) {
    return of_config("dspark_gated", old, now);
  };
  const auto library = [](const std::string& old, const std::string& now) {
    return of_config("speculators_dspark_rnn", old, now);
  };
  EXPECT_EQ(deepspec("Qwen3DSparkModel", "Gemma3DSparkModel"),
            "F/config.json: architectures: unknown drafter 'Gemma3DSparkModel' (known: " +
                known_architectures() + ")");
  EXPECT_EQ(
      deepspec("\"Qwen3DSparkModel\"", ""),
      "F/config.json: architectures: it must name one architecture (known: " + known_architectures() + ")");
  EXPECT_EQ(deepspec("\"block_size\": 4", "\"block_size\": 0"),
            "F/config.json: block_size: 0 is not an integer in 1..256");
  EXPECT_EQ(deepspec("\"block_size\": 4,", ""), "F/config.json: block_size: is missing");
  EXPECT_EQ(deepspec("\"mask_token_id\": 5", "\"mask_token_id\": 64"),
            "F/config.json: mask_token_id: 64 is not an integer in 0..63");
  EXPECT_EQ(deepspec("    -1,", "    -2,"),
            "F/config.json: target_layer_ids: its entries must be integers in -1..1024");
  EXPECT_EQ(deepspec("    -1,", "    \"a\","),
            "F/config.json: target_layer_ids: its entries must be integers in -1..1024");
  EXPECT_EQ(deepspec("\"target_layer_ids\"", "\"target_layers\""),
            "F/config.json: target_layer_ids: it must be a list of layers");
  EXPECT_EQ(deepspec("\"gated\"", "\"gate\""),
            "F/config.json: markov_head_type: unknown type 'gate' (known: vanilla, gated, rnn)");
  EXPECT_EQ(deepspec("\"markov_rank\": 6", "\"markov_rank\": 0"),
            "F/config.json: confidence_head_with_markov: it needs a Markov head (markov_rank is 0)");
  EXPECT_EQ(deepspec("    \"full_attention\",", "    \"sliding_attention\","),
            "F/config.json: sliding_window: is missing");
  EXPECT_EQ(
      deepspec("    \"full_attention\"\n  ],", "    \"sliding_attention\"\n  ], \"sliding_window\": 4,"),
      "F/config.json: layer_types: draft layers with a sliding window are read of `speculators` alone");
  EXPECT_EQ(of_config("speculators_dspark_windows", "\"sliding_window_non_causal\": false",
                      "\"sliding_window_non_causal\": 0"),
            "F/config.json: sliding_window_non_causal: 0 is neither true nor false");
  EXPECT_EQ(of_config("dflash_original", "\"mask_token_id\": 5", "\"mask_token_id\": -1"),
            "F/config.json: dflash_config.mask_token_id: -1 is not an integer in 0..63");
  EXPECT_EQ(of_config("dflash_original", "\"mask_token_id\": 5",
                      "\"mask_token_id\": 5, \"output_multiplier\": 0.2"),
            "F/config.json: dflash_config.output_multiplier: scaled embeddings and logits cannot be read");
  EXPECT_EQ(of_config("dflash_original", "\"block_size\": 4", "\"block_size\": 4, \"is_causal\": true"),
            "F/config.json: is_causal: blocks that attend one way cannot be run");
  EXPECT_EQ(of_config("gemma4_dspark", "\"num_kv_shared_layers\": 0", "\"num_kv_shared_layers\": 1"),
            "F/config.json: num_kv_shared_layers: draft layers share no keys and values");
  EXPECT_EQ(
      of_config("gemma4_dspark", "\"hidden_size_per_layer_input\": 0", "\"hidden_size_per_layer_input\": 4"),
      "F/config.json: hidden_size_per_layer_input: draft layers have no embeddings of their own");
  EXPECT_EQ(of_config("gemma4_dspark", "    \"full_attention\",", "    \"sliding_attention\","),
            "F/config.json: layer_types: draft layers with a sliding window are read of `speculators` alone");
  EXPECT_EQ(of_config("gemma4_dspark", "\"enable_moe_block\": false", "\"enable_moe_block\": true"),
            "F/config.json: enable_moe_block: only dense models can be read");
  EXPECT_EQ(of_config("dflash_original", "    1\n    ]", "    3\n    ]"),
            "F/config.json: dflash_config.target_layer_ids: 3 does not fit the target, whose "
            "num_hidden_layers is 3");
  EXPECT_EQ(
      library("\"block_size\": 5", "\"block_size\": 1"),
      "F/config.json: block_size: a block of the anchor alone drafts nothing (sample_from_anchor is false)");
  EXPECT_EQ(
      library("\"dspark\"", "\"eagle9\""),
      "F/config.json: speculators_model_type: unknown drafter 'eagle9' (known: dspark, dflash, eagle3, mtp)");
  EXPECT_EQ(library("\"draft_vocab_size\": 40", "\"draft_vocab_size\": 65"),
            "F/config.json: draft_vocab_size: 65 is not an integer in 1..64");
  EXPECT_EQ(library("\"model_type\": \"qwen3\"", "\"model_type\": \"llama\""),
            "F/config.json: transformer_layer_config.model_type: unknown type 'llama' (known: qwen3)");
  EXPECT_EQ(library("\"transformer_layer_config\"", "\"layer_config\""),
            "F/config.json: transformer_layer_config: it must be an object");
  EXPECT_EQ(library("    0,\n    2\n", "    -1,\n    2\n"),
            "F/config.json: aux_hidden_state_layer_ids: its entries must be integers in 0..1024");
  EXPECT_EQ(library("\"dtype\": \"bfloat16\"", "\"quantization_config\": {}"),
            "F/config.json: quantization_config: quantized weights cannot be read");
  EXPECT_EQ(library("\"target_hidden_size\": null", "\"target_hidden_size\": 64"),
            "F/config.json: target_hidden_size: it must be that of the draft layers");
  EXPECT_EQ(library("\"hidden_size\": 32", "\"hidden_size\": 0"),
            "F/config.json: transformer_layer_config: hidden_size: 0 is not an integer in 1..1048576");
}

TEST(DrafterFolder, TensorsThatAreMissingSurplusOrOfAnotherShapeAreNamed) {
  SpoiltDrafter drafter("dspark_gated");
  const auto whole = drafter.tensors;
  drafter.tensors.erase("markov_head.markov_w2.weight");
  EXPECT_EQ(
      drafter.error(),
      "F: tensor 'markov_head.markov_w2.weight' is missing (did you mean 'markov_head.markov_w1.weight'?)");
  drafter.tensors = whole;
  drafter.tensors["fc.weight"].shape = {64, 32};
  EXPECT_EQ(drafter.error(), "F/model.safetensors: tensor 'fc.weight' has shape [64, 32], expected [32, 64]");
  drafter.tensors = whole;
  drafter.tensors["fc.bias"] = whole.at("norm.weight");
  EXPECT_EQ(drafter.error(), "F/model.safetensors: tensor 'fc.bias' is none of this model's");
  EXPECT_EQ(SpoiltDrafter("dspark_gated").error({.max_requests = 2, .kv_tokens = 64, .block_size = 5}),
            "the drafter of F drafts blocks of 1 to 4 tokens, not of 5 (--block-size 4, in an experiment "
            "block_size)");
}

TEST(DrafterFolder, AMapOfTokensThatLeadsNowhereIsRefused) {
  const auto spoilt = [](std::size_t index, std::int64_t offset) {
    SpoiltDrafter drafter("speculators_dflash");
    std::memcpy(drafter.tensors["d2t"].bytes.data() + index * sizeof(offset), &offset, sizeof(offset));
    return drafter.error();
  };
  EXPECT_EQ(SpoiltDrafter("speculators_dflash").error(), "");
  EXPECT_EQ(spoilt(39, 25), "F: tensor 'd2t': draft token 39 is none of the 64 of the target");
  EXPECT_EQ(spoilt(3, -4), "F: tensor 'd2t': draft token 3 is none of the 64 of the target");
  const std::string lost = "F: tensor 'd2t': draft token 3 is none of the 64 of the target";
  EXPECT_EQ(spoilt(3, std::numeric_limits<std::int64_t>::max()), lost);
  EXPECT_EQ(spoilt(3, std::numeric_limits<std::int64_t>::min()), lost);
  SpoiltDrafter twice("speculators_dflash");
  std::int64_t first = 0;
  std::memcpy(&first, twice.tensors["d2t"].bytes.data(), sizeof(first));
  EXPECT_EQ(spoilt(1, first - 1), "F: tensor 'd2t': draft token 1 is token " + std::to_string(first) +
                                      " of the target, as another is");
  twice.tensors["d2t"].dtype = Dtype::kF64;
  EXPECT_EQ(twice.error(), "F/model.safetensors: tensor 'd2t' is F64 (ids are I64)");
  twice.tensors.erase("d2t");
  EXPECT_EQ(twice.error(), "F: tensor 'd2t' is missing (did you mean 't2d'?)");
}

}  // namespace
}  // namespace dspark
