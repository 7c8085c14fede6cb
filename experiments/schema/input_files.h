#pragma once

#include <map>
#include <string>

#include "experiments/digest.h"
#include "policies/parameters.h"

namespace dspark {

constexpr std::size_t kMaxInputFileBytes = std::size_t{256} << 20;

/// A whole regular file. Errors (position left to the caller): missing, a directory or device, too large,
/// unreadable.
Result<std::string> read_whole_file(const std::string& path, std::size_t max_bytes);

/// The files that an experiment names (cost tables, traces, lengths), relative to the folder of the
/// experiment file. Each is read once; the digests of all that were used identify the experiment. Used by one
/// thread, while points are read and before they run; must outlive the loaders it gave.
class InputFiles {
 public:
  explicit InputFiles(std::string folder) : folder_(std::move(folder)) {}
  /// The files themselves, by path as written; there are no others.
  explicit InputFiles(const std::map<std::string, std::string>& given);
  InputFiles(const InputFiles&) = delete;
  InputFiles& operator=(const InputFiles&) = delete;

  /// A name that ends in `.h5` is a file of recorded rounds; its content is their CSV
  /// (sim/table/rounds_csv.h).
  FileLoader loader();
  /// What the loader gave for each path that was read without an error, sorted.
  std::map<std::string, std::string> contents() const;
  /// By path as written, sorted.
  const std::map<std::string, Digest>& digests() const { return digests_; }

 private:
  Result<InputFile> load(const std::string& path, const Position& position);

  std::string folder_;
  bool given_ = false;
  std::map<std::string, Result<std::string>> contents_;
  std::map<std::string, Digest> digests_;
};

}  // namespace dspark
