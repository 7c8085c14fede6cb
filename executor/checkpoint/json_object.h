#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

/// What a text may ask memory for. Beyond it the text is refused, before that memory is taken.
struct JsonLimits {
  std::size_t depth = 0;    // nested objects and arrays, the top one counted
  std::size_t values = 0;   // in one member of the top object: scalars, objects and arrays
  std::size_t members = 0;  // of the top object
  std::size_t name_bytes = 1024;
};

struct JsonFault {
  std::string what;      // "it is not JSON", "'a' stands twice", ...
  std::size_t byte = 0;  // from 1; 0 is unknown
};

/// Takes one member of the top object; false ends the reading.
using JsonMember = std::function<bool(std::string& name, nlohmann::json& value)>;

/// Reads a JSON text whose top is an object (RFC 8259), one member at a time, so that only one of them is in
/// memory. Stricter than the RFC: a name stands once in its object. Gives the
/// first fault, else nothing.
std::optional<JsonFault> read_json_object(std::string_view text, const JsonLimits& limits,
                                          const JsonMember& take);

/// A whole text as one object. Errors: file, line, column and what is wrong with it.
Result<nlohmann::json> parse_json(std::string_view text, const JsonLimits& limits, const std::string& path);

}  // namespace dspark
