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

}  // namespace dspark
