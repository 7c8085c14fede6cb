#include "executor/drafter/feature_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"
#include "executor/checkpoint/mapped_file.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostConfigBytes = std::size_t{1} << 20;
constexpr JsonLimits kConfigLimits{.depth = 16, .values = 65536, .members = 4096};
constexpr std::size_t kMostFeatureLayers = 64;
constexpr int kMostSpeculativeTokens = 1024;
// As SGLang and vLLM call what the EAGLE-3 paper's authors publish.
constexpr const char* kEagle3Architectures[] = {"LlamaForCausalLMEagle3", "Eagle3LlamaForCausalLM"};

class FeatureConfigReader {
 public:
  FeatureConfigReader(const Json& object, std::string path, const ModelConfig& target)
      : object_(object), path_(std::move(path)), top_(object, "", path_, error_), target_(target) {}

  Result<std::optional<FeatureConfig>> read() {
    const std::string kind = top_.text("speculators_model_type", "");
    if (kind == "eagle3" || kind == "mtp") {
      if (kind == "mtp") config_.kind = FeatureConfig::Kind::kMtp;
      read_nested_layers();
    } else if (kind.empty() && is_published_eagle3()) {
      read_layers(object_, deepspec_ ? "qwen3" : "llama", "");
    } else {
      if (error_) return *error_;
      return std::optional<FeatureConfig>();
    }
    if (!error_) read_speculators();
    if (!error_) check_vocabulary();
    if (!error_) config_.kind == FeatureConfig::Kind::kMtp ? read_mtp() : read_eagle3();
    if (error_) return *error_;
    return std::optional(std::move(config_));
  }

 private:
  bool is_published_eagle3() {
    const auto names = top_.texts("architectures", 16);
    deepspec_ = names == std::vector<std::string>{"Qwen3Eagle3Model"};
    if (deepspec_) return true;
    return names.size() == 1 && std::find(std::begin(kEagle3Architectures), std::end(kEagle3Architectures),
                                          names[0]) != std::end(kEagle3Architectures);
  }

  void read_nested_layers() {
    if (!top_.has("transformer_layer_config")) return top_.fail("transformer_layer_config", "is missing");
    JsonFields nested = top_.object("transformer_layer_config");
    const std::string type = nested.text("model_type");
    if (error_) return;
    const bool known = type == "qwen3" || (type == "llama" && config_.kind == FeatureConfig::Kind::kEagle3);
    if (!known)
      return nested.fail("model_type", fmt::format("unknown type '{}'", type.substr(0, 100)),
                         config_.kind == FeatureConfig::Kind::kMtp ? "known: qwen3" : "known: llama, qwen3");
    read_layers(*top_.find("transformer_layer_config"), type, "transformer_layer_config: ");
  }

  /// The layers are those of a language model, and so is what is said of them.
  void read_layers(const Json& object, const std::string& type, const std::string& inside) {
    Json layers = object;
    layers["architectures"] = {type == "qwen3" ? "Qwen3ForCausalLM" : "LlamaForCausalLM"};
    if (config_.kind == FeatureConfig::Kind::kMtp) {  // written are those of the target
      layers["num_hidden_layers"] = 1;
      layers.erase("layer_types");
      layers.erase("use_sliding_window");
    }
    auto read = parse_model_config(layers.dump(), {}, path_, path_);
    if (read) {
      config_.layers = std::move(*read);
    } else {
      error_ = read.error();
      error_->message = inside + error_->message;
    }
  }

  void read_speculators() {
    if (deepspec_) config_.speculative_tokens = top_.integer("ttt_length", 1, kMostSpeculativeTokens, 0);
    JsonFields speculators = top_.object("speculators_config");
    auto methods = speculators.objects("proposal_methods", 16);
    if (!methods.empty())
      config_.speculative_tokens = methods[0].integer("speculative_tokens", 1, kMostSpeculativeTokens, 1);
  }

  void check_vocabulary() {
    const int vocabulary = config_.layers.vocab_size;
    const std::string_view key =
        top_.has("transformer_layer_config") ? "transformer_layer_config.vocab_size" : "vocab_size";
    if (vocabulary != target_.vocab_size)
      top_.fail(key, fmt::format("{}, but the target has {} tokens", vocabulary, target_.vocab_size),
                "a drafter speaks the target's tokens");
    config_.draft_vocab_size = vocabulary;
  }

