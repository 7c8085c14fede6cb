#include "executor/checkpoint/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestShown = 40;

/// What stands in a field, short enough for one line.
std::string shown(const Json& value) {
  if (value.is_object() || value.is_array()) return fmt::format("an {}", value.type_name());
  std::string text = value.dump();
  if (text.size() > kLongestShown) text = text.substr(0, kLongestShown) + "...";
  return text;
}

bool is_in(const Json& value, int min, int max) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return max >= 0 && number <= static_cast<std::uint64_t>(max) &&
           (min <= 0 || number >= static_cast<std::uint64_t>(min));
  }
  return value.is_number_integer() && value.get<std::int64_t>() >= min && value.get<std::int64_t>() <= max;
}

}  // namespace

const Json* JsonFields::find(std::string_view key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::name(std::string_view key) const {
  return inside_.empty() ? std::string(key) : fmt::format("{}.{}", inside_, key);
}

void JsonFields::only(std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : object_.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return fail(key.substr(0, kLongestShown), "it is not known here");
}

void JsonFields::fail(std::string_view key, std::string_view message, std::string advice) {
  if (error_) return;
  error_ = Error{fmt::format("{}: {}", name(key), message),
                 {std::make_shared<const std::string>(path_), 0, 0},
                 std::move(advice)};
}

int JsonFields::integer(std::string_view key, int min, int max, std::optional<int> fallback) {
  const Json* const value = find(key);
  if (value == nullptr && !fallback) fail_missing(key);
  if (value == nullptr) return fallback.value_or(min);
  if (is_in(*value, min, max)) return value->get<int>();
  fail(key, fmt::format("{} is not an integer in {}..{}", shown(*value), min, max));
  return fallback.value_or(min);
}

double JsonFields::number(std::string_view key, double min, double max, std::optional<double> fallback) {
  const Json* const value = find(key);
  if (value == nullptr && !fallback) fail_missing(key);
  if (value == nullptr) return fallback.value_or(min);
  if (value->is_number()) {
    const auto number = value->get<double>();
    if (number >= min && number <= max) return number;
  }
  fail(key, fmt::format("{} is not a number in {}..{}", shown(*value), min, max));
  return fallback.value_or(min);
}

bool JsonFields::boolean(std::string_view key, bool fallback) {
  const Json* const value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  fail(key, fmt::format("{} is neither true nor false", shown(*value)));
  return fallback;
}

std::string JsonFields::text(std::string_view key, const std::optional<std::string>& fallback) {
  const Json* const value = find(key);
  if (value == nullptr && !fallback) fail_missing(key);
  if (value == nullptr) return fallback.value_or("");
  if (value->is_string()) return value->get<std::string>();
  fail(key, fmt::format("{} is not a text", shown(*value)));
  return fallback.value_or("");
}

std::vector<std::string> JsonFields::texts(std::string_view key, std::size_t most) {
  const Json* const value = find(key);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > most) {
    fail(key, fmt::format("it is not a list of at most {} texts", most));
    return {};
  }
  std::vector<std::string> texts;
  for (const Json& entry : *value) {
    if (!entry.is_string()) {
      fail(key, fmt::format("{} is not a text", shown(entry)));
      return {};
    }
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

std::vector<int> JsonFields::integers(std::string_view key, int max, std::size_t most) {
  const Json* const value = find(key);
  if (value == nullptr) return {};
  if (value->is_array() && value->size() > most) {
    fail(key, fmt::format("more than {} integers", most));
    return {};
  }
  std::vector<int> integers;
  for (const Json& entry : value->is_array() ? *value : Json::array({*value})) {
    if (!is_in(entry, 0, max)) {
      fail(key, fmt::format("{} is not an integer in 0..{}", shown(entry), max));
      return {};
    }
    integers.push_back(entry.get<int>());
  }
  return integers;
}

JsonFields JsonFields::object(std::string_view key) {
  static const Json empty = Json::object();
  const Json* const value = find(key);
  if (value != nullptr && !value->is_object()) fail(key, fmt::format("{} is not an object", shown(*value)));
  return {value != nullptr && value->is_object() ? *value : empty, name(key), path_, error_};
}

std::vector<JsonFields> JsonFields::objects(std::string_view key, std::size_t most) {
  const Json* const value = find(key);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > most) {
    fail(key, fmt::format("it is not a list of at most {} objects", most));
    return {};
  }
  std::vector<JsonFields> objects;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const std::string entry = fmt::format("{}[{}]", key, i);
    if (!(*value)[i].is_object()) {
      fail(entry, fmt::format("{} is not an object", shown((*value)[i])));
      return {};
    }
    objects.emplace_back((*value)[i], name(entry), path_, error_);
  }
  return objects;
}

void JsonFields::allow(std::initializer_list<std::string_view> keys) {
  for (const auto& field : object_.items())
    if (std::find(keys.begin(), keys.end(), field.key()) == keys.end())
      return fail(field.key().substr(0, 100), "it is not supported");
}

}  // namespace dspark
