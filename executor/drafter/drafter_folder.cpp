#include "executor/drafter/drafter_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"
#include "executor/checkpoint/mapped_file.h"
#include "executor/drafter/block_drafter.h"
#include "executor/drafter/chain_folder.h"

namespace dspark {
namespace {

constexpr std::size_t kMostConfigBytes = std::size_t{1} << 20;
constexpr JsonLimits kLimits{.depth = 16, .values = 65536, .members = 4096};

/// How drafters of one family are read: `config` is the text of config.json.
struct DrafterFamily {
  std::span<const std::string_view> types;  // values of speculators_model_type
  std::span<const std::string_view> architectures;
  Result<std::vector<int>> (*layers)(std::string_view config, const std::string& path,
                                     const ModelConfig& target);
  Result<std::unique_ptr<Drafter>> (*open)(std::string_view config, const std::string& folder,
                                           const DraftTarget& target, Kernels& kernels,
                                           const DrafterOptions& options);
};

Result<std::unique_ptr<Drafter>> open_chain(std::string_view, const std::string& folder,
                                            const DraftTarget& target, Kernels& kernels,
                                            const DrafterOptions& options) {
  ChainOptions chain{
      .block_size = options.block_size, .max_requests = options.max_requests, .kv_tokens = options.kv_tokens};
  chain.max_rows = std::max(chain.max_rows, chain.max_requests);
  auto drafter = open_chain_drafter(folder, target, kernels, chain);
  if (!drafter) return drafter.error();
  return std::unique_ptr<Drafter>(std::move(*drafter));
}

const DrafterFamily kFamilies[] = {
    {kBlockDrafterTypes, kBlockDrafterArchitectures, BlockDrafter::layers_of, BlockDrafter::open},
    {kChainDrafterTypes, kChainDrafterArchitectures, chain_target_layers, open_chain},
};

/// Of speculators_model_type, else of the one architecture.
Result<const DrafterFamily*> family_of(std::string_view config, const std::string& path) {
  const auto object = parse_json(config, kLimits, path);
  if (!object) return object.error();
  std::optional<Error> error;
  JsonFields fields(*object, "", path, error);
  const bool nested = fields.has("speculators_model_type");
  const auto names_of = [&](const DrafterFamily& family) {
    return nested ? family.types : family.architectures;
  };
  std::string known;
  for (const DrafterFamily& family : kFamilies)
    for (const std::string_view name : names_of(family))
      known += (known.empty() ? "known: " : ", ") + std::string(name);
  const std::string_view key = nested ? "speculators_model_type" : "architectures";
  const auto names = nested ? std::vector{fields.text(key)} : fields.texts(key, 16);
  if (error) return *error;
  if (names.size() != 1) {
    fields.fail(key, "it must name one architecture", known);
    return *error;
  }
  for (const DrafterFamily& family : kFamilies)
    if (std::ranges::find(names_of(family), names[0]) != names_of(family).end()) return &family;
  fields.fail(key, fmt::format("unknown drafter '{}'", names[0].substr(0, 100)), known);
  return *error;
}

}  // namespace

Result<std::vector<int>> drafter_target_layers(const std::string& folder, const ModelConfig& target) {
  const std::string path = folder + "/config.json";
  const auto config = MappedFile::open(path, kMostConfigBytes);
  if (!config) return config.error();
  return parse_drafter_target_layers(config->bytes(), path, target);
}

Result<std::vector<int>> parse_drafter_target_layers(std::string_view config, const std::string& path,
                                                     const ModelConfig& target) {
  const auto family = family_of(config, path);
  if (!family) return family.error();
  return (*family)->layers(config, path, target);
}

Result<std::unique_ptr<Drafter>> open_drafter(const std::string& folder, const DraftTarget& target,
                                              Kernels& kernels, const DrafterOptions& options) {
  const std::string path = folder + "/config.json";
  const auto config = MappedFile::open(path, kMostConfigBytes);
  if (!config) return config.error();
  const auto family = family_of(config->bytes(), path);
  if (!family) return family.error();
  return (*family)->open(config->bytes(), folder, target, kernels, options);
}

}  // namespace dspark
