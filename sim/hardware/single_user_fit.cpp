#include "sim/hardware/single_user_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

std::string speed_name(int k) { return k == 0 ? "none" : fmt::format("k{}", k); }

/// Ratio ρ <= 1 with first·(ρ + ρ² + … + ρ^n) = sum, by bisection; nothing where there is none.
std::optional<double> ratio_for_sum(double first, int n, double sum) {
  if (sum <= 0 || sum > first * n) return std::nullopt;
  const auto sum_at = [&](double ratio) {
    double total = 0, term = first;
    for (int i = 0; i < n; ++i) total += term *= ratio;
    return total;
  };
  double low = 0, high = 1;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (sum_at(middle) < sum ? low : high) = middle;
  }
  return high;
}

double round_seconds(const StepCost& cost, double overhead, int k) {
  return cost.draft_seconds(k > 0 ? 1 : 0, k) + cost.verify_seconds(1, 1 + k) + overhead;
}

}  // namespace

Result<std::vector<SingleUserSpeed>> read_single_user_speeds(const CsvTable& table,
                                                             const std::vector<std::string>& fitted) {
  const auto policy = table.column("policy");
  if (!policy) return policy.error();
  const auto concurrency = table.numbers("concurrency", 1);
  if (!concurrency) return concurrency.error();
  const auto speed = table.numbers("user_tokens_per_s", 1e-6);
  if (!speed) return speed.error();
  std::vector<SingleUserSpeed> speeds;
  std::vector<std::string> names;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string name(table.field(row, *policy));
    const auto k = name == "none" ? std::optional<std::int64_t>(0)
                                  : parse_integer(name.starts_with('k') ? name.substr(1) : "");
    if (!k || *k < 0 || *k > 64) return table.error(row, *policy, fmt::format("'{}' is not none, k1, k2, …", name));
    if ((*concurrency)[row] != 1) return table.error(row, *policy, "a speed at more than one user cannot be fitted here");
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return table.error(row, *policy, fmt::format("'{}' appears twice", name));
    }
    names.push_back(name);
    const bool is_fitted = std::find(fitted.begin(), fitted.end(), name) != fitted.end();
    speeds.push_back({static_cast<int>(*k), (*speed)[row], is_fitted});
  }
  for (const std::string& name : fitted) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Error{fmt::format("no speed '{}' in {}", name, table.path()), {}, known_names_advice(name, names)};
    }
  }
  std::sort(speeds.begin(), speeds.end(), [](const auto& a, const auto& b) { return a.k < b.k; });
  return speeds;
}

Result<SingleUserFit> fit_single_user(const std::vector<SingleUserSpeed>& speeds, const StepCost& cost,
                                      int block_size) {
  if (speeds.empty() || speeds[0].k != 0 || !speeds[0].fitted) {
    return Error{"the overhead needs the fitted speed of 'none'", {}, "add none to fitted"};
  }
  SingleUserFit fit;
  fit.overhead_seconds = 1 / speeds[0].tokens_per_second - cost.verify_seconds(1, 1);
  if (fit.overhead_seconds < 0) return Error{"one token without speculation takes less than its measured step cost"};
  fit.lines.push_back({"step overhead", "solved", "s", kNotMeasured, fit.overhead_seconds});

  double survival = 1, tokens = 1, ratio = 1;
  for (const SingleUserSpeed& speed : speeds) {
    if (speed.k == 0 || !speed.fitted) continue;
    const int n = speed.k - static_cast<int>(fit.survival.size());
    const double accepted_length = speed.tokens_per_second * round_seconds(cost, fit.overhead_seconds, speed.k);
    const auto solved = ratio_for_sum(survival, n, accepted_length - tokens);
    if (!solved) {
      return Error{fmt::format("no survival that falls with position gives the speed of {} (accepted length {:.3f} "
                               "after {:.3f})", speed_name(speed.k), accepted_length, tokens),
                   {}, "leave it out of fitted to predict it instead"};
    }
    ratio = *solved;
    for (int i = 0; i < n; ++i) {
      fit.survival.push_back(survival *= ratio);
      fit.lines.push_back({fmt::format("survival.{}", fit.survival.size()), n == 1 ? "solved" : "interpolated", "1",
                           kNotMeasured, survival});
    }
    tokens = accepted_length;
  }
  if (fit.survival.empty()) return Error{"survival needs the fitted speed of at least one k"};
  if (static_cast<int>(fit.survival.size()) > block_size) {
    return Error{fmt::format("fitted k{} is larger than block_size {}", fit.survival.size(), block_size)};
  }
  while (static_cast<int>(fit.survival.size()) < block_size) {
    fit.survival.push_back(survival *= ratio);
    fit.lines.push_back({fmt::format("survival.{}", fit.survival.size()), "extrapolated", "1", kNotMeasured, survival});
  }
  for (const SingleUserSpeed& speed : speeds) {
    if (speed.k > block_size) continue;
    double expected = 1;
    for (int k = 0; k < speed.k; ++k) expected += fit.survival[static_cast<std::size_t>(k)];
    fit.lines.push_back({"user speed of " + speed_name(speed.k), speed.fitted ? "fitted" : "predicted", "tokens/s",
                         speed.tokens_per_second, expected / round_seconds(cost, fit.overhead_seconds, speed.k)});
  }
  return fit;
}

}  // namespace dspark
