#include "sim/table/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/nearest_name.h"

namespace dspark {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return text.substr(0, 0);
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = line.find(',', begin);
    fields.push_back(trim(line.substr(begin, comma - begin)));
    if (comma == std::string_view::npos) return fields;
    begin = comma + 1;
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; }

}  // namespace

Result<CsvTable> CsvTable::parse(InputFile file) {
  CsvTable table;
  table.source_ = std::make_shared<const std::string>(std::move(file.path));
  table.content_ = std::make_shared<const std::string>(std::move(file.content));
  const auto error = [&table](int line, std::size_t column, std::string message, std::string advice = {}) {
    return Error{std::move(message), {table.source_, line, static_cast<int>(column) + 1}, std::move(advice)};
  };
  std::string_view rest = *table.content_;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line).empty() || line.starts_with('#')) continue;
    if (const auto bad = std::find_if(line.begin(), line.end(), is_control); bad != line.end()) {
      return error(number, static_cast<std::size_t>(bad - line.begin()),
                   "a control character: this is not a text table");
    }
    if (const auto quote = line.find('"'); quote != std::string_view::npos) {
      return error(number, quote, "quoted fields are not supported");
    }
    const auto fields = split(line);
    if (table.columns_.empty()) {
      table.columns_.assign(fields.begin(), fields.end());
      for (std::size_t c = 0; c < fields.size(); ++c) {
        const auto at = static_cast<std::size_t>(fields[c].data() - line.data());
        if (fields[c].empty()) return error(number, at, "a column without a name");
        if (std::find(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(c), fields[c]) !=
            fields.begin() + static_cast<std::ptrdiff_t>(c)) {
          return error(number, at, fmt::format("column '{}' appears twice", fields[c]));
        }
      }
      continue;
    }
    if (fields.size() != table.columns_.size()) {
      return error(number, 0,
                   fmt::format("{} fields where the header has {}", fields.size(), table.columns_.size()));
    }
    table.fields_.insert(table.fields_.end(), fields.begin(), fields.end());
    table.line_.push_back(number);
    table.line_begin_.push_back(line.data());
  }
  if (table.columns_.empty()) return error(0, 0, "an empty table", "expected a header line and rows");
  if (table.rows() == 0) return error(0, 0, "a table without rows");
  return table;
}

Result<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
  return Error{fmt::format("no column '{}'", name), {source_, 0, 0}, known_names_advice(name, columns_)};
}

Result<std::vector<double>> CsvTable::numbers(std::string_view name, double min, double max) const {
  const auto index = column(name);
  if (!index) return index.error();
  std::vector<double> values;
  values.reserve(rows());
  for (std::size_t row = 0; row < rows(); ++row) {
    const auto value = parse_number(field(row, *index));
    if (!value) return error(row, *index, fmt::format("'{}' is not a number", field(row, *index)));
    if (*value < min || *value > max) {
      return error(row, *index, fmt::format("{} = {} is out of range", name, field(row, *index)),
                   max == kUnbounded ? fmt::format("at least {}", number_text(min))
                                     : fmt::format("{} .. {}", number_text(min), number_text(max)));
    }
    values.push_back(*value);
  }
  return values;
}

Position CsvTable::position(std::size_t row, std::size_t column) const {
  return {source_, line_[row], static_cast<int>(field(row, column).data() - line_begin_[row]) + 1};
}

Error CsvTable::error(std::size_t row, std::size_t column, std::string message, std::string advice) const {
  return {std::move(message), position(row, column), std::move(advice)};
}

}  // namespace dspark
