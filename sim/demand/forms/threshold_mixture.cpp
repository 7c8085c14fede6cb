#include "sim/demand/threshold_mixture.h"

#include <cmath>

#include "sim/table/csv.h"

namespace dspark {
namespace {

constexpr std::string_view kApplications =
    "a CSV of dollars_per_million_tokens, seconds and weight: thresholds in the place of the two laws";

}  // namespace

Result<std::vector<ApplicationRow>> read_application_rows(InputFile file) {
  const auto table = CsvTable::parse(std::move(file));
  if (!table) return table.error();
  constexpr double kLeast = 1e-12, kMost = 1e15;
  const auto worth = table->numbers("dollars_per_million_tokens", kLeast, kMost);
  if (!worth) return worth.error();
  const auto seconds = table->numbers("seconds", kLeast, kMost);
  if (!seconds) return seconds.error();
  const auto weight = table->numbers("weight", kLeast, kMost);
  if (!weight) return weight.error();
  std::vector<ApplicationRow> rows;
  for (std::size_t i = 0; i < worth->size(); ++i) rows.push_back({(*worth)[i], (*seconds)[i], (*weight)[i]});
  return rows;
}

ThresholdMixture::ThresholdMixture(Parameters& parameters, const SegmentContext& context) {
  if (parameters.given("applications")) {
    parameters.exclude("willingness_to_pay", "applications");
    parameters.exclude("tolerable_latency", "applications");
    const std::size_t errors = parameters.errors().size();
    InputFile file = parameters.file("applications", kApplications);
    if (parameters.errors().size() > errors) return;
    auto rows = read_application_rows(std::move(file));
    if (!rows) {
      parameters.add_error(rows.error());
    } else {
      rows_ = std::move(*rows);
      context.note("kinds of applications in a table", static_cast<double>(rows_.size()));
    }
    return;
  }
  willingness_to_pay_ =
      read_threshold_distribution(parameters, "willingness_to_pay", "$/Mtoken",
                                  "what a million tokens are worth to an application", context);
  if (parameters.given("tolerable_latency") || parameters.is_describing()) {
    tolerable_latency_ = read_threshold_distribution(
        parameters, "tolerable_latency", "s", "how long an application can wait for its reply", context);
  }
  if (parameters.is_describing()) parameters.raw("applications", "file", kApplications);
}

double ThresholdMixture::share(const Conditions& conditions) const {
  if (!willingness_to_pay_) {
    double all = 0, exist = 0;
    for (const ApplicationRow& row : rows_) {
      all += row.weight;
      if (row.willingness_to_pay >= conditions.dollars_per_million_tokens &&
          row.tolerable_latency >= conditions.latency_seconds)
        exist += row.weight;
    }
    return all > 0 ? exist / all : 0;
  }
  return willingness_to_pay_->at_least(conditions.dollars_per_million_tokens) *
         (tolerable_latency_ ? tolerable_latency_->at_least(conditions.latency_seconds) : 1);
}

double ThresholdMixture::relative_volume(const Conditions& now, const Conditions& base) const {
  const double before = share(base);
  return before > 0 ? share(now) / before : share(now) > 0 ? HUGE_VAL : 1;
}

template std::unique_ptr<const DemandForm> construct_demand_form<ThresholdMixture>(Parameters&,
                                                                                   const SegmentContext&);

}  // namespace dspark
