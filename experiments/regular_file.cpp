#include "experiments/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace dspark {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

}  // namespace

Result<Digest> digest_in_pieces(const ReadPiece& read, std::size_t at, std::size_t length) {
  DigestStream stream;
  while (length > 0) {
    const auto piece = read(at, std::min(length, kPieceBytes));
    if (!piece) return piece.error();
    if (piece->empty()) break;
    stream.add(*piece);
    at += piece->size();
    length -= piece->size();
  }
  return stream.digest();
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

RegularFile::~RegularFile() {
  if (fd_ >= 0) ::close(fd_);
}

Error RegularFile::failure(std::string_view why) const {
  return Error{fmt::format("cannot read '{}': {}", path_, why)};
}

Result<RegularFile> RegularFile::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) return Error{"a file name cannot hold a zero byte"};
  RegularFile file(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd_ < 0) return file.failure(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.fd_, &status) != 0) return file.failure(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return file.failure("it is a directory");
  if (!S_ISREG(status.st_mode)) return file.failure("it is not a regular file");
  file.size_ = static_cast<std::size_t>(status.st_size);
  return file;
}

Result<std::string> RegularFile::read(std::size_t at, std::size_t most) const {
  std::string content;
  try {
    content.resize(most);
  } catch (const std::bad_alloc&) {
    return failure("it does not fit into memory");
  }
  std::size_t have = 0;
  while (have < content.size()) {
    const ssize_t got =
        ::pread(fd_, content.data() + have, content.size() - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return content;
}

}  // namespace dspark
