#include <fmt/format.h>

#include <algorithm>

#include "experiments/planning/plan_blocks.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

/// The block of `trace`, as `arrivals` of an experiment, and its rate as recorded.
void read_trace(Parameters& own, PlanFile& file) {
  const Value* written = own.raw("trace", "group",
                                 "recorded arrivals and lengths (azure_trace: file), sped up "
                                 "to the peak and thinned at random for each replica");
  if (!written || own.is_describing()) return;
  Parameters trace = own.group("trace", "recorded traffic");
  for (const char* key : {"time_scale", "keep"}) {
    if (trace.given(key))
      trace.add_error(fmt::format("'{}' follows from requests_per_second here", key), trace.position_of(key));
  }
  for (const ArrivalEntry& entry : arrival_processes()) {
    if (entry.name != "azure_trace") continue;
    const auto errors = trace.errors().size();
    const auto arrivals = entry.construct(trace);
    if (trace.errors().size() == errors) file.trace_rate = arrivals->recorded_rate();
  }
  file.trace = *written;
  if (trace.errors().empty() && file.trace_rate <= 0)
    own.add_error("the trace has no rate: its rows arrive at one instant", written->position);
}

void read_rates(Parameters& own, PlanFile& file) {
  constexpr double kMost = 1e6;
  constexpr std::string_view kMeaning =
      "forecast: the rate of the day's peak, or a list of rates through the day (24: by the hour)";
  const Value* written = own.raw("requests_per_second", "number or list of numbers", kMeaning, false);
  if (own.is_describing()) return;
  if (written && written->list()) {
    file.rates = own.numbers("requests_per_second",
                             {.min = 0, .max = kMost, .unit = "requests/s", .meaning = kMeaning});
  } else {
    file.rates = {own.number("requests_per_second",
                             {.min = 1e-6, .max = kMost, .unit = "requests/s", .meaning = kMeaning})};
  }
  file.request.peak = *std::max_element(file.rates.begin(), file.rates.end());
  if (file.request.peak <= 0 && own.errors().empty())
    own.add_error("nobody asks for anything: all rates are 0", own.position_of("requests_per_second"));
}

/// "20%", "20 %" or 0.2.
std::optional<double> parse_share(std::string text) {
  double unit = 1;
  if (text.ends_with('%')) {
    unit = 0.01;
    text.pop_back();
    while (text.ends_with(' ')) text.pop_back();
  }
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  return *number * unit;
}

void read_demand(Parameters& top, PlanFile& file) {
  Parameters demand = top.group("demand", "how requests answer to what a request costs");
  DemandAnswer answer;
  SegmentContext context{.segment = "traffic", .assumptions = &answer.assumptions};
  constexpr std::string_view kMeaning = "price elasticity of requests: a number or a preset";
  if (demand.raw("elasticity", "number >= 0 or a preset", kMeaning) || demand.is_describing())
    context.elasticity = read_elasticity(demand, "elasticity", kMeaning, std::nullopt);
  std::vector<std::string> names;
  for (const DemandFormEntry& entry : demand_forms()) names.push_back(entry.name);
  Selection form = demand.one_of("volume", names, "form of demand, as 'dspark list markets' has them",
                                 "constant_elasticity");
  for (const DemandFormEntry& entry : demand_forms()) {
    if (entry.name == form.name) answer.form = entry.construct(form.parameters, context);
  }
  answer.pass_through = demand.number(
      "pass_through",
      {.min = 0, .max = 1, .default_value = 1, .meaning = "d ln price / d ln cost of a request"});
  file.demand = std::move(answer);
}

}  // namespace

void read_traffic(Parameters& top, PlanFile& file, const FileLoader& loader) {
  if (top.is_describing()) {
    Parameters traffic =
        top.group("traffic", "what is asked for; lengths as in experiments (workload)", true);
    read_rates(traffic, file);
    read_trace(traffic, file);
    return;
  }
  const Value* written = top.raw("traffic", "group", "what is asked for", false);
  if (!written || !written->map()) {
    top.add_error(written ? "'traffic' must be a map, not " + describe(*written)
                          : "missing parameter 'traffic' (group: what is asked for)",
                  written ? written->position : top.position(),
                  "traffic: {requests_per_second: 400, prompt_tokens: ..., output_tokens: ...}");
    return;
  }
  if (const Value* arrivals = written->find("arrivals"))
    top.add_error("'arrivals' follow from requests_per_second here: Poisson, or a 'trace'",
                  arrivals->position);
  if (const Value* slo = written->find("slo"))
    top.add_error("the promise of a plan stands under 'slo' at the top", slo->position);
  Value own = *written;
  std::erase_if(std::get<Value::Map>(own.content), [](const Value::Entry& entry) {
    return entry.key != "requests_per_second" && entry.key != "trace";
  });
  Parameters parameters(own, loader);
  read_rates(parameters, file);
  read_trace(parameters, file);
  parameters.finish();
  for (const Error& error : parameters.errors()) top.add_error(error);
}

void read_expectations(Parameters& top, PlanFile& file) {
  const Value* error = top.raw("forecast_error", "share or percentage",
                               "by how much the peak may be off, for the sensitivity: 20 % or 0.2");
  if (error && !top.is_describing()) {
    const auto share = error->scalar() ? parse_share(*error->scalar()) : std::nullopt;
    if (!share || *share < 0 || *share >= 1) {
      top.add_error("'forecast_error' must be a share in 0 .. 1 or a percentage, not " + describe(*error),
                    error->position, "forecast_error: 20 %");
    } else {
      file.forecast_error = *share;
    }
  }
  if (!top.given("demand") && !top.is_describing()) return;
  read_demand(top, file);
  if (file.baseline.empty() && !top.is_describing())
    top.add_error("'demand' answers to what is saved against a 'baseline', which is not given",
                  top.position_of("demand"));
}

Value thinned_trace(const PlanFile& file, double peak, double load) {
  const auto scalar = [](double number) {
    Value value;
    value.content = number_text(number);
    return value;
  };
  Value trace = *file.trace;
  if (!trace.map()) return trace;
  auto& map = std::get<Value::Map>(trace.content);
  const double all = std::max(peak, load);
  map.push_back({"time_scale", trace.position, scalar(std::clamp(file.trace_rate / all, 1e-3, 1e3))});
  map.push_back({"keep", trace.position, scalar(std::clamp(load / all, 1e-4, 1.0))});
  Value named;
  named.position = trace.position;
  named.content = Value::Map{{"azure_trace", trace.position, std::move(trace)}};
  return named;
}

}  // namespace dspark
