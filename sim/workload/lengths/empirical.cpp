#include <cmath>

#include "sim/random/variates.h"
#include "sim/table/csv.h"
#include "sim/workload/request_shapes.h"

namespace dspark {

/// Lengths drawn with replacement from a column of whole numbers.
///
///     output_tokens: {empirical: {file: lengths.csv, column: output_tokens}}
class EmpiricalLengths final : public LengthDistribution {
 public:
  explicit EmpiricalLengths(Parameters& parameters) {
    InputFile file = parameters.file("file", "CSV file with a column of lengths");
    const std::string column = parameters.text("column", {.meaning = "name of that column"});
    if (file.content.empty()) return;  // the error is already there, or this is only a listing
    const auto table = CsvTable::parse(std::move(file));
    const auto lengths = table ? table->numbers(column, 1, 1 << 23) : table.error();
    if (!lengths) {
      parameters.add_error(lengths.error());
      return;
    }
    for (std::size_t row = 0; row < lengths->size(); ++row) {
      const double length = (*lengths)[row];
      if (length != std::floor(length)) {
        parameters.add_error(table->error(row, *table->column(column), "a length must be a whole number"));
        return;
      }
      lengths_.push_back(static_cast<std::int32_t>(length));
    }
  }

  std::int32_t sample(RandomKey key, Stream stream, std::uint32_t source,
                      std::uint32_t ordinal) const override {
    const double u = uniform_variate({key, stream, source, ordinal});
    return lengths_[static_cast<std::size_t>(u * static_cast<double>(lengths_.size()))];
  }

 private:
  std::vector<std::int32_t> lengths_;
};

template std::unique_ptr<const LengthDistribution> construct_lengths<EmpiricalLengths>(Parameters&);

}  // namespace dspark
