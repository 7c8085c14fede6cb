#include "policies/cost/cost_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/parameters.h"

namespace dspark {
namespace {

Error refuse(const std::string& name, std::string message, std::string advice) {
  return {fmt::format("cost table '{}': {}", name, std::move(message)), {}, std::move(advice)};
}

std::optional<Error> wrong_points(const std::vector<CostTable::Point>& points, const std::string& name) {
  if (points.size() < 2) {
    return refuse(name, fmt::format("{} measured sizes", points.size()), "at least two are needed");
  }
  double previous = 0;
  for (const CostTable::Point& point : points) {
    const std::string size = number_text(point.size);
    if (!(point.size >= 1 && point.size <= CostTable::kLargestSize) || point.size != std::floor(point.size)) {
      return refuse(
          name, fmt::format("size {} is not a whole number in 1 .. {}", size, CostTable::kLargestSize), {});
    }
    if (point.size <= previous) {
      return refuse(name, fmt::format("size {} comes after size {}", size, number_text(previous)),
                    "sizes must increase from row to row");
    }
    if (!(point.seconds > 0) || !std::isfinite(point.seconds)) {
      return refuse(name, fmt::format("size {} costs {} seconds", size, number_text(point.seconds)),
                    "a cost must be finite and above 0");
    }
    previous = point.size;
  }
  return {};
}

bool is_flat(const std::vector<CostTable::Point>& points) {
  return std::all_of(points.begin(), points.end(),
                     [&](auto& point) { return point.seconds == points[0].seconds; });
}

/// The measured sizes nearest to `size`, below and above.
std::string neighbours(const std::vector<CostTable::Point>& points, double size) {
  const auto above =
      std::find_if(points.begin(), points.end(), [&](auto& point) { return point.size > size; });
  if (above == points.begin()) return fmt::format("the smallest is {}", number_text(above->size));
  const std::string below = number_text(std::prev(above)->size);
  return above == points.end() ? fmt::format("the largest is {}", below)
                               : fmt::format("the nearest are {} and {}", below, number_text(above->size));
}

double on_line(const CostTable::Point& from, const CostTable::Point& to, double size) {
  return from.seconds + (to.seconds - from.seconds) * ((size - from.size) / (to.size - from.size));
}

}  // namespace

Result<CostTable> CostTable::make(std::vector<Point> points, const Options& options,
                                  const std::string& name) {
  if (std::optional<Error> wrong = wrong_points(points, name)) return *std::move(wrong);
  if (options.running_maximum) {
    for (std::size_t i = 1; i < points.size(); ++i) {
      points[i].seconds = std::max(points[i].seconds, points[i - 1].seconds);
    }
  }
  if (is_flat(points)) {
    return refuse(name, "every size costs the same", "such a table would mean: verify everything, always");
  }
  if (points.back().seconds < points.front().seconds) {
    return refuse(name, "the largest size costs less than the smallest",
                  "such a table would mean: verify everything, always");
  }
  const double limit = options.capture_limit == 0 ? points.back().size : options.capture_limit;
  if (std::none_of(points.begin(), points.end(), [&](const Point& point) { return point.size == limit; })) {
    return refuse(name,
                  fmt::format("the capture limit {} is not one of the measured sizes", number_text(limit)),
                  neighbours(points, limit));
  }
  CostTable table;
  table.points_ = std::move(points);
  table.capture_limit_ = limit;
  table.prepare_staircase();
  table.prepare_hull();
  return table;
}

void CostTable::prepare_staircase() {
  const Point& last = points_.back();
  const Point& before = points_[points_.size() - 2];
  slope_beyond_ = std::max(0.0, (last.seconds - before.seconds) / (last.size - before.size));
  staircase_.resize(static_cast<std::size_t>(last.size) + 1);
  std::size_t above = 0;  // the first measured size that holds `size`
  for (std::size_t size = 0; size < staircase_.size(); ++size) {
    const double rows = static_cast<double>(size);
    if (rows > points_[above].size) ++above;
    const bool step = above == 0 || rows <= capture_limit_ || points_[above - 1].size == capture_limit_;
    staircase_[size] = step ? points_[above].seconds : on_line(points_[above - 1], points_[above], rows);
  }
}

void CostTable::prepare_hull() {
  hull_ = staircase_;
  const std::size_t limit = static_cast<std::size_t>(capture_limit_);
  std::vector<Point> corners;  // Andrew's monotone chain, lower half
  for (std::size_t size = 1; size <= limit; ++size) {
    const Point point{static_cast<double>(size), staircase_[size]};
    const auto above_chord = [&] {
      return corners.back().seconds >= on_line(corners[corners.size() - 2], point, corners.back().size);
    };
    while (corners.size() >= 2 && above_chord()) corners.pop_back();
    corners.push_back(point);
  }
  std::size_t right = 1;
  for (std::size_t size = 1; size <= limit; ++size) {
    const double rows = static_cast<double>(size);
    if (right < corners.size() - 1 && rows > corners[right].size) ++right;
    if (corners.size() > 1)
      hull_[size] = std::min(staircase_[size], on_line(corners[right - 1], corners[right], rows));
  }
  hull_[0] = hull_[std::min<std::size_t>(1, limit)];
}

double CostTable::beyond(int size) const {
  return points_.back().seconds + slope_beyond_ * (size - points_.back().size);
}

int CostTable::captured_size(int size) const {
  const auto holds = std::lower_bound(points_.begin(), points_.end(), size,
                                      [](const Point& point, int wanted) { return point.size < wanted; });
  if (holds == points_.end() || holds->size > capture_limit_) return size;
  return static_cast<int>(holds->size);
}

}  // namespace dspark
