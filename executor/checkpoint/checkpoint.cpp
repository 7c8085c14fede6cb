#include "executor/checkpoint/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "executor/checkpoint/json_object.h"
#include "executor/checkpoint/mapped_file.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostIndexBytes = std::size_t{16} << 20;
constexpr std::size_t kMostShards = 4096;
constexpr std::size_t kMostErrors = 10;
constexpr std::string_view kSuffix = ".safetensors";
constexpr JsonLimits kIndexLimits{.depth = 8, .values = std::size_t{1} << 18, .members = 64};

Error error_in(const std::string& path, std::string message, std::string advice = {}) {
  return Error{std::move(message), {std::make_shared<const std::string>(path), 0, 0}, std::move(advice)};
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

/// A file of the index's own folder, and nothing that leads out of it.
bool is_shard_name(std::string_view name) {
  return name.size() > kSuffix.size() && name.size() <= 255 && name.ends_with(kSuffix) && name[0] != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

/// The file of each tensor, by name. Errors name the index and, where one is to blame, the tensor.
Result<std::map<std::string, std::string>> read_index(const std::string& path) {
  const auto file = MappedFile::open(path, kMostIndexBytes);
  if (!file) return file.error();
  const auto index = parse_json(file->bytes(), kIndexLimits, path);
  if (!index) return index.error();
  const auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object()) return error_in(path, "weight_map is not an object");
  std::map<std::string, std::string> shards;
  std::set<std::string_view> names;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string()) return error_in(path, fmt::format("tensor '{}': its file is not a text", tensor));
    const auto& name = shard.get_ref<const std::string&>();
    if (!is_shard_name(name))
      return error_in(path,
                      fmt::format("tensor '{}': '{}' is no file of this folder", tensor, name.substr(0, 255)),
                      "a name that ends in .safetensors, without a folder");
    names.insert(name);
    if (names.size() > kMostShards) return error_in(path, fmt::format("more than {} shards", kMostShards));
    shards.emplace(tensor, name);
  }
  if (shards.empty()) return error_in(path, "weight_map names no tensor");
  return shards;
}

}  // namespace

Errors Checkpoint::add(SafetensorsFile file) {
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const auto [place, is_new] = places_.emplace(file.tensors()[i].name, Place{files_.size(), i});
    if (!is_new)
      return {error_in(file.path(), fmt::format("tensor '{}' is also in '{}'", place->first,
                                                files_[place->second.file].path()))};
  }
  files_.push_back(std::move(file));
  return {};
}

Errors Checkpoint::add_shards(const std::string& index_path) {
  const auto shards = read_index(index_path);
  if (!shards) return {shards.error()};
  std::set<std::string> names;
  for (const auto& [tensor, name] : *shards) names.insert(name);
  for (const std::string& name : names) {
    auto file = SafetensorsFile::open(folder_ + "/" + name);
    if (!file) return {file.error()};
    if (Errors errors = add(std::move(*file)); !errors.empty()) return errors;
  }
  for (const auto& [tensor, name] : *shards) {
    const auto place = places_.find(tensor);
    if (place == places_.end())
      return {error_in(index_path, fmt::format("tensor '{}' is not in '{}'", tensor, name))};
    const std::string& path = files_[place->second.file].path();
    if (path != folder_ + "/" + name)
      return {
          error_in(index_path, fmt::format("tensor '{}' is not in '{}' but in '{}'", tensor, name, path))};
  }
  for (const auto& [tensor, place] : places_)
    if (shards->find(tensor) == shards->end())
      return {error_in(files_[place.file].path(), fmt::format("tensor '{}' is not in the index", tensor))};
  return {};
}

Result<Checkpoint> Checkpoint::open(const std::string& folder) {
  const std::string whole = folder + "/model.safetensors";
  const std::string index = folder + "/model.safetensors.index.json";
  if (exists(whole) && exists(index))
    return error_in(folder, "it holds model.safetensors and model.safetensors.index.json",
                    "keep one of them");
  if (!exists(whole) && !exists(index))
    return error_in(folder, "it holds neither model.safetensors nor model.safetensors.index.json",
                    "is this the folder of a model?");
  Checkpoint checkpoint(folder);
  Errors errors;
  if (exists(index)) {
    errors = checkpoint.add_shards(index);
  } else {
    auto file = SafetensorsFile::open(whole);
    if (!file) return file.error();
    errors = checkpoint.add(std::move(*file));
  }
  if (!errors.empty()) return errors.front();
  return checkpoint;
}

Result<Checkpoint::Place> Checkpoint::find(std::string_view name, std::span<const std::size_t> shape) const {
  const auto found = places_.find(name);
  if (found == places_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, place] : places_) names.push_back(known);
    const std::string near = nearest_name(name, names);
    return error_in(folder_, fmt::format("tensor '{}' is missing", name),
                    near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  const SafetensorsFile& file = files_[found->second.file];
  const TensorInfo& info = file.tensors()[found->second.tensor];
  if (!std::equal(info.shape.begin(), info.shape.end(), shape.begin(), shape.end()))
    return error_in(file.path(), fmt::format("tensor '{}' has shape {}, expected {}", name,
                                             shape_text(info.shape), shape_text(shape)));
  return found->second;
}

Result<Tensor> Checkpoint::tensor(std::string_view name, std::span<const std::size_t> shape) const {
  const auto place = find(name, shape);
  if (!place) return place.error();
  const SafetensorsFile& file = files_[place->file];
  return file.weights(file.tensors()[place->tensor]);
}

Result<std::vector<std::int64_t>> Checkpoint::integers(std::string_view name,
                                                       std::span<const std::size_t> shape) const {
  const auto place = find(name, shape);
  if (!place) return place.error();
  const SafetensorsFile& file = files_[place->file];
  return file.integers(file.tensors()[place->tensor]);
}

Errors Checkpoint::check(std::span<const ExpectedTensor> expected,
                         std::span<const std::string> ignored) const {
  Errors errors;
  std::size_t more = 0;
  // The nearest of many names takes a while to find: not for errors that nobody sees.
  const auto full = [&] { return errors.size() == kMostErrors; };
  std::set<std::string_view> wanted;
  for (const ExpectedTensor& one : expected) {
    wanted.insert(one.name);
    if (full()) {
      if (!has(one.name)) ++more;
      continue;
    }
    if (const auto found = tensor(one.name, one.shape); !found) errors.push_back(found.error());
  }
  const auto is_ignored = [&](const std::string& name) {
    return std::any_of(ignored.begin(), ignored.end(),
                       [&](const std::string& prefix) { return name.starts_with(prefix); });
  };
  for (const auto& [name, place] : places_) {
    if (wanted.contains(name) || is_ignored(name)) continue;
    if (full()) {
      ++more;
    } else {
      errors.push_back(
          error_in(files_[place.file].path(), fmt::format("tensor '{}' is none of this model's", name)));
    }
  }
  if (more > 0)
    errors.push_back(error_in(folder_, fmt::format("{} more tensors are missing or surplus", more)));
  return errors;
}

}  // namespace dspark
