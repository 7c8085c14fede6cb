#include "sim/scenario_blocks.h"

#include "policies/batching/batching_policy_registry.h"

namespace dspark {
namespace {

std::unique_ptr<const ArrivalProcess> read_arrivals(Parameters& workload) {
  std::vector<std::string> names;
  for (const ArrivalEntry& entry : arrival_processes()) names.push_back(entry.name);
  Selection selection = workload.one_of("arrivals", names, "when requests arrive");
  for (const ArrivalEntry& entry : arrival_processes()) {
    if (entry.name == selection.name) return entry.construct(selection.parameters);
  }
  return nullptr;
}

}  // namespace

Workload read_workload(Parameters parameters) {
  Workload workload;
  workload.arrivals = read_arrivals(parameters);
  workload.shapes = std::make_unique<RequestShapes>(parameters, !workload.arrivals->brings_lengths());
  if (parameters.given("slo") || parameters.is_describing()) {
    Parameters slo =
        parameters.group("slo", "latency objectives: goodput counts the requests that meet both");
    workload.objective.given = true;
    workload.objective.ttft_seconds =
        1e-3 * slo.number("ttft_ms", {.min = 0, .unit = "ms", .meaning = "first token"});
    workload.objective.tpot_seconds =
        1e-3 *
        slo.number("tpot_ms", {.min = 0, .unit = "ms", .meaning = "time per output token after the first"});
  }
  return workload;
}

EngineBlock read_engine(Parameters parameters) {
  EngineBlock engine;
  engine.options.max_num_seqs =
      static_cast<int>(parameters.integer("max_num_seqs", {.min = 1,
                                                           .max = 1 << 16,
                                                           .default_value = 256,
                                                           .unit = "requests",
                                                           .meaning = "requests that run at once"}));
  engine.options.max_num_batched_tokens = static_cast<int>(parameters.integer(
      "max_num_batched_tokens", {.min = 1,
                                 .max = 1 << 22,
                                 .default_value = 8192,
                                 .unit = "tokens",
                                 .meaning = "rows of one step: anchors, drafts and prompts"}));
  if (engine.options.max_num_batched_tokens < engine.options.max_num_seqs) {
    parameters.add_error("max_num_batched_tokens is below max_num_seqs: running replies would starve",
                         parameters.position_of("max_num_batched_tokens"));
  }
  Selection batching = parameters.one_of("batching", batching_policy_names(),
                                         "who gets the token budget of a step", "decode_first");
  engine.batching = make_batching_policy(batching.name, batching.parameters);
  engine.options.cap_accept = parameters.flag(
      "cap_accept",
      {.default_value = false,
       .meaning = "verify everything drafted but commit only what the policy admitted: a policy's loss "
                  "without its gain"});
  engine.options.prefix_caching = parameters.flag(
      "prefix_caching", {.default_value = true,
                         .meaning = "KV blocks of a prefix that prompts share (workload.shared_prefix) are "
                                    "computed once and kept while "
                                    "there is room; prompts computed elsewhere are computed whole"});
  const std::string prefill = parameters.choice(
      "prefill",
      {.options = {"in_step", "elsewhere"},
       .default_value = "in_step",
       .meaning =
           "where prompts are computed: in the same steps under the token budget, or on other machines"});
  if (prefill == "elsewhere" || parameters.is_describing()) {
    engine.options.prefill = Prefill::kElsewhere;
    Parameters price = parameters.group("prefill_elsewhere",
                                        "price of a prompt with prefill: elsewhere, any number at once");
    engine.elsewhere.fixed_seconds =
        1e-3 *
        price.number("fixed_ms",
                     {.min = 0, .max = 1e6, .default_value = 0, .unit = "ms", .meaning = "for each prompt"});
    engine.elsewhere.seconds_per_token =
        1e-6 * price.number("per_token_us", {.min = 0,
                                             .max = 1e6,
                                             .default_value = 0,
                                             .unit = "µs",
                                             .meaning = "and for each of its tokens"});
  }
  return engine;
}

}  // namespace dspark
