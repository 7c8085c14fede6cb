#include "experiments/results/user_block.h"

#include <fmt/format.h>

#include "experiments/digest.h"
#include "experiments/regular_file.h"

namespace dspark {
namespace {

constexpr std::string_view kMagic = "DSPARK-RESULT 1\n";

std::string user_block_of(const Digest& image) {
  std::string block = std::string(kMagic) + hex(image) + "\n";
  block.resize(kUserBlockBytes, '\0');
  return block;
}

std::optional<Error> wrong_start(std::string_view first_bytes, const std::string& path) {
  if (first_bytes.empty()) return Error{fmt::format("'{}' is empty", path)};
  if (first_bytes.starts_with(kMagic)) return std::nullopt;
  return Error{
      fmt::format("'{}' is not a dspark result file", path), {}, "dspark run EXPERIMENT.yaml makes one"};
}

Error damaged(const std::string& path) {
  return Error{fmt::format("'{}' is damaged: its digest does not match its content", path),
               {},
               "copy it again, or run the experiment again with --fresh"};
}

}  // namespace

std::string with_user_block(std::string image) {
  image.insert(0, user_block_of(digest_of(image)));
  return image;
}

bool starts_like_a_result(std::string_view first_bytes) {
  return first_bytes.empty() || first_bytes.starts_with(kMagic.substr(0, kMagic.find(' ')));
}

Result<std::string_view> checked_image(std::string_view file_bytes, const std::string& path) {
  if (auto wrong = wrong_start(file_bytes, path)) return *std::move(wrong);
  const std::string_view image = file_bytes.substr(std::min(kUserBlockBytes, file_bytes.size()));
  if (file_bytes.substr(0, kUserBlockBytes) != user_block_of(digest_of(image))) return damaged(path);
  return image;
}

Result<std::string> read_checked_file(const std::string& path) {
  const auto file = RegularFile::open(path);
  if (!file) return file.error();
  const auto block = file->read(0, kUserBlockBytes);
  if (!block) return block.error();
  if (auto wrong = wrong_start(*block, path)) return *std::move(wrong);
  if (file->size() > kMaxResultBytes) {
    return file->failure(fmt::format("it has {} bytes, more than {}", file->size(), kMaxResultBytes));
  }
  const auto read = [&](std::size_t at, std::size_t most) { return file->read(at, most); };
  const auto digest = digest_in_pieces(read, kUserBlockBytes, file->size());
  if (!digest) return digest.error();
  if (*block != user_block_of(*digest)) return damaged(path);
  return file->read(0, file->size());
}

}  // namespace dspark
