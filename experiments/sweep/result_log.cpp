#include "experiments/sweep/result_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "experiments/files.h"
#include "experiments/regular_file.h"

namespace dspark {
namespace {

/// True where `path` still names the open file: another run may have finished and removed it before our lock.
bool names_same_file(const std::string& path, int fd) {
  struct stat by_name {};
  struct stat by_descriptor {};
  return ::stat(path.c_str(), &by_name) == 0 && ::fstat(fd, &by_descriptor) == 0 &&
         by_name.st_ino == by_descriptor.st_ino && by_name.st_dev == by_descriptor.st_dev;
}

Error failure(const std::string& path, std::string_view what) {
  return {fmt::format("cannot {} '{}': {}", what, path, std::strerror(errno))};
}

}  // namespace

ResultLog::~ResultLog() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<ResultLog::OpenError> ResultLog::lock(const std::string& path) {
  for (;;) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) return OpenError{failure(path, "write")};
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return OpenError{failure(path, "lock")};
      return OpenError{
          {fmt::format("another run is writing '{}'", path), {}, "wait for it, or give another --out"}};
    }
    if (names_same_file(path, fd_)) return std::nullopt;
    ::close(fd_);
  }
}

std::optional<ResultLog::OpenError> ResultLog::open(const std::string& path, const Digest& work, bool fresh) {
  path_ = path;
  if (auto refused = lock(path)) return refused;
  ParsedLog log;
  std::size_t size = 0;
  if (!fresh) {
    const auto file = RegularFile::open(path);
    if (!file) return OpenError{file.error()};
    size = file->size();
    auto parsed = parse_log([&](std::size_t at, std::size_t most) { return file->read(at, most); }, size);
    if (!parsed) return OpenError{parsed.error()};
    log = *std::move(parsed);
    if (log.foreign || (log.has_header && log.work != work)) {
      const std::string whose = log.foreign
                                    ? "is not a partial result, or is damaged"
                                    : "belongs to another experiment, other input files or another version";
      return OpenError{
          {fmt::format("'{}' {}", path, whose), {}, "--fresh deletes it; another --out keeps it"},
          Refusal::kInvalidInput};
    }
  }
  discarded_bytes_ = size - log.valid_bytes;
  finished_ = std::move(log.records);
  if (::ftruncate(fd_, static_cast<off_t>(log.valid_bytes)) != 0) return OpenError{failure(path, "write")};
  if (::lseek(fd_, 0, SEEK_END) < 0) return OpenError{failure(path, "write")};
  end_ = static_cast<off_t>(log.valid_bytes);
  if (log.valid_bytes > 0) return std::nullopt;
  if (const auto why = write_all(fd_, log_header(work))) {
    return OpenError{{fmt::format("cannot write '{}': {}", path, *why)}};
  }
  end_ = static_cast<off_t>(log_header(work).size());
  return std::nullopt;
}

std::optional<Error> ResultLog::append(const LogRecord& record) {
  if (fd_ < 0) return std::nullopt;
  const std::string frame = framed_record(record);
  auto why = write_all(fd_, frame);
  if (!why && ::fdatasync(fd_) != 0) why = std::strerror(errno);
  if (!why) {
    end_ += static_cast<off_t>(frame.size());
    return std::nullopt;
  }
  // A torn record would hide those that another thread still finishes and that fit. Where this fails too, the
  // next start cuts the rest off.
  if (::ftruncate(fd_, end_) == 0) ::lseek(fd_, end_, SEEK_SET);
  return Error{fmt::format("cannot write '{}': {}", path_, *why)};
}

void ResultLog::remove() { ::unlink(path_.c_str()); }

}  // namespace dspark
