#include "sim/demand/threshold_distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/demand/power.h"

namespace dspark {
namespace {

class Pareto final : public ThresholdDistribution {
 public:
  Pareto(Parameters& parameters, std::string_view unit)
      : alpha_(parameters.number("alpha",
                                 {.min = 0, .max = 50, .meaning = "exponent: shares fall as value^-alpha"})),
        lowest_(
            parameters.number("lowest", {.min = 0,
                                         .default_value = 0,
                                         .unit = unit,
                                         .meaning = "value at which everybody is in; 0: no such value"})) {}
  double alpha() const { return alpha_; }
  double at_least(double x) const override {
    return lowest_ > 0 ? power(std::max(1.0, x / lowest_), -alpha_) : power(x, -alpha_);
  }

 private:
  double alpha_;
  double lowest_;
};

class Lognormal final : public ThresholdDistribution {
 public:
  Lognormal(Parameters& parameters, std::string_view unit)
      : median_(parameters.number("median", {.min = 1e-9, .max = 1e12, .unit = unit, .meaning = "median"})),
        sigma_(parameters.number(
            "sigma", {.min = 0.01, .max = 10, .meaning = "standard deviation of the logarithm"})) {}
  double median() const { return median_; }
  double sigma() const { return sigma_; }
  double at_least(double x) const override { return normal_probability(-log_portable(x / median_) / sigma_); }

 private:
  double median_;
  double sigma_;
};

class ThresholdTable final : public ThresholdDistribution {
 public:
  ThresholdTable(Parameters& parameters, std::string_view unit)
      : values_(parameters.numbers("values", {.min = 0, .min_count = 2, .unit = unit, .meaning = "rising"})),
        shares_(parameters.numbers(
            "shares", {.min = 0,
                       .max = 1,
                       .min_count = 2,
                       .meaning = "share whose threshold is at least the value beside it; must not rise"})) {
    if (parameters.is_describing()) return;
    if (values_.size() != shares_.size()) {
      parameters.add_error(
          fmt::format("'values' has {} numbers and 'shares' {}", values_.size(), shares_.size()),
          parameters.position_of("shares"), "one share for each value");
      shares_.resize(values_.size());
    }
    for (std::size_t i = 1; i < values_.size(); ++i) {
      if (values_[i] > values_[i - 1] && shares_[i] <= shares_[i - 1]) continue;
      const bool value = values_[i] <= values_[i - 1];
      parameters.add_error(fmt::format("the table is not monotone at entry {}: {} {} stands behind {}", i + 1,
                                       value ? "value" : "share", value ? values_[i] : shares_[i],
                                       value ? values_[i - 1] : shares_[i - 1]),
                           parameters.position_of(value ? "values" : "shares"),
                           "values rise, and a higher threshold is never met by more");
      break;
    }
  }
  double at_least(double x) const override {
    const auto above = std::upper_bound(values_.begin(), values_.end(), x);
    if (above == values_.begin()) return shares_.front();
    if (above == values_.end()) return shares_.back();
    const auto i = static_cast<std::size_t>(above - values_.begin());
    const double part = (x - values_[i - 1]) / (values_[i] - values_[i - 1]);
    return shares_[i - 1] + part * (shares_[i] - shares_[i - 1]);
  }

 private:
  std::vector<double> values_;
  std::vector<double> shares_;
};

}  // namespace

double normal_probability(double x) {
  if (x < -38) return 0;
  if (x > 0) return 1 - normal_probability(-x);
  const double density = exp_portable(-0.5 * x * x) * 0.3989422804014326779;
  const double z = -x;
  if (z < 3) {  // 1/2 - density * (z + z^3/3 + z^5/(3*5) + ...)
    double term = z, sum = z;
    for (int k = 3; term > 1e-17 * sum; k += 2) sum += (term *= z * z / k);
    return 0.5 - density * sum;
  }
  double fraction = z;  // Laplace's continued fraction of the tail, from its end
  for (int k = 80; k >= 1; --k) fraction = z + k / fraction;
  return density / fraction;
}

std::unique_ptr<const ThresholdDistribution> read_threshold_distribution(Parameters& parameters,
                                                                         std::string_view name,
                                                                         std::string_view unit,
                                                                         std::string_view meaning,
                                                                         const SegmentContext& context) {
  Selection kind = parameters.one_of(name, {"pareto", "lognormal", "table"}, meaning);
  if (kind.name == "table") return std::make_unique<const ThresholdTable>(kind.parameters, unit);
  if (kind.name == "lognormal") {
    auto lognormal = std::make_unique<const Lognormal>(kind.parameters, unit);
    context.note(fmt::format("{}, median in {}", name, unit), lognormal->median());
    context.note(fmt::format("{}, sigma", name), lognormal->sigma());
    return lognormal;
  }
  auto pareto = std::make_unique<const Pareto>(kind.parameters, unit);
  context.note(fmt::format("{}, exponent of the Pareto law", name), pareto->alpha());
  return pareto;
}

}  // namespace dspark
