#include "policies/parameters.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;  // as in IntegerSpec: stands for "any"

/// "0 .. 64", ">= 0", "<= 64" or empty where neither end is bounded.
std::string range_text(double least, double largest) {
  const bool to = largest < kUnbounded;
  if (least == -kUnbounded) return to ? "<= " + number_text(largest) : std::string();
  return to ? number_text(least) + " .. " + number_text(largest) : ">= " + number_text(least);
}
std::string range_text(const IntegerSpec& spec) {
  return range_text(spec.min > -kLargestInteger ? static_cast<double>(spec.min) : -kUnbounded,
                    spec.max < kLargestInteger ? static_cast<double>(spec.max) : kUnbounded);
}

/// "an integer in 0 .. 64", "an integer >= 0", "an integer".
std::string in_range(std::string_view what, const std::string& range) {
  if (range.empty()) return std::string(what);
  return fmt::format("{} {}{}", what, range.find("..") != std::string::npos ? "in " : "", range);
}

/// What an absent number reads as: the least, or where there is none the allowed one nearest to 0.
double least_value(double least, double largest) {
  return least > -kUnbounded ? least : std::min(0.0, largest);
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& options) {
  return nearest_name(name, options).empty() ? std::string() : known_names_advice(name, options);
}

template <class T>
std::optional<T> within(std::optional<T> value, T least, T largest) {
  return value && *value >= least && *value <= largest ? value : std::nullopt;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

struct Parameters::State {
  Value map;
  Value shorthand;
  Position position;
  FileLoader loader;
  bool silent = false;  // describing, or below something that is wrong already
  std::shared_ptr<Errors> errors = std::make_shared<Errors>();

  std::vector<std::string> read;            // keys that somebody asked for
  bool shorthand_open = true;               // the first parameter has not been read yet
  std::optional<std::string> shorthand_by;  // who took it
  std::vector<ParameterRecord> records;
  std::vector<std::pair<std::size_t, std::string>> nested;  // record index, child key
  std::deque<std::pair<std::string, std::shared_ptr<State>>> children;

  void gather_records() {
    for (const auto& [index, key] : nested) {
      const auto below =
          std::find_if(children.begin(), children.end(), [&key = key](auto& c) { return c.first == key; });
      if (below == children.end()) continue;
      below->second->gather_records();
      ParameterRecord& parent = records[index];
      (parent.type == "group" ? parent : parent.members.front()).members = below->second->records;
    }
  }
};

Parameters::Parameters(Value map, FileLoader loader, Value shorthand) : state_(std::make_shared<State>()) {
  state_->position = map.position;
  state_->loader = std::move(loader);
  state_->shorthand = std::move(shorthand);
  if (!map.empty() && !map.map()) {
    add_error(fmt::format("a map of parameters is expected here, not {}", describe(map)), map.position);
    state_->silent = true;
    return;
  }
  state_->map = std::move(map);
}

Parameters Parameters::describing() {
  Parameters parameters{Value{}};
  parameters.state_->silent = true;
  return parameters;
}

const Value* Parameters::look_up(std::string_view name) {
  State& state = *state_;
  if (!contains(state.read, name)) state.read.emplace_back(name);
  const Value* value = state.silent ? nullptr : state.map.find(name);
  const bool takes_shorthand = std::exchange(state.shorthand_open, false) || state.shorthand_by == name;
  if (!takes_shorthand || state.shorthand.empty() || state.silent) return value;
  state.shorthand_by = name;
  if (!value) return &state.shorthand;
  add_error(fmt::format("'{}' is given twice: by name and as the value of the short form", name),
            value->position);
  return value;
}

void Parameters::wrong(std::string_view name, const Value& value, std::string_view wanted,
                       std::string advice) {
  const std::string* text = value.scalar();
  add_error(fmt::format("'{}' must be {}, not {}", name, wanted, text ? "'" + *text + "'" : describe(value)),
            value.position, std::move(advice));
}

ParameterRecord& Parameters::record(ParameterRecord entry) {
  for (ParameterRecord& known : state_->records) {
    if (known.name == entry.name) return known;
  }
  return state_->records.emplace_back(std::move(entry));
}

void Parameters::missing(const ParameterRecord& what) {
  add_error(fmt::format("missing parameter '{}' ({}{}: {})", what.name, what.type,
                        what.unit.empty() ? std::string() : ", " + what.unit, what.meaning),
            state_->position);
}

template <class T, class Parse>
T Parameters::read(ParameterRecord entry, const std::string& wanted, const std::optional<T>& default_value,
                   T least, const Parse& parse, const std::vector<std::string>& options) {
  const ParameterRecord& what = record(std::move(entry));
  T fallback = default_value.value_or(std::move(least));
  const Value* value = look_up(what.name);
  if (!value) {
    if (!default_value) missing(what);
    return fallback;
  }
  const std::string* text = value->scalar();
  if (std::optional<T> parsed = text ? parse(*text) : std::nullopt) return *std::move(parsed);
  wrong(what.name, *value, wanted, text ? did_you_mean(*text, options) : std::string());
  return fallback;
}

std::int64_t Parameters::integer(std::string_view name, const IntegerSpec& spec) {
  const std::string range = range_text(spec);
  const std::string default_text = spec.default_value ? std::to_string(*spec.default_value) : "";
  return read(
      {std::string(name), "integer", std::string(spec.unit), range, default_text, std::string(spec.meaning)},
      in_range("an integer", range), spec.default_value, spec.min,
      [&](const std::string& text) { return within(parse_integer(text), spec.min, spec.max); });
}

double Parameters::number(std::string_view name, const NumberSpec& spec) {
  const std::string range = range_text(spec.min, spec.max);
  const std::string default_text = spec.default_value ? number_text(*spec.default_value) : "";
  return read(
      {std::string(name), "number", std::string(spec.unit), range, default_text, std::string(spec.meaning)},
      in_range("a number", range), spec.default_value, least_value(spec.min, spec.max),
      [&](const std::string& text) { return within(parse_number(text), spec.min, spec.max); });
}

std::vector<double> Parameters::numbers(std::string_view name, const NumbersSpec& spec) {
  const std::string range = range_text(spec.min, spec.max);
  const auto& what =
      record({std::string(name), "list of numbers", std::string(spec.unit), range,
              spec.default_value ? fmt::format("[{}]", fmt::join(*spec.default_value, ", ")) : std::string(),
              std::string(spec.meaning)});
  const auto fallback = [&] {
    if (spec.default_value) return *spec.default_value;
    return std::vector<double>(spec.min_count, least_value(spec.min, spec.max));
  };
  const Value* value = look_up(name);
  if (!value) {
    if (!spec.default_value) missing(what);
    return fallback();
  }
  if (!value->list()) {
    wrong(name, *value, "a list of numbers");
    return fallback();
  }
  const Value::List& list = *value->list();
  if (list.size() < spec.min_count || list.size() > spec.max_count) {
    const bool few = list.size() < spec.min_count;
    add_error(fmt::format("'{}' must be a list of at {} {} numbers, not of {}", name, few ? "least" : "most",
                          few ? spec.min_count : spec.max_count, list.size()),
              value->position);
    return fallback();
  }
  std::vector<double> numbers;
  for (const Value& item : list) {
    const auto parsed = item.scalar() ? parse_number(*item.scalar()) : std::nullopt;
    if (within(parsed, spec.min, spec.max)) {
      numbers.push_back(*parsed);
    } else {
      wrong(fmt::format("{}[{}]", name, &item - list.data()), item, in_range("a number", range));
    }
  }
  return numbers.size() == list.size() ? numbers : fallback();
}

std::string Parameters::choice(std::string_view name, const ChoiceSpec& spec) {
  const std::string type = fmt::format("one of {}", fmt::join(spec.options, ", "));
  return read(
      {std::string(name), type, "", "", spec.default_value.value_or(""), std::string(spec.meaning)}, type,
      spec.default_value, spec.options.front(),
      [&](const std::string& text) {
        return contains(spec.options, text) ? std::optional(text) : std::nullopt;
      },
      spec.options);
}

bool Parameters::flag(std::string_view name, const FlagSpec& spec) {
  std::string default_text;
  if (spec.default_value) default_text = *spec.default_value ? "true" : "false";
  return read({std::string(name), "flag", "", "true, false", default_text, std::string(spec.meaning)},
              "true or false", spec.default_value, false, [](const std::string& text) {
                return text == "true" || text == "false" ? std::optional(text == "true") : std::nullopt;
              });
}

std::string Parameters::text(std::string_view name, const TextSpec& spec) {
  std::string default_text = spec.default_value.value_or("");
  if (spec.default_value && default_text.empty()) default_text = "''";
  return read({std::string(name), "text", "", "", default_text, std::string(spec.meaning)}, "text",
              spec.default_value, std::string(), [](const std::string& text) { return std::optional(text); });
}

InputFile Parameters::file(std::string_view name, std::string_view meaning) {
  const std::string path =
      read({std::string(name), "file", "", "", "", std::string(meaning)}, "the path of a file",
           std::optional<std::string>(), std::string(),
           [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); });
  if (path.empty()) return {};
  const Position position = position_of(name);
  if (state_->loader) {
    Result<InputFile> loaded = state_->loader(path, position);
    if (loaded) return *std::move(loaded);
    add_error(loaded.error());
  } else {
    add_error(fmt::format("'{}' names the file '{}', but no files can be read here", name, path), position);
  }
  return {path, "", position};
}

