#include "experiments/schema/set_option.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

constexpr std::string_view kPrefix = "--set ";

/// Every position becomes the option: lines and columns inside it would be noise.
void place_at(Value& value, const Position& position) {
  value.position = position;
  if (auto* list = std::get_if<Value::List>(&value.content)) {
    for (Value& item : *list) place_at(item, position);
  }
  if (auto* map = std::get_if<Value::Map>(&value.content)) {
    for (Value::Entry& entry : *map) {
      entry.key_position = position;
      place_at(entry.value, position);
    }
  }
}

Value* find_mutable(Value& map, std::string_view key) { return const_cast<Value*>(map.find(key)); }

/// Joins trailing parts again where the tree has a key with dots in it, and below the sweep's blocks, whose
/// keys are paths.
std::vector<std::string> join_dotted_keys(const Value& root, std::vector<std::string> parts) {
  std::vector<std::string> keys;
  const Value* here = &root;
  for (std::size_t i = 0; i < parts.size();) {
    std::size_t taken = 1;
    std::string key = parts[i];
    const bool in_sweep = keys.size() == 2 && keys[0] == "sweep" && (keys[1] == "grid" || keys[1] == "zip");
    std::string longer = key;
    for (std::size_t j = i + 1; j < parts.size(); ++j) {
      longer += "." + parts[j];
      if ((here && here->find(longer)) || (in_sweep && j + 1 == parts.size())) {
        key = longer;
        taken = j + 1 - i;
      }
    }
    here = here ? here->find(key) : nullptr;
    keys.push_back(std::move(key));
    i += taken;
  }
  return keys;
}

/// The option's value, read as that of a key so that what is unclosed cannot be taken for a key itself.
Result<Value> read_value(std::string_view text, const Position& position) {
  auto line = read_yaml("value: " + std::string(text), *position.source);
  if (!line) {
    Error error = line.error();
    error.position = position;
    return error;
  }
  auto* map = std::get_if<Value::Map>(&line->content);
  if (!map || map->size() != 1) return Error{"the value is not one line of YAML", position};
  Value value = std::move(map->front().value);
  if (value.empty()) return Error{"the value is missing", position, "path.to.key=value"};
  place_at(value, position);
  return value;
}

}  // namespace

Result<std::vector<std::string>> split_path(std::string_view path, const Position& position) {
  std::vector<std::string> keys;
  for (std::size_t at = 0;;) {
    const std::size_t dot = std::min(path.find('.', at), path.size());
    if (dot == at) {
      return Error{fmt::format("'{}' is not a path of keys", path), position,
                   "write it like workload.arrivals.closed_loop.users"};
    }
    keys.emplace_back(path.substr(at, dot - at));
    if (keys.size() > kMaxYamlDepth / 2) return Error{"the path has too many keys", position};
    if (dot == path.size()) return keys;
    at = dot + 1;
  }
}

const Value* find_path(const Value& root, const std::vector<std::string>& path) {
  const Value* here = &root;
  for (const std::string& key : path) {
    here = here->find(key);
    if (!here) return nullptr;
  }
  return here;
}

std::optional<Error> assign_path(Value& root, const std::vector<std::string>& path, Value value,
                                 const Position& position) {
  Value* here = &root;
  std::string passed;
  for (const std::string& key : path) {
    if (here->empty()) *here = Value{Value::Map{}, position};
    auto* map = std::get_if<Value::Map>(&here->content);
    if (!map) {
      return Error{fmt::format("'{}' cannot have a key '{}': it is {}", passed, key, describe(*here)),
                   position, "write it as a map in the file first"};
    }
    passed += (passed.empty() ? "" : ".") + key;
    Value* next = find_mutable(*here, key);
    if (!next) {
      map->push_back({key, position, Value{{}, position}});
      next = &map->back().value;
    }
    here = next;
  }
  *here = std::move(value);
  return std::nullopt;
}

std::optional<Error> apply_set_option(Value& root, std::string_view option) {
  const Position position{std::make_shared<const std::string>(std::string(kPrefix) + std::string(option))};
  const std::size_t equals = option.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error{"a --set option is path.to.key=value", position, "for example --set policy=fixed:3"};
  }
  auto path = split_path(option.substr(0, equals), position);
  if (!path) return path.error();
  auto value = read_value(option.substr(equals + 1), position);
  if (!value) return value.error();
  return assign_path(root, join_dotted_keys(root, std::move(*path)), std::move(*value), position);
}

bool is_set_option(const Position& position) {
  return position.source && position.source->starts_with(kPrefix);
}

}  // namespace dspark
