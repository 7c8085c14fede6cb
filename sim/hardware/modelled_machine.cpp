#include "sim/hardware/modelled_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/acceptance/acceptance_parameters.h"
#include "sim/hardware/modelled_runner.h"
#include "sim/hardware/single_user_fit.h"
#include "sim/hardware/step_cost_parameters.h"

namespace dspark {
namespace {

/// Reads `single_user_fit` and solves it; points of a sweep that differ elsewhere share the solution.
std::shared_ptr<const AcceptanceModel> read_single_user_fit(Parameters& parameters,
                                                            const AcceptanceParameters& p,
                                                            StepCost::Parts& parts,
                                                            std::vector<FitLine>& fits) {
  Parameters fit =
      parameters.group("single_user_fit", "solve step overhead and survival from speeds of one user");
  const Position position = fit.position_of("speeds");
  const std::size_t errors_before = parameters.errors().size();
  InputFile file =
      fit.file("speeds", "CSV with columns policy (none, k1, …), concurrency (1), user_tokens_per_s");
  std::vector<std::string> fitted;
  if (const Value* names =
          fit.raw("fitted", "list of none, k1, …", "speeds to fit; the others are predicted", false)) {
    if (names->list() == nullptr) {
      fit.add_error("'fitted' must be a list", names->position, "for example [none, k1, k3]");
    } else {
      for (const Value& name : *names->list()) fitted.push_back(name.scalar() ? *name.scalar() : "");
    }
  }
  if (file.content.empty() || parameters.errors().size() > errors_before) return nullptr;
  const auto table = CsvTable::parse(std::move(file));
  const auto speeds = table ? read_single_user_speeds(*table, fitted) : table.error();
  const int block_size = p.block_size == 0 ? 7 : p.block_size;
  auto solved =
      speeds ? fit_single_user(*speeds, StepCost(parts), block_size, p.auc, p.spread) : speeds.error();
  if (!solved) {
    Error error = solved.error();
    if (!error.position.source) error.position = position;
    fit.add_error(std::move(error));
    return nullptr;
  }
  parts.overhead_seconds = solved->overhead_seconds;
  fits = std::move(solved->lines);
  return std::make_shared<LatentAcceptance>(std::vector{solved->domain.latent}, p.spread,
                                            std::vector{p.miscalibration}, p.signal_noise, p.shift);
}

}  // namespace

ModelledMachine::ModelledMachine(Parameters& parameters, const std::vector<std::string>& domains) {
  const bool fit = parameters.given("single_user_fit");
  const std::size_t errors_before = parameters.errors().size();
  StepCost::Parts parts = read_step_cost(parameters, fit);
  Parameters kv = parameters.group("kv", "paged KV cache");
  kv_blocks_ = static_cast<int>(kv.integer(
      "blocks",
      {.min = 1, .max = 1 << 26, .default_value = 65536, .unit = "blocks", .meaning = "blocks in all"}));
  block_tokens_ = static_cast<int>(kv.integer(
      "block_tokens",
      {.min = 1, .max = 1 << 16, .default_value = 64, .unit = "tokens", .meaning = "tokens of a block"}));
  Parameters group = parameters.group("acceptance", "how drafts fare", true);
  const AcceptanceParameters p = read_acceptance_parameters(group);
  if (fit && p.structure) {
    parameters.add_error("'text_structure' does not apply beside 'single_user_fit'",
                         group.position_of("text_structure"));
  }
  if (fit && !domains.empty()) {
    parameters.add_error("single_user_fit knows one domain, the workload has several",
                         parameters.position_of("single_user_fit"));
  }
  const auto readable = [&] { return parameters.errors().size() == errors_before; };
  if (fit || parameters.is_describing()) {
    if (readable()) acceptance_ = read_single_user_fit(parameters, p, parts, fits_);
  }
  if (!fit) {
    auto acceptance = read_acceptance(group, p, domains, fits_);
    if (readable()) acceptance_ = std::move(acceptance);
  }
  cost_ = StepCost(parts);
  step_noise_ = parameters.number(
      "step_noise", {.min = 0,
                     .max = 2,
                     .default_value = 0,
                     .meaning = "spread of every step's duration around its cost: standard deviation of the "
                                "logarithm of a lognormal factor of mean 1; 0: none"});
}

Result<Machine::Start> ModelledMachine::start(RandomKey key, const EngineOptions&, StepDurations&,
                                              RoundRecorder*) const {
  return Start{std::make_unique<ModelledRunner>(cost_, *acceptance_, key, step_noise_), &cost_};
}

MachineEntry modelled_machine_entry() {
  return {
      "modelled", "Step costs from measured tables, acceptance from a latent difficulty",
      [](Parameters& parameters, const std::vector<std::string>& domains) -> std::unique_ptr<const Machine> {
        auto machine = std::make_unique<const ModelledMachine>(parameters, domains);
        return machine->is_whole() ? std::move(machine) : nullptr;
      }};
}

}  // namespace dspark
