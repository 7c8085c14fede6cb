#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "experiments/digest.h"
#include "policies/error.h"

namespace dspark {

/// Bytes that are read piece by piece: from `at` on, at most `most` of them, fewer at the end only.
using ReadPiece = std::function<Result<std::string>(std::size_t at, std::size_t most)>;

/// The digest of `length` bytes from `at` on (fewer where they end before), in memory for one piece.
Result<Digest> digest_in_pieces(const ReadPiece& read, std::size_t at, std::size_t length);

/// What a file says about its size is believed for no allocation larger than a piece; its reader looks at the
/// content first. Errors of both functions: `cannot read 'PATH': ...`.
class RegularFile {
 public:
  /// Errors: missing, a directory, device or FIFO (which is not waited for), not permitted.
  static Result<RegularFile> open(const std::string& path);
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&&) = delete;
  ~RegularFile();

  /// As the file system states it: a sparse file holds less.
  std::size_t size() const { return size_; }
  /// As ReadPiece. Errors: the device fails, no memory for `most` bytes.
  Result<std::string> read(std::size_t at, std::size_t most) const;
  Error failure(std::string_view why) const;

 private:
  RegularFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

}  // namespace dspark
