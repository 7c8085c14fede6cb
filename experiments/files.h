#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

/// Writes `bytes` to a temporary beside `path`, forces them to the disk and renames: `path` is either the old
/// file or the whole new one, whatever happens. The temporary is removed after an error.
std::optional<Error> write_file_atomically(const std::string& path, std::string_view bytes);

/// All of `bytes` to an open file; the text of errno after a failure.
std::optional<std::string> write_all(int fd, std::string_view bytes);

/// Creates the folder of `path`, and those above it, where missing.
std::optional<Error> create_folder_of(const std::string& path);

}  // namespace dspark
