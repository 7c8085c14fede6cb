#include "sim/planning/service_limit.h"

#include <algorithm>
#include <cmath>

#include "sim/virtual_time.h"

namespace dspark {
namespace {

/// Its value of the limit's quantity; negative where the request has none.
double value_of(ServiceLimit::Quantity quantity, const FinishedRequest& request) {
  const double to_first = to_seconds(request.first_token - request.spec.arrival);
  const double replying = to_seconds(request.last_token - request.first_token);
  switch (quantity) {
    case ServiceLimit::Quantity::kTtft:
      return to_first;
    case ServiceLimit::Quantity::kEndToEnd:
      return to_first + replying;
    case ServiceLimit::Quantity::kTpot:
      return request.output_tokens > 1 && replying > 0 ? replying / (request.output_tokens - 1) : -1;
    case ServiceLimit::Quantity::kUserSpeed:
      return request.output_tokens > 1 && replying > 0 ? (request.output_tokens - 1) / replying : -1;
  }
  return -1;
}

LimitReading mean_reading(const ServiceLimit& limit, const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  return {mean / limit.limit - 1, mean, 0};
}

/// The value that the required share of requests is within.
double quantile(const ServiceLimit& limit, std::vector<double> values) {
  const bool at_least = limit.quantity == ServiceLimit::Quantity::kUserSpeed;
  std::sort(values.begin(), values.end());
  if (at_least) std::reverse(values.begin(), values.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(limit.required * static_cast<double>(values.size()) - 1e-9));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

}  // namespace

LimitWatcher::LimitWatcher(std::span<const ServiceLimit> limits, std::int64_t warmup_requests,
                           std::int64_t requests)
    : limits_(limits), warmup_(warmup_requests), requests_(requests), values_(limits.size()) {}

void LimitWatcher::rejected(const RequestSpec&) {
  if (finished_ >= warmup_) ++rejected_;
}

void LimitWatcher::finished(const FinishedRequest& request) {
  const std::int64_t before = finished_++;
  if (before < warmup_ || before >= warmup_ + requests_) return;
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const double value = value_of(limits_[i].quantity, request);
    if (value >= 0) values_[i].push_back(value);
  }
}

std::vector<LimitReading> LimitWatcher::readings() const {
  std::vector<LimitReading> readings;
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const ServiceLimit& limit = limits_[i];
    const std::vector<double>& values = values_[i];
    if (values.empty()) {
      readings.push_back({rejected_ > 0 ? -1.0 : 1.0, 0, 0});
      continue;
    }
    if (limit.of_mean()) {
      readings.push_back(mean_reading(limit, values));
      continue;
    }
    std::int64_t within = 0;
    for (const double value : values) {
      const bool at_least = limit.quantity == ServiceLimit::Quantity::kUserSpeed;
      within += at_least ? value >= limit.limit : value <= limit.limit;
    }
    const auto all = static_cast<double>(values.size()) + static_cast<double>(rejected_);
    readings.push_back({static_cast<double>(within) / all - limit.required, quantile(limit, values),
                        std::sqrt(limit.required * (1 - limit.required) / all)});
  }
  return readings;
}

}  // namespace dspark
