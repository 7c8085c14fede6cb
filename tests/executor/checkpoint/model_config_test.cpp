#include "executor/checkpoint/model_config.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/executor/checkpoint/model_folder.h"
#include "tests/executor/checkpoint/published_configs.h"

namespace dspark {
namespace {

using testing::ElementsAre;

ModelConfig config_of(const std::string& text, const std::string& generation = {}) {
  const auto config = parse_model_config(text, generation, "config.json", "generation_config.json");
  if (config) return *config;
  ADD_FAILURE() << to_string(config.error());
  return {};
}

std::string error_of(const std::string& text, const std::string& generation = {}) {
  const auto config = parse_model_config(text, generation, "c", "g");
  return config ? "" : to_string(config.error());
}

/// `text` with `from`, which it holds once, replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

int sliding_layers(const ModelConfig& config) {
  return static_cast<int>(
      std::count(config.layer_types.begin(), config.layer_types.end(), LayerType::kSliding));
}

TEST(ModelConfig, Qwen3IsReadAsPublished) {
  const ModelConfig config = config_of(kQwen4B);
  EXPECT_EQ(config.family, ModelFamily::kQwen3);
  EXPECT_EQ(config.hidden_size, 2560);
  EXPECT_EQ(config.layers, 36);
  EXPECT_EQ(config.heads, 32);
  EXPECT_EQ(config.kv_heads, 8);
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_EQ(config.intermediate_size, 9728);
  EXPECT_EQ(config.vocab_size, 151936);
  EXPECT_EQ(config.max_positions, 40960);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.activation, Activation::kSilu);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_FALSE(config.attention_bias);
  EXPECT_EQ(config.rope.theta, 1e6);
  EXPECT_EQ(config.rope.scaling, Rope::Scaling::kNone);
  EXPECT_EQ(config.layer_types, std::vector<LayerType>(36, LayerType::kFull));
  EXPECT_EQ(config.sliding_window, 0);
  EXPECT_DOUBLE_EQ(config.attention_scale * config.attention_scale, 1.0 / 128);
  EXPECT_THAT(config.end_tokens, ElementsAre(151645));
}

TEST(ModelConfig, AQwen3WithSlidingLayersHasThemFromItsKeyOn) {
  std::string text = with(kQwen4B, "\"use_sliding_window\":false", "\"use_sliding_window\":true");
  text = with(text, "\"sliding_window\":null", "\"sliding_window\":4096");
  EXPECT_EQ(sliding_layers(config_of(text)), 0) << "max_window_layers is 36";
  text = with(text, "\"max_window_layers\":36", "\"max_window_layers\":30");
  const ModelConfig config = config_of(text);
  EXPECT_EQ(sliding_layers(config), 6);
  EXPECT_EQ(config.layer_types[29], LayerType::kFull);
  EXPECT_EQ(config.layer_types[30], LayerType::kSliding);
  EXPECT_EQ(config.sliding_window, 4096);
  EXPECT_EQ(config.sliding_rope.theta, 1e6);
}

TEST(ModelConfig, YarnIsReadWithItsDefaults) {
  const ModelConfig config = config_of(
      with(kQwen4B, "\"rope_scaling\":null",
           R"("rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768})"));
  EXPECT_EQ(config.rope.scaling, Rope::Scaling::kYarn);
  EXPECT_EQ(config.rope.factor, 4);
  EXPECT_EQ(config.rope.trained_positions, 32768);
  EXPECT_EQ(config.rope.beta_fast, 32);
  EXPECT_EQ(config.rope.beta_slow, 1);
  EXPECT_EQ(config.rope.attention_factor, 0);
}

TEST(ModelConfig, LlamaIsReadAsPublished) {
  const ModelConfig config = config_of(kLlama1B);
  EXPECT_EQ(config.family, ModelFamily::kLlama);
  EXPECT_EQ(config.rope.scaling, Rope::Scaling::kLlama3);
  EXPECT_EQ(config.rope.theta, 5e5);
  EXPECT_EQ(config.rope.factor, 32);
  EXPECT_EQ(config.rope.low_frequency, 1);
  EXPECT_EQ(config.rope.high_frequency, 4);
  EXPECT_EQ(config.rope.trained_positions, 8192);
  EXPECT_THAT(config.end_tokens, ElementsAre(128001, 128008, 128009));
  const ModelConfig small = config_of(kSmolLm2);
  EXPECT_EQ(small.head_dim, 64) << "which it does not name: 576 / 9";
  EXPECT_EQ(small.kv_heads, 3);
  EXPECT_EQ(config_of(with(kSmolLm2, "\"num_key_value_heads\":3,", "")).kv_heads, 9);
}

TEST(ModelConfig, TheNewerFormOfRotaryParametersIsTheSame) {
  const ModelConfig config =
      config_of(with(kSmolLm2, R"("rope_scaling":null,"rope_theta":100000)",
                     R"("rope_parameters":{"rope_theta":100000,"rope_type":"linear","factor":2})"));
  EXPECT_EQ(config.rope.theta, 1e5);
  EXPECT_EQ(config.rope.scaling, Rope::Scaling::kLinear);
  EXPECT_EQ(config.rope.factor, 2);
}

TEST(ModelConfig, Gemma3IsReadAsPublishedAlsoWhereItLeavesToDefaults) {
  const ModelConfig config = config_of(kGemma1B);
  EXPECT_EQ(config.family, ModelFamily::kGemma3);
  EXPECT_EQ(config.activation, Activation::kGeluTanh);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_EQ(sliding_layers(config), 22) << "26 less those at 6, 12, 18, 24";
  EXPECT_EQ(config.layer_types[5], LayerType::kFull);
  EXPECT_EQ(config.layer_types[6], LayerType::kSliding);
  EXPECT_EQ(config.sliding_window, 512);
  EXPECT_EQ(config.attention_scale, 1.0 / 16);
  EXPECT_EQ(config.rope.theta, 1e6);
  EXPECT_EQ(config.sliding_rope.theta, 1e4);
  EXPECT_EQ(config.logit_soft_cap, 0);
  const ModelConfig large = config_of(kGemma4B);
  EXPECT_EQ(large.hidden_size, 2560);
  EXPECT_EQ(large.heads, 8);
  EXPECT_EQ(large.kv_heads, 4);
  EXPECT_EQ(large.vocab_size, 262208);
  EXPECT_EQ(large.rope.scaling, Rope::Scaling::kLinear);
  EXPECT_EQ(large.rope.factor, 8);
  EXPECT_EQ(large.sliding_rope.scaling, Rope::Scaling::kNone);
  EXPECT_THAT(large.end_tokens, ElementsAre(1, 106));
  const ModelConfig capped =
      config_of(with(with(kGemma1B, "\"attn_logit_softcapping\":null", "\"attn_logit_softcapping\":50.0"),
                     "\"final_logit_softcapping\":null", "\"final_logit_softcapping\":30"));
  EXPECT_EQ(capped.attention_soft_cap, 50);
  EXPECT_EQ(capped.logit_soft_cap, 30);
}

TEST(ModelConfig, Gemma4IsReadWithItsTwoKindsOfHeads) {
  const ModelConfig config = config_of(kGemma4);
  EXPECT_EQ(config.family, ModelFamily::kGemma4);
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_EQ(config.full_head_dim, 512);
  EXPECT_EQ(config.kv_heads, 8);
  EXPECT_EQ(config.full_kv_heads, 1);
  EXPECT_TRUE(config.full_keys_are_values);
  EXPECT_EQ(config.attention_scale, 1);
  EXPECT_EQ(config.logit_soft_cap, 30);
  EXPECT_EQ(config.rope.scaling, Rope::Scaling::kProportional);
  EXPECT_EQ(config.rope.partial, 0.25);
  EXPECT_EQ(config.sliding_rope.scaling, Rope::Scaling::kNone);
  EXPECT_EQ(config.sliding_rope.theta, 1e4);
  EXPECT_THAT(config.layer_types, ElementsAre(LayerType::kSliding, LayerType::kFull));
  EXPECT_EQ(config_of(with(kGemma4, "\"attention_k_eq_v\":true", "\"attention_k_eq_v\":false")).full_kv_heads,
            8)
      << "the other number is read with shared projections only";
}

/// As newer files say what global_head_dim and num_global_key_value_heads said.
std::string by_layer() {
  return with(kGemma4, "\"global_head_dim\":512",
              R"("per_layer_config":{"1":{"head_dim":512,"num_key_value_heads":2}})");
}

TEST(ModelConfig, Gemma4IsReadWithHeadsByLayer) {
  const ModelConfig config = config_of(by_layer());
  EXPECT_EQ(config.full_head_dim, 512);
  EXPECT_EQ(config.full_kv_heads, 2) << "the older key beside it is not read";
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_EQ(config.kv_heads, 8);
}

TEST(ModelConfig, Gemma4LayersThatShareKeysMayHaveWiderBlocksAndAllMayHaveTheirOwnEmbeddings) {
  const std::string shared =
      with(with(kGemma4, R"(["sliding_attention","full_attention"])",
                R"(["sliding_attention","full_attention","sliding_attention","full_attention"])"),
           "\"num_hidden_layers\":2",
           R"("num_hidden_layers":4,"num_kv_shared_layers":2,"use_double_wide_mlp":true)");
  EXPECT_EQ(config_of(shared).shared_kv_layers, 2);
  EXPECT_EQ(config_of(shared).intermediate_size, 15360);
  EXPECT_EQ(config_of(shared).shared_intermediate_size, 30720);
  EXPECT_EQ(config_of(shared).per_layer_vocab_size, 0);
  const std::string embedded =
      with(kGemma4, "\"hidden_size_per_layer_input\":0",
           R"("hidden_size_per_layer_input":256,"vocab_size_per_layer_input":262400)");
  EXPECT_EQ(config_of(embedded).per_layer_input_size, 256);
  EXPECT_EQ(config_of(embedded).per_layer_vocab_size, 262400);
}

TEST(ModelConfig, EndTokensAreThoseOfTheGenerationConfigWhereItNamesSome) {
  EXPECT_THAT(config_of(kQwen4B, R"({"eos_token_id":[151645,151643],"temperature":0.6})").end_tokens,
              ElementsAre(151645, 151643));
  EXPECT_THAT(config_of(kQwen4B, R"({"temperature":0.6})").end_tokens, ElementsAre(151645));
  EXPECT_EQ(error_of(kQwen4B, R"({"eos_token_id":151936})"),
            "g: eos_token_id: 151936 is not an integer in 0..151935");
  EXPECT_EQ(error_of(kQwen4B, "{"), "g:1:2: it is not JSON");
}

TEST(ModelConfig, EveryHostileConfigIsOneErrorThatNamesTheKey) {
  const std::string known =
      " (known: Qwen3ForCausalLM, LlamaForCausalLM, Gemma3ForCausalLM, Gemma3ForConditionalGeneration, "
      "Gemma4ForCausalLM, Gemma4ForConditionalGeneration)";
  const auto layers = [](const std::string& list) {
    return with(kGemma4, R"(["sliding_attention","full_attention"])", list);
  };
  const auto scaling = [](const std::string& object) {
    return with(kQwen4B, "\"rope_scaling\":null", "\"rope_scaling\":" + object);
  };
  const struct {
    std::string config, message;
  } cases[] = {
      {"", "c:1:1: it is not JSON"},
      {"[]", "c: its top is not an object"},
      {"{\n\"a\":}", "c:2:5: it is not JSON"},
      {"{\"a\":" + std::string(100000, '[') + "}", "c: nested deeper than 16"},
      {R"({"a":1,"a":2})", "c: 'a' stands twice"},
      {"{}", "c: architectures: it must name one architecture" + known},
      {R"({"architectures":"LlamaForCausalLM"})", "c: architectures: it is not a list of at most 16 texts"},
      {R"({"architectures":[1]})", "c: architectures: 1 is not a text"},
      {R"({"architectures":["MixtralForCausalLM"]})",
       "c: architectures: unknown architecture 'MixtralForCausalLM'" + known},
      {with(kQwen4B, "{", R"({"quantization_config":{"bits":4},)"),
       "c: quantization_config: quantized weights cannot be read"},
      {with(kQwen4B, "\"hidden_size\":2560,", ""), "c: hidden_size: is missing"},
      {with(kQwen4B, "2560", "0"), "c: hidden_size: 0 is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "-1"), "c: hidden_size: -1 is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "2560.5"), "c: hidden_size: 2560.5 is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "\"2560\""), "c: hidden_size: \"2560\" is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "18446744073709551615"),
       "c: hidden_size: 18446744073709551615 is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "true"), "c: hidden_size: true is not an integer in 1..1048576"},
      {with(kQwen4B, "2560", "[2560]"), "c: hidden_size: an array is not an integer in 1..1048576"},
      {with(kQwen4B, "\"num_hidden_layers\":36", "\"num_hidden_layers\":1025"),
       "c: num_hidden_layers: 1025 is not an integer in 1..1024"},
      {with(kQwen4B, "\"num_attention_heads\":32", "\"num_attention_heads\":0"),
       "c: num_attention_heads: 0 is not an integer in 1..4096"},
      {with(kQwen4B, "\"num_key_value_heads\":8", "\"num_key_value_heads\":5"),
       "c: num_key_value_heads: num_attention_heads 32 is not a multiple of 5"},
      {with(kQwen4B, "\"head_dim\":128", "\"head_dim\":127"),
       "c: head_dim: 127 is odd (positions turn pairs)"},
      {with(kSmolLm2, "576", "577"),
       "c: hidden_size: 577 is not a multiple of num_attention_heads 9 (where head_dim is not given)"},
      {with(kQwen4B, "9728", "1e3"), "c: intermediate_size: 1000.0 is not an integer in 1..1048576"},
      {with(kQwen4B, "151936", "16777217"), "c: vocab_size: 16777217 is not an integer in 1..16777216"},
      {with(kQwen4B, "40960", "0"), "c: max_position_embeddings: 0 is not an integer in 1..268435456"},
      {with(kQwen4B, "1e-06", "0"), "c: rms_norm_eps: 0 is not a number in 1e-12..0.1"},
      {with(kQwen4B, "1e-06", "NaN"), "c:4:16: it is not JSON"},
      {with(kQwen4B, "1e-06", "1e400"), "c:4:20: a number too large"},
      {with(kQwen4B, "1000000", "0.5"), "c: rope_theta: 0.5 is not a number in 1..1000000000000000"},
      {with(kQwen4B, "\"tie_word_embeddings\":true", "\"tie_word_embeddings\":1"),
       "c: tie_word_embeddings: 1 is neither true nor false"},
      {with(kQwen4B, "\"silu\"", "\"relu\""), "c: hidden_act: unknown activation 'relu' (known: silu)"},
      {with(kQwen4B, "\"silu\"", "7"), "c: hidden_act: 7 is not a text"},
      {with(kQwen4B, "151645", "-1"), "c: eos_token_id: -1 is not an integer in 0..151935"},
      {with(kQwen4B, "151645", "[1,\"2\"]"), "c: eos_token_id: \"2\" is not an integer in 0..151935"},
      {scaling("8"), "c: rope_scaling: 8 is not an object"},
      {scaling(R"({"type":"dynamic","factor":2})"),
       "c: rope_scaling.type: unknown scaling 'dynamic' (known: default, linear, llama3, yarn)"},
      {scaling(R"({"rope_type":"proportional"})"),
       "c: rope_scaling.rope_type: unknown scaling 'proportional' (known: default, linear, llama3, yarn)"},
      {scaling(R"({"rope_type":"linear"})"), "c: rope_scaling.factor: is missing"},
      {scaling(R"({"rope_type":"linear","factor":0})"),
       "c: rope_scaling.factor: 0 is not a number in 1..65536"},
      {scaling(R"({"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":1,)"
               R"("original_max_position_embeddings":8192})"),
       "c: rope_scaling.high_freq_factor: 1 is not above low_freq_factor 4"},
      {scaling(R"({"rope_type":"yarn","factor":4,"beta_fast":1,"beta_slow":32})"),
       "c: rope_scaling.beta_fast: 1 is not above beta_slow 32"},
      {scaling(R"({"rope_type":"yarn","factor":4,"mscale":1})"),
       "c: rope_scaling.mscale: it is not known for this architecture"},
      {with(kQwen4B, "\"use_sliding_window\":false", "\"use_sliding_window\":true,\"layer_types\":[]"),
       "c: layer_types: 0 entries for 36 layers"},
      {layers(R"(["full_attention"])"), "c: text_config.layer_types: 1 entries for 2 layers"},
      {layers(R"(["mamba","full_attention"])"),
       "c: text_config.layer_types: unknown type 'mamba' (known: full_attention, sliding_attention)"},
      {layers(R"(["full_attention","sliding_attention"])"),
       "c: text_config.layer_types: the last layer must be full_attention"},
      {with(kGemma1B, "\"sliding_window\":512", "\"sliding_window\":0"),
       "c: sliding_window: 0 is not an integer in 1..268435456"},
      {with(kGemma1B, "\"sliding_window_pattern\":6", "\"sliding_window_pattern\":0"),
       "c: sliding_window_pattern: 0 is not an integer in 1..1024"},
      {with(kGemma1B, "\"query_pre_attn_scalar\":256", "\"query_pre_attn_scalar\":0"),
       "c: query_pre_attn_scalar: 0 is not a number in 0.001..1000000"},
      {with(kGemma1B, "\"final_logit_softcapping\":null", "\"final_logit_softcapping\":-30"),
       "c: final_logit_softcapping: -30 is not a number in 0.001..1000000"},
      {with(kGemma4, "\"num_global_key_value_heads\":1", "\"num_global_key_value_heads\":3"),
       "c: text_config.num_global_key_value_heads: num_attention_heads 16 is not a multiple of 3"},
      {with(kGemma4, "\"attention_k_eq_v\":true", "\"enable_moe_block\":true"),
       "c: text_config.enable_moe_block: only dense models can be read"},
      {with(by_layer(), "\"1\":", "\"0\":"),
       "c: text_config.per_layer_config.0: layers of one type have heads of two kinds"},
      {with(by_layer(), "\"num_key_value_heads\":2", "\"sliding_window\":2"),
       "c: text_config.per_layer_config.1.sliding_window: it is not known here"},
      {with(by_layer(), "\"head_dim\":512", "\"head_dim\":511"),
       "c: text_config.per_layer_config: 511 is odd (positions turn pairs)"},
      {with(kGemma4, "\"num_hidden_layers\":2", "\"num_hidden_layers\":2,\"num_kv_shared_layers\":1"),
       "c: text_config.num_kv_shared_layers: of 2 layers none of the first has the type of layer 1"},
      {with(kGemma4, "\"hidden_size_per_layer_input\":0",
            R"("hidden_size_per_layer_input":8,"vocab_size_per_layer_input":262143)"),
       "c: text_config.vocab_size_per_layer_input: 262143 is not an integer in 262144..16777216"},
      {with(kGemma1B, "{", R"({"use_bidirectional_attention":true,)"),
       "c: use_bidirectional_attention: only causal models can be read"},
      {with(kGemma4, "0.25", "0"),
       "c: text_config.rope_parameters.full_attention.partial_rotary_factor: 0 is not a number in 0.001..1"},
  };
  for (const auto& hostile : cases) EXPECT_EQ(error_of(hostile.config), hostile.message);
  EXPECT_GE(std::size(cases), 40u);
}

TEST(ModelConfig, AFolderIsReadAndWhatIsNoFileIsRefused) {
  const ModelFolder folder;
  const auto message = [&] {
    const auto config = read_model_config(folder.path());
    return config ? "" : to_string(config.error());
  };
  EXPECT_EQ(message(), "cannot read '" + folder.file("config.json") + "': No such file or directory");
  folder.write("config.json", kQwen4B);
  EXPECT_EQ(message(), "");
  folder.write("generation_config.json", "");
  EXPECT_EQ(message(), folder.file("generation_config.json") + ": it is empty");
  folder.write("generation_config.json", R"({"eos_token_id":7})");
  EXPECT_THAT(read_model_config(folder.path())->end_tokens, ElementsAre(7));
  folder.write("config.json", std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(message(),
            "cannot read '" + folder.file("config.json") + "': it has 1048577 bytes, more than 1048576");
}

TEST(ModelConfig, ATextCutAnywhereIsRefused) {
  for (const std::string& text : {kQwen4B, kGemma4})
    for (std::size_t length = 0; length < text.size(); ++length)
      EXPECT_NE(error_of(text.substr(0, length)), "") << length << " bytes";
}

}  // namespace
}  // namespace dspark
