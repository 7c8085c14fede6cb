#pragma once

#include <string>

#include "policies/parameters.h"

namespace dspark {

/// The value as compact YAML in one line: `{fixed: {k: 7}}`, `[1, 2]`, `~` for nothing. Different values have
/// different texts.
std::string flow_text(const Value& value);
/// How results name the value of an axis: a scalar as written, anything else as `flow_text`; empty for
/// nothing.
std::string label(const Value& value);

/// The text as a quoted YAML scalar.
std::string quoted(const std::string& text);
/// `key: value` of a map, on a line behind `indent`; nothing where it has no such key.
std::string line_of(const Value& map, const char* key, const char* indent = "");
/// The path as it reads from `folder`, "" being the working folder.
std::string seen_from(const std::string& path, const std::string& folder);

}  // namespace dspark
