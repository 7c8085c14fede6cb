#include "experiments/schema/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace dspark {
namespace {

/// True where the text, unquoted in a flow, reads back as this text.
bool is_plain(std::string_view text) {
  const auto safe = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_./+-:").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (text.empty() || text.back() == ':' || text == "null" || text == "Null" || text == "NULL") return false;
  if (text.front() == ':' || (text.front() == '-' && text.find_first_not_of('-') == std::string_view::npos)) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), safe);
}

std::string scalar_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string flow_text(const Value& value) {
  std::string text;
  if (const auto* scalar = value.scalar()) return scalar_text(*scalar);
  if (const auto* list = value.list()) {
    for (const Value& item : *list) text += (text.empty() ? "" : ", ") + flow_text(item);
    return "[" + text + "]";
  }
  if (const auto* map = value.map()) {
    for (const Value::Entry& entry : *map) {
      text += (text.empty() ? "" : ", ") + scalar_text(entry.key) + ": " + flow_text(entry.value);
    }
    return "{" + text + "}";
  }
  return "~";
}

std::string label(const Value& value) {
  if (value.empty()) return {};
  return value.scalar() ? *value.scalar() : flow_text(value);
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string line_of(const Value& map, const char* key, const char* indent) {
  const Value* value = map.find(key);
  return value == nullptr ? std::string() : fmt::format("{}{}: {}\n", indent, key, flow_text(*value));
}

std::string seen_from(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::path relative = fs::proximate(path, folder.empty() ? fs::path(".") : fs::path(folder), failure);
  return failure ? path : relative.string();
}

}  // namespace dspark
