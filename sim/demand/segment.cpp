#include "sim/demand/segment.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/demand/power.h"

namespace dspark {
namespace {

template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return names;
}

template <class Entry>
auto construct(const std::vector<Entry>& entries, Selection selection, const SegmentContext& context) {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& known) { return known.name == selection.name; });
  return entry->construct(selection.parameters, context);
}

double read_intensity(Parameters& parameters, const SegmentContext& context, std::string_view name,
                      std::string_view meaning) {
  Assumption elasticity = read_elasticity(parameters, name, meaning, Assumption{});
  if (elasticity.value > 0) {
    elasticity.what = fmt::format("{}: {}", context.segment, meaning);
    if (elasticity.source.empty() && elasticity.caveat.empty()) elasticity.source = context.source;
    context.assumptions->push_back(elasticity);
  }
  return elasticity.value;
}

void read_sizes(Parameters& parameters, Segment& segment) {
  segment.requests_per_second = parameters.number(
      "requests_per_second", {.min = 1e-9, .max = 1e12, .unit = "requests/s", .meaning = "at the baseline"});
  segment.context_tokens = parameters.number("context_tokens", {.min = 0,
                                                                .max = 1e8,
                                                                .default_value = 0,
                                                                .unit = "tokens",
                                                                .meaning = "of a request at the baseline"});
  segment.output_tokens = parameters.number(
      "output_tokens", {.min = 1, .max = 1e8, .unit = "tokens", .meaning = "of a reply at the baseline"});
}

void read_limits(Parameters& parameters, const SegmentContext& context, Segment& segment) {
  segment.saturation = parameters.number(
      "saturation", {.min = 0,
                     .max = 1e12,
                     .default_value = 0,
                     .meaning = "most requests, as a multiple of the baseline's; 0: no such limit"});
  if (segment.saturation > 0 && segment.saturation < 1) {
    parameters.add_error("'saturation' must be at least 1, or 0 for none: the baseline is below it",
                         parameters.position_of("saturation"));
  }
  if (segment.saturation > 0) context.note("most requests, times the baseline's", segment.saturation);
  segment.budget_dollars_per_hour =
      parameters.number("budget_dollars_per_hour", {.min = 0,
                                                    .max = 1e15,
                                                    .default_value = 0,
                                                    .unit = "$/h",
                                                    .meaning = "most that is spent; 0: no limit"});
  if (segment.budget_dollars_per_hour > 0)
    context.note("budget, $ per hour", segment.budget_dollars_per_hour);
}

}  // namespace

DemandedLoad Segment::demand(const Conditions& now, const Conditions& base, double context_token_weight,
                             const ActiveChannels& channels, double strength) const {
  double factor = 1;
  if (channels.volume) factor *= volume->relative_volume(now, base) * latency->relative_volume(now, base);
  if (channels.new_applications && new_applications) factor *= new_applications->relative_volume(now, base);
  factor = power(factor, strength);
  if (saturation > 0) factor = std::min(factor, saturation);
  double context = context_tokens, output = output_tokens;
  if (channels.intensity) {
    const double relative_price = now.dollars_per_million_tokens / base.dollars_per_million_tokens;
    context *= power(relative_price, -context_elasticity * strength);
    output *= power(relative_price, -output_elasticity * strength);
  }
  DemandedLoad load;
  load.requests_per_second = requests_per_second * factor;
  load.tokens_per_second = load.requests_per_second * (context_token_weight * context + output);
  if (budget_dollars_per_hour > 0 && channels.any()) {
    const double spent = load.tokens_per_second * 3600 * now.dollars_per_million_tokens * 1e-6;
    const double share = spent > budget_dollars_per_hour ? budget_dollars_per_hour / spent : 1;
    load.requests_per_second *= share;
    load.tokens_per_second *= share;
  }
  return load;
}

Segment read_segment(Parameters& parameters, const std::string& name,
                     const std::optional<Assumption>& elasticity, std::vector<Assumption>& assumptions) {
  Segment segment;
  segment.name = name;
  read_sizes(parameters, segment);
  SegmentContext context{name, elasticity, {}, &assumptions};
  context.source = parameters.text(
      "source",
      {.default_value = "", .meaning = "where this segment's numbers are from; without it they are assumed"});
  segment.volume =
      construct(demand_forms(),
                parameters.one_of("volume", names_of(demand_forms()),
                                  "how the number of requests answers to the price", "constant_elasticity"),
                context);
  segment.latency = construct(latency_responses(),
                              parameters.one_of("latency", names_of(latency_responses()),
                                                "how the number of requests answers to waiting", "none"),
                              context);
  segment.context_elasticity = read_intensity(parameters, context, "context_elasticity",
                                              "price elasticity of context tokens per request");
  segment.output_elasticity = read_intensity(parameters, context, "output_elasticity",
                                             "price elasticity of output tokens per request");
  if (parameters.raw("new_applications", "group", "applications that appear where two thresholds are met") ||
      parameters.is_describing()) {
    Parameters thresholds =
        parameters.group("new_applications", "applications that appear where two thresholds are met");
    SegmentContext of_new = context;
    of_new.segment += ", new applications";
    segment.new_applications = std::make_unique<const ThresholdMixture>(thresholds, of_new);
  }
  read_limits(parameters, context, segment);
  return segment;
}

}  // namespace dspark
