#include "experiments/results/paired_points.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "experiments/results/comparisons.h"
#include "policies/nearest_name.h"
#include "policies/parameters.h"

namespace dspark {
namespace {

/// 8, 8.0 and "8" are one value.
std::string plain(const std::string& value) {
  const auto number = parse_number(value);
  return number ? number_text(*number) : value;
}

/// The points of one file that take part.
struct Side {
  const char* name;  // "A" or "B"
  std::vector<std::size_t> points;
  std::vector<std::string> axes;        // beside policy and chosen ones
  std::map<std::string, Texts> values;  // by axis, policy included; one for each row of /points

  Side(const char* file_name, const ResultFile& file) : name(file_name) {
    const Table& table = file.table("points");
    for (std::size_t point = 0; point < table.rows(); ++point) points.push_back(point);
    for (const Column& column : table.columns) {
      if (column.name == "point" || column.name == "policy_lossless") continue;
      if (column.name != "policy" && is_policy_axis(column.name)) continue;
      Texts texts = column.as_texts();
      std::transform(texts.begin(), texts.end(), texts.begin(), plain);
      values.emplace(column.name, std::move(texts));
      if (column.name != "policy") axes.push_back(column.name);
    }
  }

  /// Each value of an axis that takes part, once, as they appear.
  Texts distinct(const std::string& axis) const {
    Texts found;
    for (const std::size_t point : points) {
      const std::string& value = values.at(axis)[point];
      if (std::find(found.begin(), found.end(), value) == found.end()) found.push_back(value);
    }
    return found;
  }
  bool has(const std::string& axis) const { return values.contains(axis); }

  std::optional<Error> choose(const std::string& axis, const std::string& wanted) {
    if (!has(axis)) {
      Texts known;
      for (const auto& [path, ignored] : values) known.push_back(path);
      return Error{fmt::format("{} has no axis '{}'", name, axis), {}, known_names_advice(axis, known)};
    }
    const Texts known = distinct(axis);
    std::erase_if(points, [&](std::size_t point) { return values.at(axis)[point] != plain(wanted); });
    std::erase(axes, axis);
    if (!points.empty()) return std::nullopt;
    return Error{
        fmt::format("{} has no point with {}={}", name, axis, wanted), {}, known_names_advice(wanted, known)};
  }

  /// "A has policy: none, dspark; users: 1, 4".
  std::string description() const {
    Texts parts;
    const auto add = [&](const std::string& axis) {
      constexpr std::size_t kMost = 8;
      Texts shown = distinct(axis);
      const bool more = shown.size() > kMost;
      shown.resize(std::min(shown.size(), kMost));
      parts.push_back(fmt::format("{}: {}{}", axis, fmt::join(shown, ", "), more ? " ..." : ""));
    };
    if (has("policy")) add("policy");
    for (const std::string& axis : axes) add(axis);
    return fmt::format("{} has {}", name,
                       parts.empty() ? "no points" : fmt::format("{}", fmt::join(parts, "; ")));
  }
};

/// Takes out what only one file has: it does not vary there, so it tells no points apart.
std::optional<Error> drop_lone_axes(Side& side, const Side& other, std::vector<std::string>& fixed) {
  const std::vector<std::string> axes = side.axes;
  for (const std::string& axis : axes) {
    if (other.has(axis)) continue;
    const Texts found = side.distinct(axis);
    if (found.size() > 1) {
      return Error{fmt::format("axis '{}' varies in {} ({}) and {} does not have it", axis, side.name,
                               fmt::join(found, ", "), other.name),
                   {},
                   "only points with equal values of all axes are compared"};
    }
    fixed.push_back(fmt::format("{}={}", axis, found.empty() ? "" : found.front()));
    std::erase(side.axes, axis);
  }
  return std::nullopt;
}

using Key = std::vector<std::string>;

Key setting_of(const Side& side, const std::vector<std::string>& axes, std::size_t point) {
  Key key;
  for (const std::string& axis : axes) key.push_back(side.values.at(axis)[point]);
  return key;
}

/// Goes through A; what is left of B is alone.
void match(const Side& a, const Side& b, bool by_policy, PairedPoints& paired) {
  const auto key_of = [&](const Side& side, std::size_t point) {
    Key key = setting_of(side, paired.axes, point);
    if (by_policy && side.has("policy")) key.push_back(side.values.at("policy")[point]);
    return key;
  };
  std::map<Key, std::size_t> first_of_b;
  for (const std::size_t point : b.points) first_of_b.emplace(key_of(b, point), point);
  std::set<Key> done;
  for (const std::size_t point : a.points) {
    const Key key = key_of(a, point);
    const auto partner = first_of_b.find(key);
    if (partner == first_of_b.end() || !done.insert(key).second) {
      paired.lone.push_back({true, point, partner != first_of_b.end()});
      continue;
    }
    const Key setting = setting_of(a, paired.axes, point);
    const auto known = std::find(paired.settings.begin(), paired.settings.end(), setting);
    const auto at = static_cast<std::size_t>(known - paired.settings.begin());
    if (known == paired.settings.end()) paired.settings.push_back(setting);
    paired.pairs.push_back({point, partner->second, at});
  }
  for (const std::size_t point : b.points) {
    const Key key = key_of(b, point);
    if (done.contains(key) && first_of_b.at(key) == point) continue;
    paired.lone.push_back({false, point, done.contains(key)});
  }
}

}  // namespace

Result<PairedPoints> pair_points(const ResultFile& file_a, const ResultFile& file_b,
                                 const std::vector<AxisChoice>& choices) {
  Side a("A", file_a);
  Side b("B", file_b);
  bool by_policy = true;
  for (const AxisChoice& choice : choices) {
    if (const auto error = a.choose(choice.axis, choice.a)) return *error;
    if (const auto error = b.choose(choice.axis, choice.b)) return *error;
    by_policy = by_policy && choice.axis != "policy";
  }
  PairedPoints paired;
  if (const auto error = drop_lone_axes(a, b, paired.fixed)) return *error;
  if (const auto error = drop_lone_axes(b, a, paired.fixed)) return *error;
  paired.axes = a.axes;
  match(a, b, by_policy, paired);
  if (!paired.pairs.empty()) return paired;
  return Error{"no point of A has a partner in B", {}, a.description() + "; " + b.description()};
}

}  // namespace dspark
