#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// Reads the fields of one JSON object of a file and keeps the first thing that is wrong. After it, every
/// further field reads as its fallback. A field that is null is as one that is missing. Both objects given
/// outlive it.
class JsonFields {
 public:
  /// `inside` is where the object stands in the file ("text_config"), or "" for its top.
  JsonFields(const nlohmann::json& object, std::string inside, std::string path, std::optional<Error>& error)
      : object_(object), inside_(std::move(inside)), path_(std::move(path)), error_(error) {}

  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// The field, or nothing where it is missing or null.
  const nlohmann::json* find(std::string_view key) const;

  /// An integer in min..max. Without a fallback the field must be there.
  int integer(std::string_view key, int min, int max, std::optional<int> fallback = {});
  /// A finite number in min..max.
  double number(std::string_view key, double min, double max, std::optional<double> fallback = {});
  bool boolean(std::string_view key, bool fallback);
  std::string text(std::string_view key, const std::optional<std::string>& fallback = {});
  /// A list of at most `most` texts, empty where it is missing.
  std::vector<std::string> texts(std::string_view key, std::size_t most);
  /// One integer in 0..max or a list of at most `most` of them, empty where it is missing.
  std::vector<int> integers(std::string_view key, int max, std::size_t most);
  /// The fields of an object in this one; of an empty object where it is missing.
  JsonFields object(std::string_view key);
  /// The fields of each object in a list of at most `most` (`key[0]`, `key[1]`), none where it is missing.
  std::vector<JsonFields> objects(std::string_view key, std::size_t most);

  /// Fails for a field that is none of these, null or not.
  void allow(std::initializer_list<std::string_view> keys);

  /// No field but these may stand here.
  void only(std::initializer_list<std::string_view> keys);

  /// Says what is wrong with a field: `PATH: inside.key: message`.
  void fail(std::string_view key, std::string_view message, std::string advice = {});
  /// `inside.key`
  std::string name(std::string_view key) const;
  bool failed() const { return error_.has_value(); }

 private:
  void fail_missing(std::string_view key) { fail(key, "is missing"); }

  const nlohmann::json& object_;
  std::string inside_;
  std::string path_;
  std::optional<Error>& error_;
};

}  // namespace dspark
