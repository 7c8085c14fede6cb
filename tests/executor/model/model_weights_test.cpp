#include "executor/model/model_weights.h"

#include <gmock/gmock.h>

#include <cstring>

#include "tests/executor/model/decoder_steps.h"
#include "tests/executor/model/spoilt_model.h"

namespace dspark {
namespace {

using testing::HasSubstr;

/// What loading says of a model that is spoilt by its tensors.
class SpoiltWeights : public SpoiltModel {
 public:
  explicit SpoiltWeights(const std::string& name) : SpoiltModel(model_data() + name) {}

  std::string error() const {
    const ModelFolder folder;
    write(folder);
    const auto kernels = kernels_of(ElementType::kF32);
    const auto decoder =
        Decoder::load(folder.path(), *kernels, {.max_rows = 8, .max_logit_rows = 8, .kept_layers = {}});
    return without_path(decoder ? "" : to_string(decoder.error()), folder.path());
  }
};

TEST(ModelWeights, TensorsThatAreMissingSurplusOrOfAnotherShapeAreOneError) {
  SpoiltWeights model("qwen3_tied");
  EXPECT_EQ(model.error(), "");
  const auto whole = model.tensors;

  model.tensors.erase("model.layers.1.self_attn.q_norm.weight");
  EXPECT_EQ(model.error(),
            "F: tensor 'model.layers.1.self_attn.q_norm.weight' is missing (did you mean "
            "'model.layers.0.self_attn.q_norm.weight'?)");
  model.tensors["model.layers.1.self_attn.qnorm.weight"] = whole.at("model.layers.1.self_attn.q_norm.weight");
  EXPECT_EQ(model.error(),
            "F: tensor 'model.layers.1.self_attn.q_norm.weight' is missing; tensor "
            "'model.layers.1.self_attn.qnorm.weight' is none of this model's (did you mean "
            "'model.layers.0.self_attn.q_norm.weight'?)");

  model.tensors = whole;
  model.tensors["model.layers.2.mlp.down_proj.weight"].shape = {40, 32};
  EXPECT_EQ(model.error(),
            "F/model.safetensors: tensor 'model.layers.2.mlp.down_proj.weight' has shape [40, 32], expected "
            "[32, 40]");

  model.tensors = whole;
  model.tensors["model.layers.0.self_attn.q_proj.bias"] = whole.at("model.layers.0.self_attn.q_norm.weight");
  EXPECT_EQ(model.error(),
            "F/model.safetensors: tensor 'model.layers.0.self_attn.q_proj.bias' is none of this model's");

  model.tensors = whole;
  model.tensors["model.norm.weight"].dtype = Dtype::kI32;
  EXPECT_EQ(model.error(),
            "F/model.safetensors: tensor 'model.norm.weight' is I32 (weights are F32, F16 or BF16)");

  model.tensors.clear();
  model.tensors["a"] = whole.at("model.norm.weight");
  EXPECT_THAT(model.error(), HasSubstr("; 26 more tensors are missing or surplus"));
}

TEST(ModelWeights, WhatPublishedCheckpointsHoldBesideTheirModelIsPassedOver) {
  SpoiltWeights tied("qwen3_tied");
  tied.tensors["lm_head.weight"] = tied.tensors["model.embed_tokens.weight"];
  EXPECT_EQ(tied.error(), "");
  tied.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {Dtype::kF32, {1}, std::string(4, '\0')};
  EXPECT_EQ(tied.error(), "");

  SpoiltWeights sharing("gemma4_per_layer_shared");
  sharing.tensors["model.layers.4.self_attn.k_proj.weight"] =
      sharing.tensors["model.layers.0.self_attn.k_proj.weight"];
  EXPECT_EQ(sharing.error(), "");
  sharing.tensors["model.layers.2.self_attn.v_norm.weight"] =
      sharing.tensors["model.layers.0.self_attn.k_norm.weight"];
  EXPECT_EQ(sharing.error(),
            "F/model.safetensors: tensor 'model.layers.2.self_attn.v_norm.weight' is none of this model's");
}

TEST(ModelWeights, ANumberThatIsNotFiniteIsRefusedByName) {
  const auto spoilt = [](const char* model, const char* name, std::size_t index, std::string bits) {
    SpoiltWeights one(model);
    one.tensors.at(name).bytes.replace(index * bits.size(), bits.size(), bits);
    return one.error();
  };
  using namespace std::string_literals;
  const std::string f32_nan = "\x00\x00\xC0\x7F"s, f32_infinity = "\x00\x00\x80\xFF"s;
  const std::string f16_infinity = "\x00\x7C"s, bf16_nan = "\xC0\x7F"s, bf16_largest = "\x7F\x7F"s;
  EXPECT_EQ(spoilt("qwen3_tied", "model.embed_tokens.weight", 2047, f32_nan),
            "tensor 'model.embed_tokens.weight': number 2047 is not finite");
  EXPECT_EQ(spoilt("qwen3_tied", "model.norm.weight", 31, f32_infinity),
            "tensor 'model.norm.weight': number 31 is not finite");
  EXPECT_EQ(spoilt("qwen3_layer_types_f16", "model.layers.0.mlp.up_proj.weight", 0, f16_infinity),
            "tensor 'model.layers.0.mlp.up_proj.weight': number 0 is not finite");
  EXPECT_EQ(spoilt("gemma3_text", "model.norm.weight", 7, bf16_nan),
            "tensor 'model.norm.weight': number 7 is not finite");
  EXPECT_EQ(spoilt("gemma3_text", "model.norm.weight", 7, bf16_largest), "");
}

TEST(ModelWeights, HeadsThatNoOperatorIsMadeForAreRefused) {
  const ModelFolder folder;
  std::string config((*MappedFile::open(model_data() + "qwen3_tied/config.json")).bytes());
  config.replace(config.find("\"head_dim\": 8"), 13, "\"head_dim\": 514");
  folder.write("config.json", config);
  folder.write("model.safetensors", safetensors("{}", ""));
  const auto kernels = kernels_of(ElementType::kF32);
  const auto decoder =
      Decoder::load(folder.path(), *kernels, {.max_rows = 8, .max_logit_rows = 8, .kept_layers = {}});
  ASSERT_FALSE(decoder);
  EXPECT_EQ(to_string(decoder.error()), "heads of 514 numbers, more than the 512 that attention is made for");
}

TEST(ModelWeights, ATiedHeadIsTheEmbedding) {
  DecoderSteps tied("llama_tied_llama3", ElementType::kF32),
      untied("llama_bias_linear_sharded", ElementType::kF32);
  EXPECT_EQ(&tied.decoder().weights().head(),
            &tied.decoder().weights().model().matrix(WeightRole::kEmbedding));
  EXPECT_NE(&untied.decoder().weights().head(),
            &untied.decoder().weights().model().matrix(WeightRole::kEmbedding));
}

}  // namespace
}  // namespace dspark
