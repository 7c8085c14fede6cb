#include "experiments/schema/model_files.h"

#include <filesystem>
#include <map>

#include "experiments/regular_file.h"

namespace dspark {
namespace {

Result<Digest> digest_of_file(const std::string& path) {
  const auto file = RegularFile::open(path);
  if (!file) return file.error();
  return digest_in_pieces([&](std::size_t at, std::size_t most) { return file->read(at, most); }, 0,
                          file->size());
}

Digest joined(const Digest& before, const std::string& text) {
  DigestText both;
  both.add(hex(before));
  both.add(text);
  return digest_of(both.text());
}

}  // namespace

std::optional<Error> include_model_files(Experiment& experiment) {
  std::map<std::string, Digest> known;
  DigestText all;
  for (Point& point : experiment.points) {
    DigestText own;
    for (const std::string& path : point.scenario->model_files()) {
      auto digest = known.find(path);
      if (digest == known.end()) {
        const auto read = digest_of_file(path);
        if (!read) return read.error();
        digest = known.emplace(path, *read).first;
      }
      // Without its folder: that is in the experiment's text, and its beginning depends on where that is read
      // from.
      own.add(std::filesystem::path(path).filename().string());
      own.add(hex(digest->second));
    }
    if (own.text().empty()) continue;
    point.digest = joined(point.digest, own.text());
    all.add(own.text());
  }
  if (all.text().empty()) return std::nullopt;
  experiment.work = joined(experiment.work, all.text());
  experiment.digest = joined(experiment.digest, all.text());
  return std::nullopt;
}

}  // namespace dspark
