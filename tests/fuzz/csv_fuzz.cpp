#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/table/csv.h"

/// Any bytes are a table or an error, and every column of a table is numbers or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  const auto table = dspark::CsvTable::parse({"fuzz.csv", content, {}});
  if (!table) return 0;
  for (const std::string& column : table->columns()) {
    const auto numbers = table->numbers(column, 0, 1e9);
    if (!numbers) dspark::to_string(numbers.error());
  }
  return 0;
}
