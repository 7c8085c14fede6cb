#include "sim/demand/uncertain_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "policies/elementary.h"
#include "sim/demand/threshold_distribution.h"

namespace dspark {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"uniform", "normal", "lognormal", "triangular", "any_of"};
constexpr std::size_t kMostEntries = 1000;
constexpr double kLargestNumber = 1e15;

/// Numbers of a list of the given length, or what is wrong with it.
Result<std::vector<double>> numbers(const Value& value, std::size_t count, std::string_view wanted) {
  const auto wrong = [&](const Value& at) {
    return Error{
        fmt::format("a distribution's bounds must be {}, not {}", wanted, describe(at)), at.position, {}};
  };
  if (!value.list() || value.list()->size() != count) return wrong(value);
  std::vector<double> result;
  for (const Value& entry : *value.list()) {
    const auto number = entry.scalar() ? parse_number(*entry.scalar()) : std::nullopt;
    if (!number || std::abs(*number) > kLargestNumber) return wrong(entry);
    result.push_back(*number);
  }
  for (std::size_t i = 1; i < count; ++i) {
    if (result[i] < result[i - 1])
      return Error{fmt::format("a distribution's bounds must rise, {} stands behind {}",
                               number_text(result[i]), number_text(result[i - 1])),
                   value.list()->at(i).position,
                   {}};
  }
  if (result.front() == result.back())
    return Error{"a distribution's bounds must differ", value.position,
                 "a number that is known stands alone"};
  return result;
}

}  // namespace

bool UncertainValue::is_one(const Value& value) {
  return value.map() && value.map()->size() == 1 &&
         std::find(kNames.begin(), kNames.end(), value.map()->front().key) != kNames.end();
}

Result<UncertainValue> UncertainValue::read(const Value& value) {
  const auto& [name, key_position, inside] = value.map()->front();
  UncertainValue result;
  result.kind_ = static_cast<Kind>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
  result.position_ = value.position;
  if (result.kind_ == Kind::kAnyOf) {
    if (!inside.list() || inside.list()->empty() || inside.list()->size() > kMostEntries)
      return Error{fmt::format("'any_of' must be a list of 1 to {} entries", kMostEntries), inside.position,
                   "any_of: [inelastic, nber]"};
    result.entries_ = *inside.list();
    return result;
  }
  if (result.kind_ == Kind::kUniform || result.kind_ == Kind::kTriangular) {
    const bool uniform = result.kind_ == Kind::kUniform;
    const auto bounds = numbers(inside, uniform ? 2 : 3, uniform ? "[least, most]" : "[least, mode, most]");
    if (!bounds) return bounds.error();
    result.a_ = result.least_ = bounds->front();
    result.b_ = result.most_ = bounds->back();
    result.mode_ = (*bounds)[1];
    return result;
  }
  if (!inside.map())
    return Error{fmt::format("'{}' must be a map, not {}", name, describe(inside)), inside.position,
                 result.kind_ == Kind::kNormal ? "normal: {mean: 1.5, sd: 0.2}"
                                               : "lognormal: {median: 0.5, sigma: 0.4}"};
  Parameters parameters(inside);
  if (result.kind_ == Kind::kNormal) {
    result.a_ = parameters.number("mean", {.min = -kLargestNumber, .max = kLargestNumber, .meaning = "mean"});
    result.b_ = parameters.number(
        "sd", {.min = 1e-12, .max = kLargestNumber, .meaning = "standard deviation, before truncation"});
    result.least_ = -kUnbounded;
  } else {
    result.a_ = parameters.number("median", {.min = 1e-12, .max = kLargestNumber, .meaning = "median"});
    result.b_ = parameters.number(
        "sigma", {.min = 1e-6, .max = 10, .meaning = "standard deviation of the natural logarithm"});
  }
  result.most_ = kUnbounded;
  parameters.finish();
  if (!parameters.errors().empty()) return parameters.errors().front();
  return result;
}

double UncertainValue::share_below(double x) const {
  switch (kind_) {
    case Kind::kUniform:
      return std::clamp((x - a_) / (b_ - a_), 0.0, 1.0);
    case Kind::kTriangular:
      if (x <= a_) return 0;
      if (x >= b_) return 1;
      if (x < mode_) return (x - a_) * (x - a_) / ((b_ - a_) * (mode_ - a_));
      return 1 - (b_ - x) * (b_ - x) / ((b_ - a_) * (b_ - mode_));
    case Kind::kLognormal:
      return x > 0 ? normal_probability(log_portable(x / a_) / b_) : 0;
    default:
      return normal_probability((x - a_) / b_);
  }
}

double UncertainValue::whole_quantile(double u) const {
  switch (kind_) {
    case Kind::kUniform:
      return a_ + (b_ - a_) * u;
    case Kind::kTriangular: {
      const double at_mode = (mode_ - a_) / (b_ - a_);
      return u < at_mode ? a_ + std::sqrt(u * (b_ - a_) * (mode_ - a_))
                         : b_ - std::sqrt((1 - u) * (b_ - a_) * (b_ - mode_));
    }
    case Kind::kLognormal:
      return a_ * exp_portable(b_ * normal_quantile(u));
    default:
      return a_ + b_ * normal_quantile(u);
  }
}

double UncertainValue::truncate(double least, double most) {
  if (!is_number()) return 0;
  const double below = least > least_ ? share_below(least) : 0;
  const double above = most < most_ ? share_below(most) : 1;
  least_ = std::max(least_, least);
  most_ = std::min(most_, most);
  below_ = below;
  inside_ = above - below;
  return 1 - inside_;
}

double UncertainValue::quantile(double u) const {
  // Rounding must not lead out of the open unit interval, nor out of the truncation.
  const double whole = std::clamp(below_ + inside_ * u, 0x1p-60, 1 - 0x1p-53);
  return std::clamp(whole_quantile(whole), least_, most_);
}

Value UncertainValue::at(double u) const {
  Value value;
  if (is_number()) {
    value.content = number_text(quantile(u));
  } else {
    const auto count = static_cast<double>(entries_.size());
    // An even number of entries has two in the middle: u = 1/2 is the first of them.
    const double place = std::ceil(u * count) - 1;
    value = entries_[static_cast<std::size_t>(std::clamp(place, 0.0, count - 1))];
  }
  value.position = is_number() ? position_ : value.position;
  return value;
}

}  // namespace dspark
