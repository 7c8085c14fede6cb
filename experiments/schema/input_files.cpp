#include "experiments/schema/input_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/schema/utf8.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// What reads parameters knows no HDF5: recorded rounds reach it as the table that they are.
Result<std::string> recorded_rounds(const std::string& bytes, const std::string& path) {
  const auto rounds = decode_rounds_hdf5(bytes, path);
  if (!rounds) return rounds.error();
  return rounds_csv(*rounds);
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t max_bytes) {
  const auto failure = [&](std::string_view why) {
    return Error{fmt::format("cannot read '{}': {}", path, why)};
  };
  if (path.find('\0') != std::string::npos) return Error{"a file name cannot hold a zero byte"};
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return failure(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return failure(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return failure("it is a directory");
  if (!S_ISREG(status.st_mode)) return failure("it is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > max_bytes) {
    return failure(fmt::format("it has {} bytes, more than {}", status.st_size, max_bytes));
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < content.size()) {
    const ssize_t got = ::read(file.fd, content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return content;
}

FileLoader InputFiles::loader() {
  return [this](const std::string& path, const Position& position) { return load(path, position); };
}

Result<InputFile> InputFiles::load(const std::string& path, const Position& position) {
  auto known = contents_.find(path);
  if (known == contents_.end()) {
    // operator/ keeps an absolute path as it is.
    auto content = read_whole_file((std::filesystem::path(folder_) / path).string(), kMaxInputFileBytes);
    if (content && content->empty()) content = Error{fmt::format("cannot use '{}': it is empty", path)};
    if (content) digests_.emplace(path, digest_of(*content));
    if (content && path.ends_with(".h5")) content = recorded_rounds(*content, path);
    if (content && !path.ends_with(".h5")) {
      if (const auto bad = find_bad_utf8(*content)) {
        content = Error{"the text is not UTF-8",
                        {std::make_shared<const std::string>(path), bad->line, bad->column},
                        bad->what};
      }
    }
    known = contents_.emplace(path, std::move(content)).first;
  }
  if (!known->second) {
    Error error = known->second.error();
    if (!error.position.source) error.position = position;
    if (error.advice.empty()) error.advice = "paths are relative to the experiment file";
    return error;
  }
  return InputFile{path, *known->second, position};
}

}  // namespace dspark
