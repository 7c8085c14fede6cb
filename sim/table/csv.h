#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

/// A comma-separated table with one header line. Lines that start with '#' and empty lines are skipped;
/// fields are trimmed; quotes are not part of the format. Every row has as many fields as the header.
class CsvTable {
 public:
  /// Fails with the position of what is wrong: an empty file, an uneven row, a control character, a repeated
  /// column.
  static Result<CsvTable> parse(InputFile file);

  std::size_t rows() const { return line_.size(); }
  const std::vector<std::string>& columns() const { return columns_; }
  /// Index of a column, or an error that names the nearest one.
  Result<std::size_t> column(std::string_view name) const;
  std::string_view field(std::size_t row, std::size_t column) const {
    return fields_[row * columns_.size() + column];
  }
  /// A whole column as finite numbers in min..max.
  Result<std::vector<double>> numbers(std::string_view name, double min = -kUnbounded,
                                      double max = kUnbounded) const;
  Position position(std::size_t row, std::size_t column) const;
  Error error(std::size_t row, std::size_t column, std::string message, std::string advice = {}) const;
  const std::string& path() const { return *source_; }

 private:
  std::shared_ptr<const std::string> content_;  // fields_ point into it
  std::shared_ptr<const std::string> source_;
  std::vector<std::string> columns_;
  std::vector<std::string_view> fields_;
  std::vector<int> line_;                // of each row, from 1
  std::vector<const char*> line_begin_;  // of each row
};

}  // namespace dspark
