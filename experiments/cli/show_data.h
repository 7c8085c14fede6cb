#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/results/policy_comparison.h"
#include "experiments/results/result_file.h"

namespace dspark {

/// One cell of a result: a metric at a point.
struct Cell {
  double mean = 0;
  double low = 0;
  double high = 0;
  std::int64_t n = 0;
};

/// What the three forms of `dspark show` share: the result with its texts looked up.
class ShowData {
 public:
  explicit ShowData(const ResultFile& file);

  const ResultFile& file() const { return file_; }
  /// Columns of /points that identify a point: `policy`, then the axes.
  const std::vector<std::string>& axes() const { return axes_; }
  std::size_t points() const { return file_.table("points").rows(); }
  /// The value of an axis at a point, as text; numbers in shortest form.
  const std::string& axis_text(std::size_t axis, std::size_t point) const { return axis_texts_[axis][point]; }
  const Texts& metrics() const { return file_.table("metric_catalogue").texts("metric"); }
  const std::string& unit(std::size_t metric) const {
    return file_.table("metric_catalogue").texts("unit")[metric];
  }
  /// nullptr where the metric was not measured at the point.
  const Cell* cell(std::size_t metric, std::size_t point) const;
  /// Index into metrics(), or -1.
  int metric_index(const std::string& name) const;

 private:
  const ResultFile& file_;
  std::vector<std::string> axes_;
  std::vector<Texts> axis_texts_;
  std::vector<std::optional<Cell>> cells_;
};

std::string csv_text(const ShowData& data, const std::vector<std::size_t>& metrics);
std::string json_text(const ShowData& data, const std::vector<std::size_t>& metrics);
/// Any table: a line, or an object, per row.
std::string csv_text(const Table& table);
std::string json_text(const Table& table);
/// The title, and what identifies the experiment.
std::string heading_text(const ShowData& data);
/// The heading, tables per metric, crossovers, fits; `width` columns at most where that is possible.
std::string terminal_text(const ShowData& data, const std::vector<std::size_t>& metrics, std::size_t width);
/// Policies against a baseline: all differences at a glance, then a table per setting of the other axes.
std::string comparison_text(const PolicyComparison& comparison, std::size_t width);

}  // namespace dspark
