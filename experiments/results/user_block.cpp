#include "experiments/results/user_block.h"

#include <fmt/format.h>

#include "experiments/digest.h"

namespace dspark {
namespace {

constexpr std::string_view kMagic = "DSPARK-RESULT 1\n";

std::string user_block_of(std::string_view image) {
  std::string block = std::string(kMagic) + hex(digest_of(image)) + "\n";
  block.resize(kUserBlockBytes, '\0');
  return block;
}

}  // namespace

std::string with_user_block(std::string image) {
  image.insert(0, user_block_of(image));
  return image;
}

bool starts_like_a_result(std::string_view first_bytes) {
  return first_bytes.empty() || first_bytes.starts_with(kMagic.substr(0, kMagic.find(' ')));
}

Result<std::string_view> checked_image(std::string_view file_bytes, const std::string& path) {
  if (file_bytes.empty()) return Error{fmt::format("'{}' is empty", path)};
  if (!file_bytes.starts_with(kMagic)) {
    return Error{
        fmt::format("'{}' is not a dspark result file", path), {}, "dspark run EXPERIMENT.yaml makes one"};
  }
  const std::string_view image = file_bytes.substr(std::min(kUserBlockBytes, file_bytes.size()));
  if (file_bytes.substr(0, kUserBlockBytes) != user_block_of(image)) {
    return Error{fmt::format("'{}' is damaged: its digest does not match its content", path),
                 {},
                 "copy it again, or run the experiment again with --fresh"};
  }
  return image;
}

}  // namespace dspark
