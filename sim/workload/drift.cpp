#include "sim/workload/drift.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/nearest_name.h"

namespace dspark {

DomainWeights read_domain_weights(Parameters& parameters, std::string_view name, std::string_view meaning) {
  const Value* weights = parameters.raw(name, "map of weights", meaning);
  if (weights == nullptr) return {};
  if (weights->map() == nullptr || weights->map()->empty()) {
    parameters.add_error("'domains' must be a map of weights", weights->position,
                         "for example {math: 1, chat: 2}");
    return {};
  }
  DomainWeights found;
  double total = 0;
  for (const Value::Entry& entry : *weights->map()) {
    const auto weight = entry.value.scalar() ? parse_number(*entry.value.scalar()) : std::nullopt;
    if (!weight || *weight < 0 || *weight > 1e6) {
      parameters.add_error(fmt::format("the weight of domain '{}' must be a number of at least 0", entry.key),
                           entry.value.position);
      return {};
    }
    found.names.push_back(entry.key);
    found.weights.push_back(*weight);
    total += *weight;
  }
  if (total <= 0) {
    parameters.add_error("the weights of the domains add up to 0", weights->position);
    return {};
  }
  for (double& weight : found.weights) weight /= total;
  return found;
}

WorkloadDrift::WorkloadDrift(Parameters& workload, const std::vector<std::string>& domains,
                             std::vector<double> weights, double temperature, bool own_lengths)
    : from_(std::move(weights)), to_(from_), temperature_from_(temperature), temperature_to_(temperature) {
  given_ = workload.given("drift");
  if (!given_ && !workload.is_describing()) return;
  Parameters drift = workload.group(
      "drift", "traffic that changes in mid-run, linearly between two moments of virtual time");
  start_seconds_ = drift.number(
      "start_s", {.min = 0, .max = 1e9, .unit = "s", .meaning = "arrivals before are as the workload says"});
  end_seconds_ = drift.number(
      "end_s", {.min = 0, .max = 1e9, .unit = "s", .meaning = "arrivals after are as the drift says"});
  if (end_seconds_ < start_seconds_) {
    drift.add_error("'end_s' is before 'start_s'", drift.position_of("end_s"));
  }
  const DomainWeights to = read_domain_weights(drift, "domains", "the mix that it ends with");
  if (!to.names.empty()) {
    to_.assign(domains.size(), 0);
    for (std::size_t i = 0; i < to.names.size(); ++i) {
      const auto known = std::find(domains.begin(), domains.end(), to.names[i]);
      if (known == domains.end()) {
        drift.add_error(fmt::format("the workload has no domain '{}'", to.names[i]),
                        drift.position_of("domains"), known_names_advice(to.names[i], domains));
        continue;
      }
      to_[static_cast<std::size_t>(known - domains.begin())] = to.weights[i];
    }
  }
  temperature_to_ = drift.number("temperature", {.min = 0,
                                                 .max = 10,
                                                 .default_value = temperature,
                                                 .meaning = "the sampling temperature that it ends with"});
  if (own_lengths) {
    prompt_factor_to_ = drift.number(
        "prompt_factor", {.min = 0.001,
                          .max = 1000,
                          .default_value = 1,
                          .meaning = "what the lengths of prompts are multiplied with at its end"});
  }
}

double WorkloadDrift::progress(VirtualTime arrival) const {
  if (!given_) return 0;
  const double now = to_seconds(arrival);
  if (now < start_seconds_) return 0;
  if (now >= end_seconds_) return 1;
  return (now - start_seconds_) / (end_seconds_ - start_seconds_);
}

std::int32_t WorkloadDrift::domain(VirtualTime arrival, double u) const {
  const double moved = progress(arrival);
  double upper = 0;
  for (std::size_t i = 0; i + 1 < from_.size(); ++i) {
    upper += from_[i] + moved * (to_[i] - from_[i]);
    if (u < upper) return static_cast<std::int32_t>(i);
  }
  return static_cast<std::int32_t>(from_.size()) - 1;
}

double WorkloadDrift::temperature(VirtualTime arrival) const {
  return temperature_from_ + progress(arrival) * (temperature_to_ - temperature_from_);
}

double WorkloadDrift::prompt_factor(VirtualTime arrival) const {
  return 1 + progress(arrival) * (prompt_factor_to_ - 1);
}

}  // namespace dspark
