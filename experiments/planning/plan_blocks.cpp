#include "experiments/planning/plan_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/schema/value_text.h"

namespace dspark {
namespace {

Value map_of(std::string key, Value value) {
  Value map;
  map.position = value.position;
  map.content = Value::Map{{std::move(key), map.position, std::move(value)}};
  return map;
}
Value scalar(std::string text) {
  Value value;
  value.content = std::move(text);
  return value;
}

/// `map` without (or with nothing but) these keys.
Value part_of(const Value& map, const std::set<std::string>& keys, bool with) {
  Value part = map;
  if (part.map()) {
    std::erase_if(std::get<Value::Map>(part.content),
                  [&](const Value::Entry& entry) { return keys.contains(entry.key) != with; });
  }
  return part;
}

constexpr const char* kLimits =
    "limits are ttft_p95_ms, tpot_p95_ms, end_to_end_p95_ms, user_speed_p5, with any percentage between 0 "
    "and 100, and "
    "user_speed";
const std::set<std::string> kMachineKeys = {"use", "modelled"};  // of experiments; the others are ours

ReplicaHardware read_hardware(Parameters& machine, PlanObjective objective) {
  ReplicaHardware hardware;
  hardware.gpus = static_cast<int>(
      machine.integer("gpus", {.min = 1, .max = 1 << 20, .default_value = 1, .meaning = "of one replica"}));
  NumberSpec dollars = {.min = 0, .max = 1e6, .default_value = 0, .unit = "$/h", .meaning = "of a GPU"};
  if (objective == PlanObjective::kDollars) dollars.default_value.reset(), dollars.min = 1e-6;
  hardware.dollars_per_gpu_hour = machine.number("dollars_per_gpu_hour", dollars);
  NumberSpec idle = {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of an idle GPU"};
  NumberSpec active = {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of a busy GPU"};
  if (objective == PlanObjective::kEnergy) {
    idle.default_value.reset(), active.default_value.reset();
    active.min = 1e-6;
  }
  hardware.idle_watts = machine.number("idle_watts", idle);
  hardware.active_watts = machine.number("active_watts", active);
  if (hardware.active_watts < hardware.idle_watts && !machine.is_describing()) {
    machine.add_error("'active_watts' must be at least 'idle_watts'",
                      machine.given("active_watts") ? machine.position_of("active_watts")
                                                    : machine.position_of("idle_watts"));
  }
  return hardware;
}

/// "ttft_p95_ms", "user_speed", "user_speed_p5"; nothing where it is none.
std::optional<ServiceLimit> parse_limit(const std::string& key) {
  const std::pair<const char*, ServiceLimit::Quantity> kinds[] = {
      {"ttft_p", ServiceLimit::Quantity::kTtft},
      {"tpot_p", ServiceLimit::Quantity::kTpot},
      {"end_to_end_p", ServiceLimit::Quantity::kEndToEnd},
      {"user_speed_p", ServiceLimit::Quantity::kUserSpeed}};
  ServiceLimit limit;
  limit.name = key;
  if (key == "user_speed") {
    limit.quantity = ServiceLimit::Quantity::kUserSpeed;
    return limit;
  }
  for (const auto& [prefix, quantity] : kinds) {
    if (!key.starts_with(prefix)) continue;
    std::string number = key.substr(std::string(prefix).size());
    limit.quantity = quantity;
    const bool is_speed = quantity == ServiceLimit::Quantity::kUserSpeed;
    if (!is_speed) {
      if (!number.ends_with("_ms")) return std::nullopt;
      number.resize(number.size() - 3);
    }
    const auto percent = parse_number(number);
    if (!percent || *percent <= 0 || *percent >= 100) return std::nullopt;
    limit.required = is_speed ? 1 - *percent / 100 : *percent / 100;
    return limit;
  }
  return std::nullopt;
}

/// The items of a list, or the one value that stands in its place.
std::vector<Value> items(const Value* value) {
  if (!value || value->empty()) return {};
  return value->list() ? *value->list() : std::vector<Value>{*value};
}

std::vector<int> read_batch_sizes(Parameters& candidates) {
  std::vector<int> sizes;
  for (const double size :
       candidates.numbers("max_num_seqs", {.min = 1,
                                          .max = 1 << 16,
                                          .max_count = 1000,
                                          .default_value = std::vector<double>{256},
                                          .unit = "requests",
                                          .meaning = "requests that a replica runs at once, each tried"})) {
    if (size != std::floor(size)) {
      candidates.add_error("'max_num_seqs' must hold whole numbers", candidates.position_of("max_num_seqs"));
      return {1};
    }
    if (std::find(sizes.begin(), sizes.end(), static_cast<int>(size)) != sizes.end()) {
      candidates.add_error(fmt::format("'max_num_seqs' has {} twice", static_cast<int>(size)),
                           candidates.position_of("max_num_seqs"));
    }
    sizes.push_back(static_cast<int>(size));
  }
  return sizes;
}

std::vector<Value> read_policies(Parameters& candidates) {
  const Value* written =
      candidates.raw("policies", "list of policies", "each tried, as experiments write them", false);
  if (candidates.is_describing()) return {};
  std::vector<Value> policies = items(written);
  if (policies.empty())
    candidates.add_error("'policies' names no policy to try", candidates.position_of("policies"),
                         "policies: [none, fixed:1, dspark]");
  std::set<std::string> names;
  for (const Value& policy : policies) {
    if (!names.insert(label(policy)).second)
      candidates.add_error(fmt::format("policy '{}' is listed twice", label(policy)), policy.position);
  }
  return policies;
}

struct NamedMachine {
  std::string name;
  ReplicaHardware hardware;
  Value block;  // without the hardware's keys
};

std::vector<NamedMachine> read_machines(Parameters& top, const PlanFile& file) {
  std::vector<NamedMachine> machines;
  if (top.is_describing()) {
    Parameters one =
        top.group("machines", "kinds of machine, each under a name of its own", true)
            .group("NAME", "one replica: its GPUs, and the block 'machine' of an experiment", true);
    read_hardware(one, file.request.objective);
    one.raw("modelled", "map", "the modelled machine, as in experiments", false);
    return machines;
  }
  const Value* written = top.raw("machines", "map of machines", "", false);
  if (!written) {
    top.add_error("missing parameter 'machines' (map: kinds of machine, each under a name of its own)",
                  top.position());
    return machines;
  }
  if (!written->map() || written->map()->empty()) {
    top.add_error("'machines' must be a map of names to machines, not " + describe(*written),
                  written->position, "machines: {b300: {gpus: 4, modelled: {...}}}");
    return machines;
  }
  for (const Value::Entry& entry : *written->map()) {
    if (!entry.value.map()) {
      top.add_error(fmt::format("'{}' must be a map, not {}", entry.key, describe(entry.value)),
                    entry.value.position);
      continue;
    }
    Parameters own(part_of(entry.value, kMachineKeys, false));
    NamedMachine machine{entry.key, read_hardware(own, file.request.objective),
                         part_of(entry.value, kMachineKeys, true)};
    own.finish();
    for (const Error& error : own.errors()) top.add_error(error);
    machines.push_back(std::move(machine));
  }
  return machines;
}

}  // namespace

Value poisson_arrivals(double rate) { return map_of("poisson", map_of("rate", scalar(number_text(rate)))); }
Value saturating_arrivals(int users) {
  return map_of("closed_loop", map_of("users", scalar(std::to_string(users))));
}

void read_promise(Parameters& top, PlanFile& file) {
  Parameters slo = top.group("slo", "what users are promised", true);
  file.request.spare_replicas = static_cast<int>(
      slo.integer("spare_replicas", {.min = 0,
                                     .max = 1'000'000,
                                     .default_value = 0,
                                     .unit = "replicas",
                                     .meaning = "that may fail at the peak with the promise kept (N + k)"}));
  if (slo.is_describing()) {
    slo.raw("ttft_p95_ms", "number, ms", "95 % of requests have their first token within; any percentage");
    slo.raw("tpot_p95_ms", "number, ms", "likewise, time per output token after the first");
    slo.raw("end_to_end_p95_ms", "number, ms", "likewise, until the last token");
    slo.raw("user_speed", "number, tokens/s", "the least mean speed of users");
    slo.raw("user_speed_p5", "number, tokens/s", "at most 5 % of users are slower; any percentage");
    return;
  }
  const auto read = [&](ServiceLimit limit) {
    const bool is_speed = limit.quantity == ServiceLimit::Quantity::kUserSpeed;
    const double value = slo.number(
        limit.name, {.min = 1e-6, .max = 1e9, .unit = is_speed ? "tokens/s" : "ms", .meaning = "limit"});
    limit.limit = is_speed ? value : value * 1e-3;
    file.limits.push_back(std::move(limit));
  };
  const Value* written = top.raw("slo", "group", "");
  if (!written || !written->map()) return;
  for (const Value::Entry& entry : *written->map()) {
    if (auto limit = parse_limit(entry.key)) {
      read(*std::move(limit));
    } else if (entry.key != "spare_replicas") {
      slo.raw(entry.key, "", "");
      slo.add_error(fmt::format("'{}' is no limit", entry.key), entry.key_position, kLimits);
    }
  }
  if (file.limits.empty())
    top.add_error("'slo' promises nothing: without a limit any load will do", written->position, kLimits);
}

void read_candidates(Parameters& top, PlanFile& file) {
  const std::vector<NamedMachine> machines = read_machines(top, file);
  Parameters candidates =
      top.group("candidates", "what is tried: every combination with every machine", true);
  const std::vector<Value> policies = read_policies(candidates);
  const std::vector<int> sizes = read_batch_sizes(candidates);
  const Value* engine =
      top.raw("engine", "map", "the serving engine, as in experiments, without max_num_seqs");
  const Value* traffic = top.raw("traffic", "group", "");
  const Value* confidence = top.raw("confidence", "name", "calibration of confidences, as in experiments");
  if (engine && engine->find("max_num_seqs"))
    top.add_error("'max_num_seqs' is tried, not given", engine->find("max_num_seqs")->position,
                  "candidates: {max_num_seqs: [64, 256]}");
  file.baseline =
      top.text("baseline", {.default_value = "", .meaning = "policy of today, as 'policies' has it"});
  const auto known = std::any_of(policies.begin(), policies.end(),
                                 [&](const Value& policy) { return label(policy) == file.baseline; });
  if (!file.baseline.empty() && !known && !policies.empty())
    top.add_error(fmt::format("the baseline '{}' is none of the policies", file.baseline),
                  top.position_of("baseline"));
  for (const NamedMachine& machine : machines) {
    for (const Value& policy : policies) {
      for (const int size : sizes) {
        NamedCandidate candidate{label(policy), machine.name, size, machine.hardware, {}};
        Value::Map point = {{"machine", machine.block.position, machine.block}};
        Value block = engine && engine->map() ? part_of(*engine, {"max_num_seqs"}, false) : Value{};
        if (!block.map()) block = engine ? *engine : Value{Value::Map{}, {}};
        if (block.map())
          std::get<Value::Map>(block.content)
              .push_back({"max_num_seqs", block.position, scalar(std::to_string(size))});
        point.push_back({"engine", block.position, block});
        if (traffic)
          point.push_back(
              {"workload", traffic->position, part_of(*traffic, {"requests_per_second", "trace"}, false)});
        point.push_back({"policy", policy.position, policy});
        if (confidence) point.push_back({"confidence", confidence->position, *confidence});
        candidate.scenario.position = top.position();
        candidate.scenario.content = std::move(point);
        file.candidates.push_back(std::move(candidate));
      }
    }
  }
}

Value candidate_point(const NamedCandidate& candidate, const Value& arrivals, std::int64_t warmup_requests,
                      std::int64_t requests) {
  Value point = candidate.scenario;
  auto& map = std::get<Value::Map>(point.content);
  for (Value::Entry& entry : map) {
    if (entry.key != "workload" || !entry.value.map()) continue;
    Value placed = arrivals;
    placed.position = entry.value.position;
    std::get<Value::Map>(entry.value.content).push_back({"arrivals", entry.value.position, placed});
  }
  Value stop;
  stop.content = Value::Map{{"requests", {}, scalar(std::to_string(requests))},
                            {"warmup_requests", {}, scalar(std::to_string(warmup_requests))}};
  map.push_back({"stop", {}, std::move(stop)});
  return point;
}

}  // namespace dspark
