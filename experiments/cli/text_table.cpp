#include "experiments/cli/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dspark {
namespace {

/// Characters of UTF-8 text, for alignment.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string aligned(const std::vector<Row>& rows, std::size_t fixed, std::size_t width) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string text;
  for (std::size_t begin = fixed; begin < widths.size() || begin == fixed;) {
    std::vector<std::size_t> columns;
    std::size_t used = 0;
    const auto take = [&](std::size_t c) {
      columns.push_back(c);
      used += widths[c] + 2;
    };
    for (std::size_t c = 0; c < fixed; ++c) take(c);
    std::size_t end = begin;
    while (end < widths.size() && (end == begin || used + widths[end] + 2 <= width)) take(end++);
    for (const Row& row : rows) {
      std::string line;
      for (const std::size_t c : columns) {
        const std::string pad(widths[c] - width_of(row[c]) + 2, ' ');
        line += c < fixed ? row[c] + pad : pad + row[c];
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += "  " + line + "\n";
    }
    if (end >= widths.size()) break;
    text += "\n";
    begin = end;
  }
  return text;
}

int decimals_of(double value) {
  const double size = std::fabs(value);
  return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
}

std::string number(double value) {
  if (std::isnan(value)) return "-";
  const double size = std::fabs(value);
  if (size == 0) return "0";
  if (size >= 1e7 || size < 1e-3) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, decimals_of(value));
}

}  // namespace dspark
