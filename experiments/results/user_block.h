#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

constexpr std::size_t kUserBlockBytes = 512;

/// The HDF5 image behind a user block that holds our magic and the image's digest.
std::string with_user_block(std::string image);

/// True where these first bytes of a file could be a result's, whole or damaged: what `--fresh` may
/// overwrite.
bool starts_like_a_result(std::string_view first_bytes);

/// A whole result file, of at most kMaxResultBytes. Magic and digest are checked in bounded pieces before
/// memory for it is asked for. Errors: unreadable, too large, or as `checked_image`.
constexpr std::size_t kMaxResultBytes = std::size_t{4} << 30;
Result<std::string> read_checked_file(const std::string& path);

/// The image within a result file, or what is wrong with the file.
Result<std::string_view> checked_image(std::string_view file_bytes, const std::string& path);

}  // namespace dspark
