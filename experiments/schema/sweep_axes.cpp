#include "experiments/schema/sweep_axes.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/schema/set_option.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

using Points = std::vector<std::vector<Assignment>>;

class Reader {
 public:
  explicit Reader(Errors& errors) : errors_(errors) {}

  Points grid(const Value& block) {
    Points points{{}};
    for (const auto& [axis, list] : columns("grid", block)) {
      Points column;
      for (const Value& value : *list) column.push_back({{axis, &value}});
      points = product(points, column, block.position);
    }
    return points;
  }

  Points zip(const Value& block) {
    Points points;
    for (const auto& [axis, list] : columns("zip", block)) {
      if (points.empty()) points.resize(list->size());
      if (list->size() != points.size()) {
        fail(fmt::format("zip: '{}' has {} values, the axes before it have {}", axes[axis].text, list->size(),
                         points.size()),
             axes[axis].position, "lists under zip go side by side and need the same length");
        continue;
      }
      for (std::size_t i = 0; i < points.size(); ++i) points[i].push_back({axis, &(*list)[i]});
    }
    return points.empty() ? Points{{}} : points;
  }

  Points list(const Value& block) {
    if (!block.list()) {
      fail("'list' must be a list of maps, not " + describe(block), block.position);
      return {{}};
    }
    Points points;
    for (const Value& item : *block.list()) {
      if (!item.map()) {
        fail("an entry of 'list' is a map from path to value, not " + describe(item), item.position);
        continue;
      }
      std::vector<Assignment> point;
      for (const Value::Entry& entry : *item.map()) {
        const bool known = std::any_of(list_axes_.begin(), list_axes_.end(),
                                       [&](std::size_t axis) { return axes[axis].text == entry.key; });
        if (const auto axis = known ? find_axis(entry.key) : add_axis(entry)) {
          if (!known) list_axes_.push_back(*axis);
          point.push_back({*axis, &entry.value});
        }
      }
      points.push_back(std::move(point));
    }
    return points.empty() ? Points{{}} : points;
  }

  Points product(const Points& slow, const Points& fast, const Position& position) {
    if (slow.size() * fast.size() > kMaxPoints) {
      fail(fmt::format("the sweep has more than {} points", kMaxPoints), position);
      return slow;
    }
    Points points;
    for (const auto& first : slow) {
      for (const auto& second : fast) {
        points.push_back(first);
        points.back().insert(points.back().end(), second.begin(), second.end());
      }
    }
    return points;
  }

  void fail(std::string message, Position position, std::string advice = {}) {
    errors_.push_back({std::move(message), std::move(position), std::move(advice)});
  }

  std::vector<AxisPath> axes;

 private:
  std::optional<std::size_t> find_axis(std::string_view text) const {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (axes[i].text == text) return i;
    }
    return std::nullopt;
  }

  /// An axis that overlaps another would silently win or lose against it.
  std::optional<std::size_t> add_axis(const Value::Entry& entry) {
    auto keys = split_path(entry.key, entry.key_position);
    if (!keys) {
      errors_.push_back(keys.error());
      return std::nullopt;
    }
    static const std::vector<std::string> kFixed{"schema", "title",   "seed",   "replications",
                                                 "sweep",  "figures", "metrics"};
    if (std::find(kFixed.begin(), kFixed.end(), keys->front()) != kFixed.end()) {
      fail(fmt::format("'{}' cannot be an axis: it belongs to the whole experiment", entry.key),
           entry.key_position);
      return std::nullopt;
    }
    for (const AxisPath& other : axes) {
      const std::size_t shared = std::min(other.keys.size(), keys->size());
      if (!std::equal(keys->begin(), keys->begin() + static_cast<std::ptrdiff_t>(shared),
                      other.keys.begin())) {
        continue;
      }
      fail(fmt::format("axis '{}' overlaps axis '{}'", entry.key, other.text), entry.key_position,
           fmt::format("the other stands at line {}", other.position.line));
      return std::nullopt;
    }
    axes.push_back({entry.key, std::move(*keys), entry.key_position});
    return axes.size() - 1;
  }

  /// The axes of a grid or zip block with their lists of values.
  std::vector<std::pair<std::size_t, const Value::List*>> columns(std::string_view name, const Value& block) {
    std::vector<std::pair<std::size_t, const Value::List*>> found;
    if (!block.map()) {
      fail(fmt::format("'{}' must be a map from path to list, not {}", name, describe(block)),
           block.position);
      return found;
    }
    for (const Value::Entry& entry : *block.map()) {
      const Value::List* list = entry.value.list();
      if (!list || list->empty()) {
        fail(fmt::format("axis '{}' needs a list of values, not {}", entry.key,
                         list ? "an empty list" : describe(entry.value)),
             entry.value.position, "for example [1, 2, 4]");
        continue;
      }
      if (name == "grid") refuse_repeated(entry.key, *list);
      if (const auto axis = add_axis(entry)) found.emplace_back(*axis, list);
    }
    return found;
  }

  /// A grid that holds a value twice would simulate the same points twice and count them as two.
  void refuse_repeated(const std::string& axis, const Value::List& list) {
    for (const Value& value : list) {
      const auto same = [&value](const Value& other) {
        return value.scalar() && other.scalar() && *value.scalar() == *other.scalar();
      };
      const Value& first = *std::find_if(list.begin(), list.end() - 1, same);
      if (value.scalar() && &first < &value) {
        fail(fmt::format("axis '{}' holds '{}' twice", axis, *value.scalar()), value.position);
      }
    }
  }

  Errors& errors_;
  std::vector<std::size_t> list_axes_;
};

}  // namespace

SweepAxes read_sweep(const Value* sweep, Errors& errors) {
  Reader reader(errors);
  Points points{{}};
  if (sweep && !sweep->map()) {
    reader.fail("'sweep' must be a map, not " + describe(*sweep), sweep->position,
                "sweep: {grid: {policy: [none, dspark]}}");
  } else if (sweep) {
    static const std::vector<std::string> kBlocks{"grid", "zip", "list"};
    for (const Value::Entry& entry : *sweep->map()) {
      if (std::find(kBlocks.begin(), kBlocks.end(), entry.key) != kBlocks.end()) continue;
      reader.fail(fmt::format("unknown key '{}' in 'sweep'", entry.key), entry.key_position,
                  known_names_advice(entry.key, kBlocks));
    }
    const auto join = [&](const char* name, Points (Reader::*read)(const Value&)) {
      const Value* block = sweep->find(name);
      if (block) points = reader.product(points, (reader.*read)(*block), block->position);
    };
    join("grid", &Reader::grid);
    join("zip", &Reader::zip);
    join("list", &Reader::list);
  }
  return {std::move(reader.axes), std::move(points)};
}

}  // namespace dspark
