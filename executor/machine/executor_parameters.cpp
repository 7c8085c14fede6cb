#include "executor/machine/executor_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "policies/nearest_name.h"
#include "sim/acceptance/acceptance_parameters.h"
#include "sim/hardware/step_cost_parameters.h"

namespace dspark {
namespace {

std::string resolved(const std::string& folder, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(folder) / path).lexically_normal().string();
}

LoadOptions read_load_options(Parameters& parameters) {
  LoadOptions load;
  parameters.choice("backend", {.options = {"cpu"}, .default_value = "cpu", .meaning = "what computes"});
  const std::string weights = parameters.choice(
      "weights", {.options = {"auto", "f32", "bf16"},
                  .default_value = "auto",
                  .meaning = "type that weights and KV are kept in; auto: as the folder stores them"});
  load.weights = named_weight_type(weights);
  load.threads = static_cast<int>(parameters.integer(
      "threads",
      {.min = 0, .max = 1024, .default_value = 0, .meaning = "threads that compute; 0: all cores"}));
  Parameters kv = parameters.group("kv", "paged KV cache");
  load.kv_blocks = static_cast<int>(kv.integer(
      "blocks",
      {.min = 1, .max = 1 << 24, .default_value = 1024, .unit = "blocks", .meaning = "blocks in all"}));
  const std::string block_tokens =
      kv.choice("block_tokens", {.options = {"8", "16", "32", "64", "128", "256"},
                                 .default_value = "16",
                                 .meaning = "tokens of a block"});
  load.block_tokens = block_tokens.empty() ? 16 : std::stoi(block_tokens);
  return load;
}

/// `acceptance`: the models' own unless it is given.
void read_forced_acceptance(Parameters& parameters, const std::vector<std::string>& domains,
                            ExecutorParameters& read) {
  if (parameters.is_describing()) {
    parameters.raw("acceptance", "as machine.modelled.acceptance",
                   "forces how drafts fare, while the models compute: their steps take their time, and the "
                   "text means nothing; for random weights, or to try an acceptance");
    return;
  }
  if (!parameters.given("acceptance")) return;
  Parameters group = parameters.group("acceptance", "how drafts fare");
  const AcceptanceParameters p = read_acceptance_parameters(group);
  read.forced = read_acceptance(group, p, domains, read.fits);
  if (read.drafter.is_none()) {
    parameters.add_error("'acceptance' is of drafts, and there is no drafter",
                         parameters.position_of("acceptance"), "machine.executor.drafter names one");
  } else if (read.forced && read.forced->block_size() < read.drafter.block_size) {
    parameters.add_error(fmt::format("'acceptance' says how blocks of {} tokens fare, the drafter's have {}",
                                     read.forced->block_size(), read.drafter.block_size),
                         parameters.position_of("acceptance"),
                         fmt::format("set machine.executor.block_size: {}", read.forced->block_size()));
  }
}

/// One text for all, or one for each of the workload's domains.
void read_prompts(Parameters& parameters, const std::string& folder, const std::vector<std::string>& domains,
                  ExecutorParameters& read) {
  const std::string one = parameters.text(
      "prompts", {.default_value = "",
                  .meaning = "text file whose windows are the prompts; none: random tokens, with which "
                             "drafters look better than they are"});
  if (!one.empty()) read.prompts = {resolved(folder, one)};
  const Value* by_domain = parameters.raw("prompts_by_domain", "map of files",
                                          "a text for each of the workload's domains instead");
  read.prompts_by_line =
      parameters.flag("prompts_by_line",
                      {.default_value = false,
                       .meaning = "windows begin where lines do, each a text of its own, in which \\n, \\t "
                                  "and \\\\ are a line end, a tab and a backslash"});
  if (by_domain == nullptr) return;
  parameters.exclude("prompts_by_domain", "prompts");
  if (by_domain->map() == nullptr || domains.empty()) {
    parameters.add_error(
        domains.empty() ? "the workload has no domains" : "'prompts_by_domain' must be a map of files",
        by_domain->position, "for example {math: math.txt, chat: chat.txt}");
    return;
  }
  for (const Value::Entry& entry : *by_domain->map()) {
    if (std::find(domains.begin(), domains.end(), entry.key) != domains.end()) continue;
    parameters.add_error(fmt::format("the workload has no domain '{}'", entry.key), entry.key_position,
                         known_names_advice(entry.key, domains));
  }
  for (const std::string& domain : domains) {
    const Value* file = by_domain->find(domain);
    if (file == nullptr || file->scalar() == nullptr) {
      parameters.add_error(fmt::format("'prompts_by_domain' names no file for the domain '{}'", domain),
                           by_domain->position);
      continue;
    }
    read.prompts.push_back(resolved(folder, *file->scalar()));
  }
}

}  // namespace

std::optional<ExecutorParameters> read_executor_parameters(Parameters& parameters, const std::string& folder,
                                                           const std::vector<std::string>& domains) {
  const std::size_t errors_before = parameters.errors().size();
  ExecutorParameters read;
  read.target = resolved(
      folder, parameters.text(
                  "target", {.meaning = "folder of the target: config.json, *.safetensors, tokenizer.json"}));
  read.drafter.what = parameters.text(
      "drafter",
      {.default_value = "none",
       .meaning = "none; ngram: what followed the same tokens before; or the folder of a drafter"});
  read.drafter.block_size = static_cast<int>(
      parameters.integer("block_size", {.min = 1,
                                        .max = 64,
                                        .default_value = 7,
                                        .unit = "tokens",
                                        .meaning = "γ: largest block that the drafter proposes"}));
  read_prompts(parameters, folder, domains, read);
  read.load = read_load_options(parameters);
  if (parameters.given("cost") || parameters.is_describing()) {
    Parameters cost =
        parameters.group("cost", "step costs that policies believe; measured when a run starts if not given");
    read.belief = StepCost(read_step_cost(cost, /*overhead_is_solved=*/false));
  }
  read_forced_acceptance(parameters, domains, read);
  if (read.drafter.is_folder()) read.drafter.what = resolved(folder, read.drafter.what);
  if (parameters.errors().size() > errors_before || parameters.is_describing()) return std::nullopt;
  return read;
}

}  // namespace dspark
