#include "experiments/schema/input_files.h"

#include <fmt/format.h>

#include <filesystem>

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/regular_file.h"
#include "experiments/schema/utf8.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

/// What reads parameters knows no HDF5: recorded rounds reach it as the table that they are.
Result<std::string> recorded_rounds(const std::string& bytes, const std::string& path) {
  const auto rounds = decode_rounds_hdf5(bytes, path);
  if (!rounds) return rounds.error();
  return rounds_csv(*rounds);
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t max_bytes) {
  const auto file = RegularFile::open(path);
  if (!file) return file.error();
  if (file->size() > max_bytes) {
    return file->failure(fmt::format("it has {} bytes, more than {}", file->size(), max_bytes));
  }
  return file->read(0, file->size());
}

InputFiles::InputFiles(const std::map<std::string, std::string>& given) : given_(true) {
  for (const auto& [path, content] : given) {
    contents_.emplace(path, content);
    digests_.emplace(path, digest_of(content));
  }
}

std::map<std::string, std::string> InputFiles::contents() const {
  std::map<std::string, std::string> read;
  for (const auto& [path, content] : contents_) {
    if (content) read.emplace(path, *content);
  }
  return read;
}

FileLoader InputFiles::loader() {
  return [this](const std::string& path, const Position& position) { return load(path, position); };
}

Result<InputFile> InputFiles::load(const std::string& path, const Position& position) {
  auto known = contents_.find(path);
  if (known == contents_.end() && given_)
    return Error{fmt::format("'{}' is not among the files that were kept", path), position};
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
