#include "experiments/cli/show_data.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "policies/parameters.h"

namespace dspark {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

/// Empty where there is no number.
std::string csv_number(double value) { return std::isnan(value) ? std::string() : number_text(value); }

using Json = nlohmann::ordered_json;

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// A table as a list of objects.
Json rows_json(const Table& table) {
  Json rows = Json::array();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Json object = Json::object();
    for (const Column& column : table.columns) {
      if (const auto* numbers = std::get_if<Numbers>(&column.values))
        object[column.name] = json_number((*numbers)[row]);
      if (const auto* integers = std::get_if<Integers>(&column.values))
        object[column.name] = (*integers)[row];
      if (const auto* texts = std::get_if<Texts>(&column.values)) object[column.name] = (*texts)[row];
    }
    rows.push_back(std::move(object));
  }
  return rows;
}

}  // namespace

ShowData::ShowData(const ResultFile& file) : file_(file) {
  for (const Column& column : file.table("points").columns) {
    if (column.name == "point" || column.name == "policy_lossless") continue;
    axes_.push_back(column.name);
    axis_texts_.push_back(column.as_texts());
  }
  std::unordered_map<std::string, std::size_t> index;
  for (const std::string& name : metrics()) index.emplace(name, index.size());
  cells_.resize(metrics().size() * points());
  const Table& table = file.table("metrics");
  const Texts& names = table.texts("metric");
  for (std::size_t row = 0; row < names.size(); ++row) {
    const auto metric = index.find(names[row]);
    const auto point = static_cast<std::size_t>(table.integers("point")[row]);
    if (metric == index.end() || point >= points()) continue;
    cells_[metric->second * points() + point] = Cell{table.numbers("mean")[row], table.numbers("low")[row],
                                                     table.numbers("high")[row], table.integers("n")[row]};
  }
}

const Cell* ShowData::cell(std::size_t metric, std::size_t point) const {
  const auto& cell = cells_[metric * points() + point];
  return cell ? &*cell : nullptr;
}

int ShowData::metric_index(const std::string& name) const {
  for (std::size_t i = 0; i < metrics().size(); ++i) {
    if (metrics()[i] == name) return static_cast<int>(i);
  }
  return -1;
}

std::string csv_text(const ShowData& data, const std::vector<std::size_t>& metrics) {
  std::string text;
  for (const std::string& axis : data.axes()) text += csv_field(axis) + ",";
  text += "metric,unit,mean,low,high,n\n";
  for (std::size_t point = 0; point < data.points(); ++point) {
    for (const std::size_t metric : metrics) {
      const Cell* cell = data.cell(metric, point);
      if (!cell) continue;
      for (std::size_t axis = 0; axis < data.axes().size(); ++axis)
        text += csv_field(data.axis_text(axis, point)) + ",";
      text +=
          fmt::format("{},{},{},{},{},{}\n", csv_field(data.metrics()[metric]), csv_field(data.unit(metric)),
                      csv_number(cell->mean), csv_number(cell->low), csv_number(cell->high), cell->n);
    }
  }
  return text;
}

std::string csv_text(const Table& table) {
  std::string text;
  const auto end = [&](std::size_t column) { text += column + 1 < table.columns.size() ? ',' : '\n'; };
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    text += csv_field(table.columns[c].name);
    end(c);
  }
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const auto& values = table.columns[c].values;
      if (const auto* numbers = std::get_if<Numbers>(&values)) text += csv_number((*numbers)[row]);
      if (const auto* integers = std::get_if<Integers>(&values)) text += std::to_string((*integers)[row]);
      if (const auto* texts = std::get_if<Texts>(&values)) text += csv_field((*texts)[row]);
      end(c);
    }
  }
  return text;
}

std::string json_text(const Table& table) {
  return rows_json(table).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_text(const ShowData& data, const std::vector<std::size_t>& metrics) {
  Json root = Json::object();
  for (const auto& [name, value] : data.file().attributes) {
    std::visit([&, &key = name](const auto& v) { root[key] = v; }, value);
  }
  root["figures"] = Json::parse(data.file().text("figures"), nullptr, false);
  root["points"] = rows_json(data.file().table("points"));
  for (std::size_t point = 0; point < data.points(); ++point) {
    Json values = Json::object();
    for (const std::size_t metric : metrics) {
      const Cell* cell = data.cell(metric, point);
      if (!cell) continue;
      values[data.metrics()[metric]] = {{"unit", data.unit(metric)},
                                        {"mean", json_number(cell->mean)},
                                        {"low", json_number(cell->low)},
                                        {"high", json_number(cell->high)},
                                        {"n", cell->n}};
    }
    root["points"][point]["metrics"] = std::move(values);
  }
  for (const char* table : {"paired", "crossovers", "fits", "digests"})
    root[table] = rows_json(data.file().table(table));
  if (const Table& recordings = data.file().table("recordings"); recordings.rows() > 0)
    root["recordings"] = rows_json(recordings);
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
