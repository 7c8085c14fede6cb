#include "experiments/results/result_file.h"

#include "policies/parameters.h"

namespace dspark {
namespace {

template <class T>
const T& column_of(const Table& table, std::string_view name) {
  static const T kNone;
  const Column* column = table.find(name);
  const T* values = column ? std::get_if<T>(&column->values) : nullptr;
  return values ? *values : kNone;
}

template <class T>
T attribute_of(const ResultFile& file, std::string_view name) {
  for (const auto& [key, value] : file.attributes) {
    if (key == name && std::holds_alternative<T>(value)) return std::get<T>(value);
  }
  return T{};
}

}  // namespace

std::size_t Column::size() const {
  const std::size_t count = std::visit([](const auto& v) { return v.size(); }, values);
  return positions == 0 ? count : count / positions;
}

Texts Column::as_texts() const {
  if (const auto* texts = std::get_if<Texts>(&values)) return *texts;
  Texts texts;
  if (const auto* numbers = std::get_if<Numbers>(&values)) {
    for (const double value : *numbers) texts.push_back(number_text(value));
  } else {
    for (const std::int64_t value : std::get<Integers>(values)) texts.push_back(std::to_string(value));
  }
  return texts;
}

const Column* Table::find(std::string_view column) const {
  for (const Column& candidate : columns) {
    if (candidate.name == column) return &candidate;
  }
  return nullptr;
}
const Numbers& Table::numbers(std::string_view column) const { return column_of<Numbers>(*this, column); }
const Integers& Table::integers(std::string_view column) const { return column_of<Integers>(*this, column); }
const Texts& Table::texts(std::string_view column) const { return column_of<Texts>(*this, column); }

std::string ResultFile::text(std::string_view attribute) const {
  return attribute_of<std::string>(*this, attribute);
}
std::int64_t ResultFile::integer(std::string_view attribute) const {
  return attribute_of<std::int64_t>(*this, attribute);
}
const Table& ResultFile::table(std::string_view name) const {
  static const Table kNone;
  for (const Table& candidate : tables) {
    if (candidate.name == name) return candidate;
  }
  return kNone;
}

}  // namespace dspark
