#include "experiments/profile/replaced_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

#include "experiments/files.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

Error cannot_write(const std::string& path, const std::string& why) {
  return {fmt::format("cannot write folder '{}': {}", path, why)};
}

/// A rename is durable once the folder above it is; that some file systems cannot sync one is no error.
void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

/// Removes what a killed call has left, or the folder that was swapped out. Files only: nobody else writes
/// folders there.
std::error_code remove_folder(const std::string& path) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return {};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, failure)) files.push_back(entry.path());
  for (const fs::path& file : files) {
    if (!failure) fs::remove(file, failure);
  }
  if (!failure) fs::remove(path, failure);
  return failure;
}

}  // namespace

std::optional<Error> cannot_replace_folder(const std::string& path, bool force,
                                           bool (*is_ours)(const std::string& name)) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(path, failure))) return std::nullopt;
  if (!fs::is_directory(fs::symlink_status(path, failure))) {
    return Error{fmt::format("'{}' is there and is no folder", path), {}, "--output names a folder"};
  }
  if (!force) return Error{fmt::format("'{}' is there already", path), {}, "--force replaces a profile"};
  std::set<std::string> others;
  for (const auto& entry : fs::directory_iterator(path, failure)) {
    const std::string name = entry.path().filename().string();
    if (!is_ours(name)) others.insert(name);
  }
  if (failure) return Error{fmt::format("cannot read folder '{}': {}", path, failure.message())};
  if (!others.empty()) {
    return Error{fmt::format("'{}' holds '{}', which no profile has", path, *others.begin()),
                 {},
                 "--force replaces folders of profiles only"};
  }
  return std::nullopt;
}

std::optional<Error> write_folder_atomically(const std::string& path,
                                             const std::map<std::string, std::string>& files) {
  const std::string partial = path + ".partial";
  if (auto error = create_folder_of(path)) return error;
  if (const auto failure = remove_folder(partial)) return cannot_write(partial, failure.message());
  std::error_code failure;
  fs::create_directory(partial, failure);
  if (failure) return cannot_write(partial, failure.message());
  for (const auto& [name, bytes] : files) {
    if (auto error = write_file_atomically((fs::path(partial) / name).string(), bytes)) {
      remove_folder(partial);
      return error;
    }
  }
  sync_folder(partial);
  const bool there = fs::exists(fs::symlink_status(path, failure));
  const unsigned how = there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), how) != 0) {
    const std::string why = std::strerror(errno);
    remove_folder(partial);
    return cannot_write(path, why);
  }
  sync_folder(fs::path(path).parent_path());
  if (there) remove_folder(partial);
  return std::nullopt;
}

}  // namespace dspark
