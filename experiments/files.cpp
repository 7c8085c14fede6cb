#include "experiments/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace dspark {
namespace {

Error cannot_write(const std::string& path, std::string_view why) {
  return {fmt::format("cannot write '{}': {}", path, why)};
}

/// A rename is durable once its folder is.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

std::optional<std::string> write_and_sync(const std::string& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return std::strerror(errno);
  auto failure = write_all(fd, bytes);
  if (!failure && ::fsync(fd) != 0) failure = std::strerror(errno);
  if (::close(fd) != 0 && !failure) failure = std::strerror(errno);
  return failure;
}

}  // namespace

std::optional<std::string> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::strerror(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

std::optional<Error> write_file_atomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  auto failure = write_and_sync(temporary, bytes);
  if (!failure && ::rename(temporary.c_str(), path.c_str()) != 0) failure = std::strerror(errno);
  if (failure) {
    ::unlink(temporary.c_str());
    return cannot_write(path, *failure);
  }
  sync_folder_of(path);
  return std::nullopt;
}

std::optional<Error> create_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code failure;
  if (!folder.empty()) std::filesystem::create_directories(folder, failure);
  if (failure) return Error{fmt::format("cannot create folder '{}': {}", folder.string(), failure.message())};
  return std::nullopt;
}

}  // namespace dspark
