#pragma once

#include <map>
#include <optional>
#include <string>

#include "policies/error.h"

namespace dspark {

/// What stands in the way of a folder of this name. With `force` one that is there is taken if it holds
/// nothing but files for which `is_ours` is true.
std::optional<Error> cannot_replace_folder(const std::string& path, bool force,
                                           bool (*is_ours)(const std::string& name));

/// Writes a folder with these files beside `path`, forces it to the disk and renames it: `path` is either
/// what it was or the whole new folder, whatever happens; one that is there is swapped and then removed.
/// Folders above it are made. A kill may leave `path`.partial behind, which the next call replaces.
std::optional<Error> write_folder_atomically(const std::string& path,
                                             const std::map<std::string, std::string>& files);

}  // namespace dspark
