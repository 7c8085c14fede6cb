#include "executor/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace dspark {
namespace {

Error failure(const std::string& path, std::string_view why) {
  return Error{fmt::format("cannot read '{}': {}", path, why)};
}

/// Closes the descriptor of a file; its mapping stays.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path, std::size_t most) {
  if (path.find('\0') != std::string::npos) return Error{"a file name cannot hold a zero byte"};
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return failure(path, std::strerror(errno));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return failure(path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return failure(path, "it is a directory");
  if (!S_ISREG(status.st_mode)) return failure(path, "it is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > most) return failure(path, fmt::format("it has {} bytes, more than {}", size, most));
  if (size == 0) return MappedFile(nullptr, 0);  // which cannot be mapped
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) return failure(path, std::strerror(errno));
  return MappedFile(address, size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

}  // namespace dspark
