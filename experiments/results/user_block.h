#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

constexpr std::size_t kUserBlockBytes = 512;

/// The HDF5 image behind a user block that holds our magic and the image's digest.
std::string with_user_block(std::string image);

/// The image within a result file, or what is wrong with the file.
Result<std::string_view> checked_image(std::string_view file_bytes, const std::string& path);

}  // namespace dspark
