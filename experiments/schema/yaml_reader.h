#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policies/error.h"
#include "policies/parameters.h"

namespace dspark {

/// Bounds that no honest experiment file reaches; past them a file is refused, never a reason to run out of
/// memory.
constexpr std::size_t kMaxYamlBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxYamlNodes = 200'000;  // aliases count in full
constexpr std::size_t kMaxYamlDepth = 64;

/// Reads one YAML document. Scalars stay text, as written; `null`, `~` and nothing are empty values. Anchors
/// and aliases work; merge keys (`<<: *base`, `<<: [*a, *b]`) are resolved: own keys win, then earlier maps.
/// Refused, at their position: duplicate keys, keys that are not text, explicit tags, several documents, an
/// empty document, bytes that are not UTF-8. `source` is the name in messages. Never throws on bad input.
Result<Value> read_yaml(std::string_view text, std::string source);

}  // namespace dspark
