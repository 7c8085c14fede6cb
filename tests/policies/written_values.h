#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/parameters.h"

namespace dspark::testing {

/// Values as a user could have written them in file `test.yaml`.
inline Position at(int line, int column) {
  static const auto source = std::make_shared<const std::string>("test.yaml");
  return {source, line, column};
}
inline Value written(std::string text, int line = 1, int column = 1) {
  return {std::move(text), at(line, column)};
}
inline Value nothing(int line = 1, int column = 1) { return {std::monostate{}, at(line, column)}; }
inline Value written_list(std::vector<std::string> items, int line = 1) {
  Value::List list;
  int column = 1;
  for (std::string& item : items) list.push_back(written(std::move(item), line, column++));
  return {std::move(list), at(line, 1)};
}
/// Each key stands on a line of its own from `line`, its value at column 10.
inline Value written_map(std::initializer_list<std::pair<std::string, Value>> entries, int line = 1) {
  Value::Map map;
  int row = line;
  for (const auto& [key, value] : entries) map.push_back({key, at(row++, 1), value});
  return {std::move(map), at(line, 1)};
}

inline std::vector<std::string> texts(const Errors& errors) {
  std::vector<std::string> result;
  for (const Error& error : errors) result.push_back(to_string(error));
  return result;
}

}  // namespace dspark::testing
