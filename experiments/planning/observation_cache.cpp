#include "experiments/planning/observation_cache.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/schema/input_files.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
constexpr std::size_t kDigestDigits = 32;

Json observation_json(const ReplicaObservation& observation) {
  Json json = {{"busy_share", observation.busy_share},
               {"user_speed", observation.user_speed},
               {"error", observation.error},
               {"limits", Json::array()}};
  for (const LimitReading& reading : observation.limits)
    json["limits"].push_back({reading.margin, reading.value, reading.least_deviation});
  return json;
}

ReplicaObservation observation_of(const Json& json) {
  ReplicaObservation observation;
  observation.busy_share = json.at("busy_share").get<double>();
  observation.user_speed = json.at("user_speed").get<double>();
  observation.error = json.at("error").get<std::string>();
  for (const Json& reading : json.at("limits"))
    observation.limits.push_back(
        {reading.at(0).get<double>(), reading.at(1).get<double>(), reading.at(2).get<double>()});
  return observation;
}

}  // namespace

std::string ObservationCache::path_of(const Digest& key) const {
  return (std::filesystem::path(folder_) / (hex(key) + ".json")).string();
}

/// What was kept, if it is whole: the file is its payload behind the payload's digest.
std::optional<std::string> ObservationCache::payload(const Digest& key) const {
  std::error_code ignored;
  if (folder_.empty() || !std::filesystem::exists(path_of(key), ignored)) return std::nullopt;
  auto bytes = read_whole_file(path_of(key), kMaxBytes);
  if (bytes && bytes->size() > kDigestDigits) {
    std::string rest = bytes->substr(kDigestDigits + 1);
    if (bytes->substr(0, kDigestDigits) == hex(digest_of(rest))) return rest;
  }
  write_message(fmt::format("warning: {} is damaged and computed again\n", path_of(key)));
  return std::nullopt;
}

void ObservationCache::keep(const Digest& key, const std::string& payload) const {
  if (folder_.empty()) return;
  const std::string bytes = hex(digest_of(payload)) + "\n" + payload;
  auto error = create_folder_of(path_of(key));
  if (!error) error = write_file_atomically(path_of(key), bytes);
  if (error) write_message(fmt::format("warning: not kept: {}\n", to_string(*error)));
}

std::vector<ReplicaObservation> ObservationCache::read(const Digest& key) const {
  std::vector<ReplicaObservation> observations;
  const auto kept = payload(key);
  if (!kept) return observations;
  try {
    for (const Json& json : Json::parse(*kept)) observations.push_back(observation_of(json));
  } catch (const Json::exception&) {  // of another version of the program
    observations.clear();
  }
  return observations;
}

void ObservationCache::write(const Digest& key, const std::vector<ReplicaObservation>& observations) const {
  Json json = Json::array();
  for (const ReplicaObservation& observation : observations) json.push_back(observation_json(observation));
  keep(key, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::optional<double> ObservationCache::read_saturation(const Digest& key) const {
  const auto kept = payload(key);
  if (!kept) return std::nullopt;
  try {
    return Json::parse(*kept).get<double>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void ObservationCache::write_saturation(const Digest& key, double saturation) const {
  keep(key, Json(saturation).dump());
}

}  // namespace dspark
