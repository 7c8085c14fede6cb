#include "experiments/schema/uncertain_market.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/schema/set_option.h"
#include "sim/demand/assumption.h"

namespace dspark {
namespace {

/// Keys whose values are distributions in their own right: of the thresholds of a crowd.
bool is_crowd(const std::string& key) { return key == "willingness_to_pay" || key == "tolerable_latency"; }

void take(Value& value, std::vector<std::string>& path, std::vector<UncertainKey>& keys,
          std::vector<Position>& wrong, Errors& errors) {
  auto* map = std::get_if<Value::Map>(&value.content);
  if (!map) return;
  // Segments have names of the user's choice: one may be called "normal".
  const bool other = path.empty() || is_crowd(path.back()) || (path.size() == 1 && path[0] == "segments");
  if (!other && UncertainValue::is_one(value)) {
    auto read = UncertainValue::read(value);
    if (!read) {
      errors.push_back(read.error());
      wrong.push_back(value.position);
    } else {
      keys.push_back({fmt::format("{}", fmt::join(path, ".")), path, value.position, *read});
      value = read->at(0.5);
    }
    return;
  }
  for (Value::Entry& entry : *map) {
    path.push_back(entry.key);
    take(entry.value, path, keys, wrong, errors);
    path.pop_back();
  }
}

/// What was recorded for the number at `path`, or nullptr. Selections hold what they selected as their only
/// member; a value that stands for a whole group is its first number.
const ParameterRecord* record_at(const std::vector<ParameterRecord>& records,
                                 std::span<const std::string> path) {
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.name == path.front(); });
  if (found == records.end()) return nullptr;
  if (path.size() > 1) return record_at(found->members, path.subspan(1));
  if (found->type != "group") return &*found;
  return found->members.empty() ? nullptr : &found->members.front();
}

struct Range {
  double least = -kUnbounded;
  double most = kUnbounded;
  std::string text = {};
};

/// The range as the reader of the key recorded it: "0 .. 1", ">= 0", "<= 1".
Range range_of(const ParameterRecord& record) {
  if (record.type == kElasticityType)
    return {0, kLargestElasticity, fmt::format("0 .. {}", kLargestElasticity)};
  Range range{-kUnbounded, kUnbounded, record.range};
  const auto number = [](const std::string& text, double otherwise) {
    return parse_number(text).value_or(otherwise);
  };
  if (const auto at = record.range.find(" .. "); at != std::string::npos) {
    range.least = number(record.range.substr(0, at), range.least);
    range.most = number(record.range.substr(at + 4), range.most);
  } else if (record.range.rfind(">= ", 0) == 0) {
    range.least = number(record.range.substr(3), range.least);
  } else if (record.range.rfind("<= ", 0) == 0) {
    range.most = number(record.range.substr(3), range.most);
  }
  return range;
}

Value* find_value(Value& root, const std::vector<std::string>& path) {
  return const_cast<Value*>(find_path(root, path));
}

}  // namespace

std::vector<UncertainKey> take_distributions(Value& root, std::vector<Position>& wrong, Errors& errors) {
  std::vector<UncertainKey> keys;
  std::vector<std::string> path;
  take(root, path, keys, wrong, errors);
  if (keys.size() > kMostUncertainValues) {
    errors.push_back(
        {fmt::format("there are {} distributions, {} at most", keys.size(), kMostUncertainValues),
         keys[kMostUncertainValues].position,
         {}});
  }
  return keys;
}

void fit_to_ranges(Value& root, std::vector<UncertainKey>& keys, const std::vector<ParameterRecord>& records,
                   Errors& errors) {
  for (UncertainKey& key : keys) {
    const ParameterRecord* record = record_at(records, key.path);
    if (!record || !key.value.is_number()) continue;
    const Range range = range_of(*record);
    const UncertainValue::Kind kind = key.value.kind();
    const bool bounded = kind == UncertainValue::Kind::kUniform || kind == UncertainValue::Kind::kTriangular;
    const double least = key.value.least(), most = key.value.most();
    if (bounded && (least < range.least || most > range.most)) {
      errors.push_back({fmt::format("'{}' must be in {}, its distribution reaches {}", key.path.back(),
                                    range.text, number_text(least < range.least ? least : most)),
                        key.position,
                        {}});
      continue;
    }
    key.cut_off = key.value.truncate(range.least, range.most);
    if (!(key.cut_off <= 0.5)) {
      errors.push_back({fmt::format("{:.0f} % of the distribution of '{}' is outside of {}",
                                    100 * key.cut_off, key.path.back(), range.text),
                        key.position, "less than half of it would be left"});
      continue;
    }
    if (Value* value = find_value(root, key.path)) *value = key.value.at(0.5);
  }
}

Value market_at(const Value& root, const std::vector<UncertainKey>& keys, std::span<const double> uniforms) {
  Value drawn = root;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (Value* value = find_value(drawn, keys[i].path)) *value = keys[i].value.at(uniforms[i]);
  }
  return drawn;
}

}  // namespace dspark
