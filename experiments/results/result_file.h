#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dspark {

using Numbers = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

struct Column {
  std::string name;
  std::string unit;  // empty for texts
  std::string description;
  std::variant<Numbers, Integers, Texts> values;
  /// A matrix (rows, positions) of numbers, row-major, stored as float32; 0: one value per row.
  std::size_t positions = 0;

  /// Rows.
  std::size_t size() const;
  /// The values as text; numbers in shortest form.
  Texts as_texts() const;
};

struct Table {
  std::string name;
  std::string description;
  bool keyed = false;  // one row per value of the first column
  std::vector<Column> columns;
  bool compressed = false;  // how the columns are stored

  std::size_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  const Column* find(std::string_view column) const;
  /// Empty where there is no such column of this type.
  const Numbers& numbers(std::string_view column) const;
  const Integers& integers(std::string_view column) const;
  const Texts& texts(std::string_view column) const;
};

/// The content of a result file (docs/results.md), with no opinion on how it is stored.
struct ResultFile {
  using Attribute = std::variant<std::string, std::int64_t>;
  std::vector<std::pair<std::string, Attribute>> attributes;
  std::vector<Table> tables;

  /// Empty, or 0, where there is no such attribute.
  std::string text(std::string_view attribute) const;
  std::int64_t integer(std::string_view attribute) const;
  /// An empty table where there is none.
  const Table& table(std::string_view name) const;
};

}  // namespace dspark