  void read_mtp() {
    if (top_.integer("num_nextn_predict_layers", 1, 1024, 1) != 1)
      return top_.fail("num_nextn_predict_layers", "only one layer can be read");
    if (config_.layers.hidden_size != target_.hidden_size)
      return top_.fail(
          "transformer_layer_config.hidden_size",
          fmt::format("{}, but the target's is {}", config_.layers.hidden_size, target_.hidden_size));
    config_.target_layers = {target_.layers - 1};
    config_.norm_output = true;
  }

  void read_eagle3() {
    config_.draft_vocab_size =
        top_.integer("draft_vocab_size", 1, config_.layers.vocab_size, config_.layers.vocab_size);
    config_.norm_before_residual = top_.boolean("norm_before_residual", false);
    config_.norm_output = top_.boolean("norm_output", false);
    config_.norm_before_fc = top_.boolean("norm_before_fc", false);
    config_.fc_norm = top_.boolean("fc_norm", false);
    if (config_.norm_before_fc && config_.fc_norm)
      return top_.fail("fc_norm", "the target's layers are normed once", "norm_before_fc is true");
    if (!top_.has("transformer_layer_config") && config_.layers.layers != 1)
      return top_.fail("num_hidden_layers", "a published EAGLE-3 drafter has one layer");
    if (top_.has("target_hidden_size") &&
        top_.integer("target_hidden_size", 1, 1 << 20) != target_.hidden_size)
      return top_.fail("target_hidden_size", fmt::format("the target's is {}", target_.hidden_size));
    deepspec_ ? read_deepspec_layers() : read_target_layers();
  }

  /// DeepSpec's ids name layers by their outputs; the last one's would be behind the final norm.
  void read_deepspec_layers() {
    constexpr std::string_view kKey = "target_layer_ids";
    config_.target_layers = top_.integers(kKey, target_.layers - 2, kMostFeatureLayers);
    const std::set<int> distinct(config_.target_layers.begin(), config_.target_layers.end());
    if (distinct.empty() || distinct.size() != config_.target_layers.size())
      top_.fail(kKey, "it must be a list of distinct layers");
  }

  /// Published ids name a layer's input: id i is the output of layer i - 1, and 0 the embedding.
  void read_target_layers() {
    constexpr std::string_view kKey = "eagle_aux_hidden_state_layer_ids";
    JsonFields nested = top_.object("eagle_config");
    if (!nested.boolean("use_aux_hidden_state", true))
      return nested.fail("use_aux_hidden_state", "a drafter of the last layer alone cannot be read");
    JsonFields& place = nested.has(kKey) ? nested : top_;
    std::vector<int> ids = place.integers(kKey, target_.layers, kMostFeatureLayers);
    if (error_) return;
    if (ids.empty()) ids = {2, target_.layers / 2, target_.layers - 3};  // of EAGLE's authors
    const std::set<int> distinct(ids.begin(), ids.end());
    if (distinct.size() != ids.size() || *distinct.begin() < 0 || *distinct.rbegin() > target_.layers)
      return place.fail(
          kKey, fmt::format("{} are no distinct layers of the target's {}", fmt_ids(ids), target_.layers));
    for (const int id : ids) config_.target_layers.push_back(id - 1);
  }

  static std::string fmt_ids(const std::vector<int>& ids) {
    std::string text;
    for (const int id : ids) text += (text.empty() ? "" : ", ") + std::to_string(id);
    return text;
  }

  const Json& object_;
  std::string path_;
  std::optional<Error> error_;
  JsonFields top_;
  const ModelConfig& target_;
  bool deepspec_ = false;  // its layout
  FeatureConfig config_;
};

}  // namespace

Result<std::optional<FeatureConfig>> parse_feature_config(std::string_view text, const std::string& path,
                                                          const ModelConfig& target) {
  const auto object = parse_json(text, kConfigLimits, path);
  if (!object) return object.error();
  return FeatureConfigReader(*object, path, target).read();
}

Result<std::optional<FeatureConfig>> read_feature_config(const std::string& folder,
                                                         const ModelConfig& target) {
  const std::string path = folder + "/config.json";
  const auto file = MappedFile::open(path, kMostConfigBytes);
  if (!file) return file.error();
  return parse_feature_config(file->bytes(), path, target);
}

ModelPlan plan_feature_drafter(const FeatureConfig& config) {
  ModelPlan plan = plan_model(config.layers);
  plan.tied = false;
  if (config.draft_vocab_size < config.layers.vocab_size)
    plan.draft_vocabulary = static_cast<std::size_t>(config.draft_vocab_size);
  plan.features =
      config.kind == FeatureConfig::Kind::kMtp ? FeatureUse::kProjected : FeatureUse::kBesideEmbedding;
  plan.normed_residual = config.norm_before_residual;
  return plan;
}

}  // namespace dspark
