#include "executor/profile/repeated_measurement.h"

#include <algorithm>
#include <cmath>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr int kBaselineRepeats = 5;
constexpr double kDeviationOfNormal = 1.4826;  // standard deviation / median absolute deviation

double median(std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

RepeatedSeconds summarise(std::vector<double> samples) {
  DSPARK_INVARIANT(!samples.empty());
  RepeatedSeconds result{.median = median(samples), .repeats = static_cast<int>(samples.size())};
  result.minimum = samples.front();
  for (double& sample : samples) sample = std::abs(sample - result.median);
  result.noise = kDeviationOfNormal * median(samples) / result.median;
  return result;
}

GridMeasurement measure_grid(std::span<const ProfilePoint> points, int repeats,
                             const std::function<double(const ProfilePoint&)>& measure,
                             const std::function<void(int done, int of)>& progress) {
  DSPARK_INVARIANT(!points.empty() && repeats >= 1);
  const int all = static_cast<int>(points.size()) * (repeats + 1) + 2 * kBaselineRepeats;
  int done = 0;
  const auto once = [&](const ProfilePoint& point) {
    const double seconds = measure(point);
    if (progress) progress(++done, all);
    return seconds;
  };
  const auto baseline = [&] {
    std::vector<double> samples;
    for (int i = 0; i < kBaselineRepeats; ++i) samples.push_back(once(points.front()));
    return summarise(std::move(samples)).median;
  };
  for (const ProfilePoint& point : points) once(point);
  const double first = baseline();
  std::vector<std::vector<double>> samples(points.size());
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < points.size(); ++i) samples[i].push_back(once(points[i]));
  }
  GridMeasurement result{.points = {}, .drift = baseline() / first - 1};
  for (auto& of_point : samples) result.points.push_back(summarise(std::move(of_point)));
  return result;
}

}  // namespace dspark
