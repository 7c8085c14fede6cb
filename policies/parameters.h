#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// A value as the user wrote it: nothing, a scalar (still text), a list or a map, with its position.
/// experiments/ makes these from YAML; nothing here knows of files.
struct Value {
  struct Entry;
  using List = std::vector<Value>;
  using Map = std::vector<Entry>;  // in the order written; keys are unique

  std::variant<std::monostate, std::string, List, Map> content;
  Position position = {};

  bool empty() const { return std::holds_alternative<std::monostate>(content); }
  const std::string* scalar() const { return std::get_if<std::string>(&content); }
  const List* list() const { return std::get_if<List>(&content); }
  const Map* map() const { return std::get_if<Map>(&content); }
  /// The entry's value, or nullptr where this is not a map or has no such key.
  const Value* find(std::string_view key) const;
};
struct Value::Entry {
  std::string key;
  Position key_position = {};
  Value value;
};

/// "nothing", "text 'abc'", "a list", "a map": for messages.
std::string describe(const Value& value);

/// A file named by a parameter: its content comes from whoever owns the files.
struct InputFile {
  std::string path;  // as it should appear in messages
  std::string content;
  Position position = {};  // where it was named
};

/// Loads the file that the user wrote as `path` (relative to the experiment file).
using FileLoader = std::function<Result<InputFile>(const std::string& path, const Position& position)>;

/// What one parameter is; recorded at every read, so that `dspark list` and docs/ are generated from the code
/// that reads the value.
struct ParameterRecord {
  std::string name = {};
  std::string type = {};           // integer, number, text, flag, one of ..., file, list of numbers, group
  std::string unit = {};           // empty: dimensionless
  std::string range = {};          // "1 .. 64"; empty: any
  std::string default_value = {};  // empty: required, unless `optional`
  std::string meaning = {};
  bool optional = false;
  /// Of a group; of a selection: one group named after what was selected (the first option when describing).
  std::vector<ParameterRecord> members = {};
};

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct IntegerSpec {
  std::int64_t min = 0;
  std::int64_t max = std::int64_t{1} << 53;
  std::optional<std::int64_t> default_value = {};
  std::string_view unit = "";
  std::string_view meaning = "";
};
struct NumberSpec {
  double min = -kUnbounded;
  double max = kUnbounded;
  std::optional<double> default_value = {};
  std::string_view unit = "";
  std::string_view meaning = "";
};
struct NumbersSpec {
  double min = -kUnbounded;
  double max = kUnbounded;
  std::size_t min_count = 1;
  std::size_t max_count = 1 << 20;
  std::optional<std::vector<double>> default_value = {};
  std::string_view unit = "";
  std::string_view meaning = "";
};
struct ChoiceSpec {
  std::vector<std::string> options;
  std::optional<std::string> default_value = {};
  std::string_view meaning = "";
};
struct FlagSpec {
  std::optional<bool> default_value = {};
  std::string_view meaning = "";
};
struct TextSpec {
  std::optional<std::string> default_value = {};
  std::string_view meaning = "";
};

struct Selection;
struct NamedValue;

/// Reads the parameters of one thing (a policy, a workload, the engine …) from a map, in one expression each:
///
///     k_(static_cast<int>(parameters.integer("k", {.min = 0, .max = 64, .unit = "tokens",
///                                                  .meaning = "draft tokens verified per request"})))
///
/// A missing or wrong value adds an error with its position and yields the default (or the least value), so
/// that a constructor runs to its end and all errors are reported at once; whoever constructs asks `errors()`
/// afterwards. `finish()` adds an error for every key that nobody read: a parameter that is not used is never
/// ignored. Copies share the same state. Not thread-safe.
class Parameters {
 public:
  /// `shorthand`: the value of the first parameter read, where the user wrote `name:value`; may be empty.
  explicit Parameters(Value map, FileLoader loader = {}, Value shorthand = {});
  /// Answers every read with the default (or the least value) and records it; reports no errors.
  static Parameters describing();

  std::int64_t integer(std::string_view name, const IntegerSpec& spec);
  double number(std::string_view name, const NumberSpec& spec);
  std::vector<double> numbers(std::string_view name, const NumbersSpec& spec);
  std::string choice(std::string_view name, const ChoiceSpec& spec);
  bool flag(std::string_view name, const FlagSpec& spec);
  std::string text(std::string_view name, const TextSpec& spec);
  /// A required file; where it cannot be read, the error is added and the content is empty.
  InputFile file(std::string_view name, std::string_view meaning);

  /// A nested map. Where it is absent and not required, all its defaults are read from an empty one.
  Parameters group(std::string_view name, std::string_view meaning, bool required = false);
  /// One of several named things with parameters of its own: `name`, `name:value`, or `{name: {key: value}}`.
  /// `default_name` empty: required.
  Selection one_of(std::string_view name, const std::vector<std::string>& options, std::string_view meaning,
                   std::string_view default_name = "");

  /// True where the user gave this key; for parameters that exist only with another one.
  bool given(std::string_view name) const;
  /// Adds an error where the user gave both: `name` would not be read beside `other`.
  void exclude(std::string_view name, std::string_view other);
  /// The raw value, marked as read and recorded under `type`; nullptr where absent.
  const Value* raw(std::string_view name, std::string_view type, std::string_view meaning,
                   bool optional = true);

  /// True while the parameters are only listed: whatever is constructed now is thrown away.
  bool is_describing() const;
  /// Where this map (or, for a missing key, its map) was written.
  Position position() const;
  Position position_of(std::string_view name) const;

  void add_error(std::string message, Position position, std::string advice = {});
  void add_error(Error error);
  /// Adds an error for each key that nobody read, here and in all groups read from here.
  void finish();
  const Errors& errors() const;
  const std::vector<ParameterRecord>& records() const;

 private:
  struct State;
  explicit Parameters(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const Value* look_up(std::string_view name);
  template <class T, class Parse>
  T read(ParameterRecord entry, const std::string& wanted, const std::optional<T>& default_value, T least,
         const Parse& parse, const std::vector<std::string>& options = {});
  /// Adds "'name' must be <wanted>, not <what it is>".
  void wrong(std::string_view name, const Value& value, std::string_view wanted, std::string advice = {});
  ParameterRecord& record(ParameterRecord entry);
  void missing(const ParameterRecord& what);
  /// The parameters below `key`, recorded as members of `parent`; the same ones when it is read again.
  /// `harmless`: errors there are of no interest.
  Parameters child(const ParameterRecord& parent, const std::string& key, Value map, Value shorthand,
                   bool harmless);
  Selection selected(std::string_view name, const ParameterRecord& what, NamedValue found,
                     const Position& position, bool harmless);

  std::shared_ptr<State> state_;
};

/// What `one_of` found.
struct Selection {
  std::string name;  // always one of the options
  Parameters parameters;
  Position position = {};
};

/// Reads a selection as the user may write it: `name`, `name:value` or `{name: {key: value}}` (or `{name:
/// value}`).
struct NamedValue {
  std::string name;
  Value parameters;  // a map, or empty
  Value shorthand;   // a scalar, or empty
};
Result<NamedValue> read_named_value(const Value& value);

/// Strict conversions: the whole text, finite, no surprises ("1e3", ".5" and "5." are numbers as in YAML;
/// "+5", "1_000", "0x10", "nan" and "" are not). An integer has digits only: "1e3" is none.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
/// The shortest text that reads back as the same double.
std::string number_text(double value);

}  // namespace dspark
