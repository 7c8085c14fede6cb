#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "experiments/profile/profile_files.h"
#include "sim/acceptance/survival_presets.h"

namespace dspark {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string number(double value) { return fmt::format("{:.6g}", value); }

/// What both machines say of costs: the modelled one as its truth, the real one as what policies believe.
std::string costs(const Profile& profile, const ProfileFacts& facts) {
  const LinearTerms& terms = profile.fit.terms;
  // Between measured sizes this machine's steps grow: a limit at the smallest size means straight lines.
  std::string text = fmt::format(
      "    verify_cost: &verify\n"
      "      table: verify_cost.csv\n"
      "      capture_limit: {}\n"
      "      per_request_ms: {}\n"
      "      per_context_token_ms: {}\n",
      profile.fit.table.front().size, number(1e3 * terms.seconds_per_request),
      number(1e3 * terms.seconds_per_context_token));
  if (!profile.draft_table.empty()) {
    text += fmt::format("    draft_cost: &draft {{table: draft_cost.csv, drafter: {}}}\n",
                        facts.sequential_drafter ? "sequential" : "block");
  }
  return text;
}

std::string other_costs(const Profile& profile, const std::string& indent) {
  return fmt::format("{0}step_overhead_ms: {1}\n{0}idle_drafter_tax: {2}\n", indent,
                     number(1e3 * profile.step_overhead_seconds),
                     number(std::min(10.0, profile.idle_drafter_tax)));
}

std::string acceptance_block(const std::string& preset, const ProfileFacts& facts) {
  if (preset.empty()) {
    return "    # How drafts fare was not measured. Policy none, the only one here, verifies none: this is a "
           "placeholder.\n"
           "    # Before others are compared, put what your drafts do in its place (docs/acceptance.md).\n"
           "    acceptance: {survival: [0.5]}\n";
  }
  for (const SurvivalPreset& known : survival_presets()) {
    if (known.name != preset) continue;
    std::vector<double> survival = survival_of(known.conditional);
    const std::string chosen = "    # Chosen by --acceptance, not measured on this machine.\n";
    const auto block = static_cast<std::size_t>(facts.drafter.block_size);
    if (block >= survival.size())
      return chosen + fmt::format("    acceptance: {{preset: {}, block_size: {}}}\n", preset, block);
    survival.resize(block);
    return chosen + fmt::format("    acceptance: {{survival: [{:.6g}]}}  # {}, its first positions\n",
                                fmt::join(survival, ", "), preset);
  }
  return {};
}

std::string executor_block(const Profile& profile, const ProfileFacts& facts, const std::string& folder) {
  const auto from_here = [&](const std::string& path) {
    const std::string relative = std::filesystem::path(path).lexically_relative(folder).string();
    return quoted(relative.empty() ? path : relative);
  };
  std::string text = fmt::format("  executor:\n    target: {}\n", from_here(facts.target));
  const DrafterChoice& drafter = facts.drafter;
  text += fmt::format("    drafter: {}\n", drafter.is_folder() ? from_here(drafter.what) : drafter.what);
  if (!drafter.is_none()) text += fmt::format("    block_size: {}\n", drafter.block_size);
  text += fmt::format("    weights: {}\n    threads: {}\n", facts.weights, facts.threads);
  text += fmt::format("    kv: {{blocks: {}, block_tokens: {}}}\n", facts.kv_blocks, facts.block_tokens);
  text += "    cost:\n      verify_cost: *verify\n";
  if (!profile.draft_table.empty()) text += "      draft_cost: *draft\n";
  return text + other_costs(profile, "      ");
}

/// Requests of at most as many users as were measured together, in steps of at most as many rows.
std::string traffic(const Profile& profile, const std::string& acceptance, const ProfileFacts& facts) {
  int most_requests = 1;
  for (const ProfilePoint& point : profile.points) most_requests = std::max(most_requests, point.requests);
  const int rows = static_cast<int>(profile.fit.table.back().size);
  const int seqs = std::min(most_requests, rows);
  std::vector<int> users;
  for (const int n : {1, 4, 16}) {
    if (n <= seqs) users.push_back(n);
  }
  std::string policies = "none";
  if (!acceptance.empty())
    policies += fmt::format(", fixed:{}, dspark", std::min(3, facts.drafter.block_size));
  return fmt::format(
      "engine: {{max_num_seqs: {}, max_num_batched_tokens: {}, prefill: in_step}}\n"
      "workload:\n"
      "  arrivals: {{closed_loop: {{users: 1}}}}\n"
      "  prompt_tokens: {{fixed: {}}}\n"
      "  output_tokens: {{fixed: {}}}\n"
      "  temperature: 0\n"
      "policy: none\n"
      "sweep:\n"
      "  grid:\n"
      "    policy: [{}]\n"
      "    workload.arrivals.closed_loop.users: [{}]\n"
      "stop: {{requests: 24, warmup_requests: 16}}\n",
      seqs, rows, kExperimentPromptTokens, kExperimentOutputTokens, policies, fmt::join(users, ", "));
}

}  // namespace

std::string profiled_experiment(const Profile& profile, const ProfileFacts& facts,
                                const std::string& acceptance, const std::string& folder) {
  std::string text = fmt::format(
      "# {} on {}, {}: measured by `dspark profile`.\n"
      "#   dspark run experiment.yaml                              the modelled machine\n"
      "#   dspark run experiment.yaml --set machine.use=executor   the same requests on the model itself\n"
      "schema: 1\n"
      "title: {}\n"
      "seed: 7\n"
      "replications: 3\n"
      "machine:\n"
      "  use: modelled\n"
      "  modelled:\n",
      facts.model, facts.cpu, facts.machine, quoted(facts.model + ", as profiled"));
  text += costs(profile, facts) + other_costs(profile, "    ");
  text +=
      fmt::format("    # step_noise: {}   the spread of repeats; without it every step takes its median\n",
                  number(std::min(2.0, profile.noise)));
  text += fmt::format("    kv: {{blocks: {}, block_tokens: {}}}\n", facts.kv_blocks, facts.block_tokens);
  text += acceptance_block(acceptance, facts);
  text += executor_block(profile, facts, folder);
  return text + traffic(profile, acceptance, facts);
}

}  // namespace dspark
