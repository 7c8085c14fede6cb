// Values as the user wrote them: the parts of parameters.h that know of no parameter.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "policies/parameters.h"

namespace dspark {
namespace {

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  const Map* entries = map();
  if (!entries) return nullptr;
  const auto entry =
      std::find_if(entries->begin(), entries->end(), [&](const Entry& e) { return e.key == key; });
  return entry == entries->end() ? nullptr : &entry->value;
}

std::string describe(const Value& value) {
  if (const std::string* text = value.scalar()) return fmt::format("text '{}'", *text);
  if (value.list()) return "a list";
  return value.map() ? "a map" : "nothing";
}

Result<NamedValue> read_named_value(const Value& value) {
  constexpr std::string_view kForms = "write name, name:value or {name: {key: value}}";
  const auto refuse = [&](std::string message) {
    return Error{std::move(message), value.position, std::string(kForms)};
  };
  if (const std::string* text = value.scalar()) {
    const std::size_t colon = text->find(':');
    if (colon == 0 || text->empty()) return refuse(fmt::format("a name is missing in '{}'", *text));
    NamedValue named{text->substr(0, colon), {}, {}};
    if (colon == std::string::npos) return named;
    if (colon + 1 == text->size()) return refuse(fmt::format("a value is missing after '{}'", *text));
    Position position = value.position;
    if (position.line > 0) position.column += static_cast<int>(colon) + 1;
    named.shorthand = Value{text->substr(colon + 1), position};
    return named;
  }
  const Value::Map* entries = value.map();
  if (!entries) return refuse(fmt::format("a name is expected here, not {}", describe(value)));
  if (entries->size() != 1) return refuse(fmt::format("one name is expected here, not {}", entries->size()));
  const Value::Entry& entry = entries->front();
  if (entry.value.list())
    return refuse(fmt::format("'{}' takes a map or a single value, not a list", entry.key));
  NamedValue named{entry.key, {}, {}};
  (entry.value.scalar() ? named.shorthand : named.parameters) = entry.value;
  return named;
}

std::optional<std::int64_t> parse_integer(std::string_view text) { return parse_whole<std::int64_t>(text); }

std::optional<double> parse_number(std::string_view text) {
  const std::optional<double> value = parse_whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::string number_text(double value) { return fmt::format("{}", value == 0 ? 0.0 : value); }

}  // namespace dspark
