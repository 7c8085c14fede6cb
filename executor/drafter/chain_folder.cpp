#include "executor/drafter/chain_folder.h"

#include <fmt/format.h>

#include <utility>

#include "executor/drafter/draft_vocabulary.h"
#include "executor/drafter/feature_config.h"

namespace dspark {
namespace {

Error error_in(const std::string& path, std::string message, std::string advice = {}) {
  return Error{std::move(message), {std::make_shared<const std::string>(path), 0, 0}, std::move(advice)};
}

DecoderOptions decoder_options(const ChainOptions& options, int layers) {
  return {.max_rows = options.max_rows,
          .max_logit_rows = options.max_requests,
          .kept_layers = {layers - 1},
          .kv_tokens = options.kv_tokens};
}

std::optional<Error> check_vocabulary(const ModelConfig& model, const ModelConfig& target,
                                      const std::string& path) {
  if (model.vocab_size == target.vocab_size) return std::nullopt;
  return error_in(
      path, fmt::format("vocab_size: {}, but the target has {} tokens", model.vocab_size, target.vocab_size),
      "a drafter speaks the target's tokens");
}

/// Any published model drafts for another one with the same tokens.
Result<std::unique_ptr<ChainDrafter>> open_language_model(const std::string& folder,
                                                          const DraftTarget& target, Kernels& kernels,
                                                          const ChainOptions& options) {
  const auto config = read_model_config(folder);
  if (!config) return config.error();
  if (auto error = check_vocabulary(*config, target.config, folder + "/config.json")) return *error;
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return checkpoint.error();
  auto decoder = Decoder::load(*checkpoint, *config, kernels, decoder_options(options, config->layers));
  if (!decoder) return decoder.error();
  return ChainDrafter::make(std::move(*decoder), std::nullopt, {},
                            target.weights.model().matrix(WeightRole::kEmbedding).outputs(), kernels,
                            options);
}

TensorLayout eagle3_layout(const FeatureConfig& config, const ModelPlan& plan, const Checkpoint& checkpoint,
                           std::size_t target_width) {
  const std::size_t features = config.target_layers.size();
  TensorLayout layout;
  layout.decoder = "";
  layout.has_embedding = checkpoint.has("embed_tokens.weight");
  layout.has_head = checkpoint.has(layout.head) || plan.draft_vocabulary > 0;
  const bool midlayer = checkpoint.has("midlayer.input_layernorm.weight");
  layout.first_layer = midlayer ? "midlayer." : "layers.0.";
  layout.heads = {{{"fc.weight", {plan.hidden, features * target_width}}, WeightRole::kContext, -1},
                  {{layout.first_layer + "hidden_norm.weight", {plan.hidden}}, WeightRole::kFeatureNorm, -1}};
  if (config.norm_before_fc)
    layout.heads.push_back(
        {{"input_norm.weight", {features * target_width}}, WeightRole::kTargetLayersNorm, -1});
  for (std::size_t i = 0; config.fc_norm && i < features; ++i)
    layout.heads.push_back(
        {{fmt::format("fc_norm.{}.weight", i), {target_width}}, WeightRole::kTargetLayerNorm, -1});
  layout.ignored = {"d2t", "t2d", "verifier_lm_head.weight", "verifier_norm.weight"};
  return layout;
}

TensorLayout mtp_layout(const ModelPlan& plan) {
  TensorLayout layout;
  layout.decoder = "";
  layout.has_embedding = layout.has_head = false;
  layout.first_layer = "mtp_layers.0.";
  layout.final_norm = "mtp_layers.0.final_layernorm.weight";
  layout.heads = {{{"mtp_layers.0.hidden_layernorm.weight", {plan.hidden}}, WeightRole::kFeatureNorm, -1},
                  {{"mtp_layers.0.token_layernorm.weight", {plan.hidden}}, WeightRole::kEmbeddingNorm, -1},
                  {{"mtp_layers.0.input_proj.weight", {plan.hidden, 2 * plan.hidden}},
                   WeightRole::kFeatureProjection,
                   -1}};
  layout.ignored = {"embed_tokens.weight", "lm_head.weight", "verifier_lm_head.weight"};
  return layout;
}

/// EAGLE-3 reads several layers, projected; MTP the last one behind the target's final norm.
FeatureRule feature_rule(const FeatureConfig& config, const DraftTarget& target, const ModelWeights& own) {
  FeatureRule rule;
  rule.layers = config.target_layers;
  if (config.kind == FeatureConfig::Kind::kEagle3) {
    const auto layer_norms = own.model().target_layer_norms();
    rule.layer_norms.assign(layer_norms.begin(), layer_norms.end());
    rule.joined_norm = own.model().vector(WeightRole::kTargetLayersNorm);
    rule.epsilon = static_cast<float>(config.layers.rms_norm_eps);
    rule.fusion = &own.model().matrix(WeightRole::kContext);
  } else {
    const ModelPlan plan = plan_model(target.config);
    rule.layer_norms = {target.weights.model().vector(WeightRole::kFinalNorm)};
    rule.norm_offset = plan.norm_offset;
    rule.epsilon = plan.epsilon;
  }
  return rule;
}

Result<std::unique_ptr<ChainDrafter>> open_feature_drafter(const std::string& folder,
                                                           const FeatureConfig& config,
                                                           const DraftTarget& target, Kernels& kernels,
                                                           ChainOptions options) {
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return checkpoint.error();
  const ModelPlan plan = plan_feature_drafter(config);
  const auto target_width = static_cast<std::size_t>(target.config.hidden_size);
  const TensorLayout layout = config.kind == FeatureConfig::Kind::kMtp
                                  ? mtp_layout(plan)
                                  : eagle3_layout(config, plan, *checkpoint, target_width);
  if ((!layout.has_embedding || !layout.has_head) && plan.hidden != target_width)
    return error_in(folder + "/config.json",
                    fmt::format("hidden_size: {}, but the target's is {}", plan.hidden, target_width),
                    "where it has no embedding and head of its own");
  std::vector<std::int32_t> target_ids;
  if (plan.draft_vocabulary > 0) {
    auto ids = read_draft_vocabulary(*checkpoint, config.draft_vocab_size, config.layers.vocab_size);
    if (!ids) return ids.error();
    target_ids = std::move(*ids);
  }
  DecoderParts parts{.plan = plan, .layout = layout};
  if (!layout.has_embedding) parts.embedding = &target.weights.model().matrix(WeightRole::kEmbedding);
  if (!layout.has_head) parts.head = &target.weights.head();
  auto decoder = Decoder::load(*checkpoint, parts, kernels, decoder_options(options, config.layers.layers));
  if (!decoder) return decoder.error();
  auto features = TargetFeatures::make(feature_rule(config, target, decoder->weights()), target_width,
                                       options.max_rows, kernels);
  if (!features) return features.error();
  options.feeds_normed = config.norm_output;
  return ChainDrafter::make(std::move(*decoder), std::move(*features), std::move(target_ids), plan.vocabulary,
                            kernels, options);
}

}  // namespace

Result<std::unique_ptr<ChainDrafter>> open_chain_drafter(const std::string& folder, const DraftTarget& target,
                                                         Kernels& kernels, const ChainOptions& options) {
  const auto config = read_feature_config(folder, target.config);
  if (!config) return config.error();
  ChainOptions chosen = options;
  if (chosen.block_size == 0) chosen.block_size = kDefaultChain;
  if (!*config) return open_language_model(folder, target, kernels, chosen);
  if (options.block_size == 0 && (*config)->speculative_tokens > 0)
    chosen.block_size = (*config)->speculative_tokens;
  return open_feature_drafter(folder, **config, target, kernels, chosen);
}

Result<std::vector<int>> chain_target_layers(std::string_view config, const std::string& path,
                                             const ModelConfig& target) {
  auto features = parse_feature_config(config, path, target);
  if (!features) return features.error();
  if (*features) return std::move((*features)->target_layers);
  const auto model = parse_model_config(config, {}, path, path);
  if (!model) return model.error();
  if (auto error = check_vocabulary(*model, target, path)) return *error;
  return std::vector<int>();
}

}  // namespace dspark
