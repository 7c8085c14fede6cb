#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/table/csv.h"
#include "tests/fuzz/expect.h"

/// Any bytes are a table or an error; every column of a table is finite numbers in the range asked for, one a
/// row, or an error; fields written again are the same table.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dspark::expect;
  const std::string content(reinterpret_cast<const char*>(data), size);
  const auto table = dspark::CsvTable::parse({"fuzz.csv", content, {}});
  if (!table) {
    expect(!dspark::to_string(table.error()).empty(), "an error says something");
    return 0;
  }
  std::string again;
  for (const std::string& column : table->columns()) {
    again += (again.empty() ? "" : ",") + column;
    const auto numbers = table->numbers(column, 0, 1e9);
    if (!numbers) {
      dspark::to_string(numbers.error());
      continue;
    }
    expect(numbers->size() == table->rows(), "a number for each row");
    for (const double value : *numbers)
      expect(std::isfinite(value) && value >= 0 && value <= 1e9, "numbers in range");
  }
  if (again.starts_with('#') || again.starts_with("\xef\xbb\xbf"))
    return 0;  // would be read as something else
  const std::size_t width = table->columns().size();
  for (std::size_t row = 0; row < table->rows(); ++row) {
    again += '\n';
    std::string line;
    for (std::size_t c = 0; c < width; ++c) line += (c == 0 ? "" : ",") + std::string(table->field(row, c));
    if (line.empty() || line.starts_with('#')) return 0;  // would be skipped
    again += line;
  }
  const auto same = dspark::CsvTable::parse({"again.csv", again, {}});
  expect(same && same->rows() == table->rows() && same->columns() == table->columns(),
         "the same table again");
  return 0;
}