Parameters Parameters::child(const ParameterRecord& parent, const std::string& key, Value map,
                             Value shorthand, bool harmless) {
  state_->nested.emplace_back(&parent - state_->records.data(), key);
  for (const auto& [known, state] : state_->children) {
    if (known == key) return Parameters(state);
  }
  auto state = std::make_shared<State>();
  state->position = map.position.line > 0 || map.position.source ? map.position : state_->position;
  state->map = std::move(map);
  state->shorthand = std::move(shorthand);
  state->loader = state_->loader;
  state->silent = harmless || state_->silent;
  state->errors = state_->errors;
  state_->children.emplace_back(key, state);
  return Parameters(state);
}

Parameters Parameters::group(std::string_view name, std::string_view meaning, bool required) {
  auto& what = record({std::string(name), "group", "", "", "", std::string(meaning), !required, {}});
  const Value* value = look_up(name);
  if (!value && required) missing(what);
  if (!value) return child(what, std::string(name), {}, {}, /*harmless=*/required);
  const bool is_map = value->map() || value->empty();
  if (!is_map) wrong(name, *value, "a map");
  return child(what, std::string(name), is_map ? *value : Value{}, {}, /*harmless=*/!is_map);
}

Selection Parameters::selected(std::string_view name, const ParameterRecord& what, NamedValue found,
                               const Position& position, bool harmless) {
  const std::string key = fmt::format("{}: {}", name, found.name);
  Value map = std::move(found.parameters);
  if (map.position.line == 0) map.position = position;
  return {found.name, child(what, key, std::move(map), std::move(found.shorthand), harmless), position};
}

