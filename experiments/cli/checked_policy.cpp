#include "experiments/cli/checked_policy.h"

#include <fmt/format.h>

#include <array>

#include "experiments/schema/yaml_reader.h"
#include "policies/depth/depth_policy_registry.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

/// Parameters that have no default, for the tiny systems of a check.
constexpr std::array<std::pair<const char*, const char*>, 4> kRequired{
    {{"fixed", "{fixed: {k: 2}}"},
     {"k_by_batch_size", "{k_by_batch_size: {table: {1: 3, 2: 2}}}"},
     {"tetris", "{tetris: {capacity_per_request: 1}}"},
     {"load_knee", "{load_knee: {requests: 2, k: 2}}"}}};
/// Further forms of policies whose parameters decide what they look at.
constexpr std::array kVariants{
    "{tetris: {capacity_per_request: 1, score: confidence}}",
    "{hugging_face_heuristic: {num_assistant_tokens: 2, assistant_confidence_threshold: 0.4}}",
    "{dspark: {cost: hull}}",
    "{dspark_async: {lag: 1}}",
    "{ascend_held: {update_every: 1, initial_k: 1}}",
    "{ascend_held: {form: confidence, update_every: 1, initial_k: 1}}"};

std::unique_ptr<DepthPolicy> make_policy(const NamedValue& named) {
  Parameters parameters(named.parameters, {}, named.shorthand);
  return make_depth_policy(named.name, parameters);
}

}  // namespace

std::optional<CheckedPolicy> read_checked_policy(const std::string& text, Errors& errors) {
  const auto value = read_yaml(text, "--policy");
  if (!value) {
    errors.push_back(value.error());
    return std::nullopt;
  }
  const auto named = read_named_value(*value);
  if (!named) {
    errors.push_back(named.error());
    return std::nullopt;
  }
  Parameters parameters(named->parameters, {}, named->shorthand);
  const auto policy = make_depth_policy(named->name, parameters);
  if (!policy) {
    errors.push_back({fmt::format("there is no policy '{}'", named->name),
                      {},
                      known_names_advice(named->name, depth_policy_names())});
    return std::nullopt;
  }
  parameters.finish();
  errors = parameters.errors();
  if (!errors.empty()) return std::nullopt;
  return CheckedPolicy{text, [named = *named] { return make_policy(named); }, policy->traits()};
}

std::string checked_form(const std::string& policy) {
  for (const auto& [name, text] : kRequired) {
    if (policy == name) return text;
  }
  return policy;
}

std::vector<std::string> all_checked_forms() {
  std::vector<std::string> texts;
  for (const std::string& name : depth_policy_names()) texts.push_back(checked_form(name));
  texts.insert(texts.end(), kVariants.begin(), kVariants.end());
  return texts;
}

}  // namespace dspark
