#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/error.h"
#include "policies/parameters.h"

namespace dspark {

/// The map that `yaml`, read from `path`, is, with the --set options applied. `kind`: what it should be, for
/// messages: "a market". Nothing where it is no map of keys, with its error; options that cannot be applied
/// are errors beside the map. A relative path shows as the user gave it.
std::optional<Value> parse_document(const std::string& yaml, const std::string& path,
                                    const std::vector<std::string>& set_options, const std::string& kind,
                                    Errors& errors);
/// The same of the file itself, which may be missing, too large or no regular file.
std::optional<Value> read_document(const std::string& path, const std::vector<std::string>& set_options,
                                   const std::string& kind, Errors& errors);

/// By file, line and column; errors of one place stay in their order.
void sort_by_position(Errors& errors);

}  // namespace dspark