Selection Parameters::one_of(std::string_view name, const std::vector<std::string>& options,
                             std::string_view meaning, std::string_view default_name) {
  const std::string fallback = default_name.empty() ? options.front() : std::string(default_name);
  const std::string type = fmt::format("one of {}", fmt::join(options, ", "));
  auto& what = record({std::string(name), type, "", "", std::string(default_name), std::string(meaning)});
  const auto choose = [&](NamedValue found, const Position& position, bool harmless) {
    what.members = {{.name = found.name, .type = "group", .optional = true}};
    return selected(name, what, std::move(found), position, harmless);
  };
  const Value* value = look_up(name);
  if (!value) {
    if (default_name.empty()) missing(what);
    return choose({fallback, {}, {}}, state_->position, default_name.empty());
  }
  Result<NamedValue> found = read_named_value(*value);
  if (!found) {
    add_error({fmt::format("'{}': {}", name, found.error().message), found.error().position,
               fmt::format("known: {}", fmt::join(options, ", "))});
    return choose({fallback, {}, {}}, value->position, true);
  }
  if (contains(options, found->name)) return choose(*std::move(found), value->position, false);
  add_error(fmt::format("'{}' must be {}, not '{}'", name, type, found->name), value->position,
            did_you_mean(found->name, options));
  return choose({fallback, {}, {}}, value->position, true);
}

bool Parameters::given(std::string_view name) const {
  return !state_->silent && (state_->map.find(name) || state_->shorthand_by == name);
}

void Parameters::exclude(std::string_view name, std::string_view other) {
  if (!given(name) || !given(other)) return;
  for (const std::string_view key : {name, other}) state_->read.emplace_back(key);
  add_error(fmt::format("'{}' does not apply beside '{}'", name, other), position_of(name),
            "give one of the two");
}

const Value* Parameters::raw(std::string_view name, std::string_view type, std::string_view meaning,
                             bool optional) {
  const auto& what =
      record({std::string(name), std::string(type), "", "", "", std::string(meaning), optional, {}});
  const Value* value = look_up(name);
  if (!value && !optional) missing(what);
  return value;
}

bool Parameters::is_describing() const { return state_->silent; }
Position Parameters::position() const { return state_->position; }
Position Parameters::position_of(std::string_view name) const {
  if (const Value* value = state_->map.find(name)) return value->position;
  return state_->shorthand_by == name ? state_->shorthand.position : state_->position;
}

void Parameters::add_error(std::string message, Position position, std::string advice) {
  add_error(Error{std::move(message), std::move(position), std::move(advice)});
}

void Parameters::add_error(Error error) {
  if (state_->silent) return;
  if (!error.position.source && error.position.line == 0) error.position = state_->position;
  state_->errors->push_back(std::move(error));
}

void Parameters::finish() {
  if (state_->silent) return;
  if (const Value::Map* entries = state_->map.map()) {
    std::vector<std::string> names = state_->read;
    for (const Value::Entry& entry : *entries) {
      if (contains(state_->read, entry.key)) continue;
      add_error(fmt::format("unknown key '{}'", entry.key), entry.key_position,
                known_names_advice(entry.key, names));
      state_->read.push_back(entry.key);  // reported once
    }
  }
  if (!state_->shorthand.empty() && !state_->shorthand_by) {
    const std::string* text = state_->shorthand.scalar();
    add_error(fmt::format("nothing takes a value here, yet '{}' is given",
                          text ? *text : describe(state_->shorthand)),
              state_->shorthand.position);
    state_->shorthand = {};
  }
  for (const auto& [key, below] : state_->children) Parameters(below).finish();
}

const Errors& Parameters::errors() const { return *state_->errors; }

const std::vector<ParameterRecord>& Parameters::records() const {
  state_->gather_records();
  return state_->records;
}

}  // namespace dspark
