#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "experiments/profile/profile_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/value_text.h"
#include "sim/acceptance/survival_presets.h"

namespace dspark {
namespace {

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
    const bool grows = !facts.sequential_drafter && facts.drafter.block_size >= 2;
    text += fmt::format("    draft_cost: &draft {{table: draft_cost.csv, drafter: {}{}}}\n",
                        facts.sequential_drafter ? "sequential" : "block",
                        grows ? fmt::format(", one_token_share: {}, block_size: {}",
                                            number(profile.one_token_share), facts.drafter.block_size)
                              : "");
  }
  return text;
}

std::string other_costs(const Profile& profile, const std::string& indent) {
  return fmt::format("{0}step_overhead_ms: {1}\n{0}idle_drafter_tax: {2}\n", indent,
                     number(1e3 * profile.step_overhead_seconds),
                     number(std::min(10.0, profile.idle_drafter_tax)));
}

/// What the other experiment forces (machine.executor.acceptance), as it reads from `folder`; nothing where
/// it forces nothing.
std::string forced_acceptance(const ProfiledTraffic& traffic, const std::string& folder) {
  const Value* forced = find_path(traffic.like, {"machine", "executor", "acceptance"});
  if (forced == nullptr) return {};
  const Value* file = find_path(*forced, {"rounds", "file"});
  if (file == nullptr || file->scalar() == nullptr) return flow_text(*forced);
  const std::string moved =
      seen_from((std::filesystem::path(traffic.like_folder) / *file->scalar()).string(), folder);
  const Value* form = find_path(*forced, {"rounds", "form"});
  return fmt::format("{{rounds: {{file: {}{}}}}}", quoted(moved),
                     form != nullptr ? ", form: " + flow_text(*form) : "");
}

std::string acceptance_block(const ProfiledTraffic& traffic, const ProfileFacts& facts,
                             const std::string& folder) {
  const std::string& preset = traffic.acceptance;
  const std::string forced = forced_acceptance(traffic, folder);
  if (!forced.empty() && preset.empty() && traffic.rounds.empty())
    return fmt::format("    # Forced on the real machine, too.\n    acceptance: {}\n", forced);
  if (!traffic.rounds.empty()) {
    return fmt::format(
        "    # Recorded rounds of the real drafter, by --rounds.\n    acceptance: {{rounds: {{file: {}}}}}\n",
        quoted(seen_from(traffic.rounds, folder)));
  }
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

/// The key-value cache, the same for both machines.
std::string kv_line(const ProfileFacts& facts, const ProfiledTraffic& traffic) {
  if (const Value* executor = find_path(traffic.like, {"machine", "executor", "kv"}))
    return fmt::format("    kv: {}\n", flow_text(*executor));
  return fmt::format("    kv: {{blocks: {}, block_tokens: {}}}\n", facts.kv_blocks, facts.block_tokens);
}

/// Where the other experiment's prompts come from.
std::string prompt_lines(const ProfiledTraffic& traffic, const std::string& folder) {
  const Value* executor = find_path(traffic.like, {"machine", "executor"});
  if (executor == nullptr) return {};
  const auto moved = [&](const std::string& path) {
    return quoted(seen_from(std::filesystem::path(traffic.like_folder) / path, folder));
  };
  std::string text;
  if (const Value* one = executor->find("prompts"); one != nullptr && one->scalar() != nullptr)
    text += fmt::format("    prompts: {}\n", moved(*one->scalar()));
  if (const Value* many = executor->find("prompts_by_domain"); many != nullptr && many->map() != nullptr) {
    text += "    prompts_by_domain:\n";
    for (const Value::Entry& entry : *many->map()) {
      if (entry.value.scalar() != nullptr)
        text += fmt::format("      {}: {}\n", quoted(entry.key), moved(*entry.value.scalar()));
    }
  }
  return text + line_of(*executor, "prompts_by_line", "    ");
}

std::string executor_block(const Profile& profile, const ProfileFacts& facts, const ProfiledTraffic& traffic,
                           const std::string& folder) {
  const auto from_here = [&](const std::string& path) { return quoted(seen_from(path, folder)); };
  std::string text = fmt::format("  executor:\n    target: {}\n", from_here(facts.target));
  const DrafterChoice& drafter = facts.drafter;
  text += fmt::format("    drafter: {}\n", drafter.is_folder() ? from_here(drafter.what) : drafter.what);
  if (!drafter.is_none()) text += fmt::format("    block_size: {}\n", drafter.block_size);
  text += fmt::format("    weights: {}\n    threads: {}\n", facts.weights, facts.threads);
  text += prompt_lines(traffic, folder) + kv_line(facts, traffic);
  if (const std::string forced = forced_acceptance(traffic, folder); !forced.empty())
    text += fmt::format("    acceptance: {}\n", forced);
  text += "    cost:\n      verify_cost: *verify\n";
  if (!profile.draft_table.empty()) text += "      draft_cost: *draft\n";
  return text + other_costs(profile, "      ");
}

/// Requests of at most as many users as were measured together, in steps of at most as many rows.
std::string small_traffic(const Profile& profile, bool drafts, const ProfileFacts& facts) {
  int most_requests = 1;
  for (const ProfilePoint& point : profile.points) most_requests = std::max(most_requests, point.requests);
  const int rows = static_cast<int>(profile.fit.table.back().size);
  const int seqs = std::min(most_requests, rows);
  std::vector<int> users;
  for (const int n : {1, 4, 16}) {
    if (n <= seqs) users.push_back(n);
  }
  std::string policies = "none";
  if (drafts) policies += fmt::format(", fixed:{}, dspark", std::min(3, facts.drafter.block_size));
  return fmt::format(
      "engine: {{max_num_seqs: {}, max_num_batched_tokens: {}, prefill: in_step}}\n"
      "workload:\n"
      "  arrivals: {{closed_loop: {{users: 1}}}}\n"
      "  prompt_tokens: {{fixed: {}}}\n"
      "  output_tokens: {{fixed: {}}}\n"
      "  temperature: {:g}\n"
      "policy: none\n"
      "sweep:\n"
      "  grid:\n"
      "    policy: [{}]\n"
      "    workload.arrivals.closed_loop.users: [{}]\n"
      "stop: {{requests: 24, warmup_requests: 16}}\n",
      seqs, rows, kExperimentPromptTokens, kExperimentOutputTokens, facts.temperature, policies,
      fmt::join(users, ", "));
}

/// The traffic and the policies of another experiment.
std::string traffic_like(const Value& like, const ProfileFacts& facts) {
  std::string text;
  for (const char* key : {"metrics", "engine", "workload"}) text += line_of(like, key);
  const Value* confidence = like.find("confidence");
  const bool forced = find_path(like, {"machine", "executor", "acceptance"}) != nullptr;
  if (facts.drafter.is_none() || facts.has_confidence_head || forced ||
      (confidence != nullptr && label(*confidence) != "raw")) {
    text += line_of(like, "confidence");
  } else {
    text += "confidence: margin_estimator  # as the executor does for a drafter without a confidence head\n";
  }
  for (const char* key : {"policy", "sweep", "stop", "figures"}) text += line_of(like, key);
  return text;
}

}  // namespace

std::string profiled_experiment(const Profile& profile, const ProfileFacts& facts,
                                const ProfiledTraffic& traffic, const std::string& folder) {
  const bool is_like = !traffic.like.empty();
  const Value* title = is_like ? traffic.like.find("title") : nullptr;
  std::string text = fmt::format(
      "# {} on {}, {}: measured by `dspark profile`.\n"
      "#   dspark run experiment.yaml                              the modelled machine\n"
      "#   dspark run experiment.yaml --set machine.use=executor   the same requests on the model itself\n"
      "schema: 1\n",
      facts.model, facts.cpu, facts.machine);
  text += title != nullptr ? fmt::format("title: {}\n", flow_text(*title))
                           : fmt::format("title: {}\n", quoted(facts.model + ", as profiled"));
  text += is_like ? line_of(traffic.like, "seed") + line_of(traffic.like, "replications")
                  : "seed: 7\nreplications: 3\n";
  text += "machine:\n  use: modelled\n  modelled:\n" + costs(profile, facts) + other_costs(profile, "    ");
  text +=
      fmt::format("    # step_noise: {}   the spread of repeats; without it every step takes its median\n",
                  number(std::min(2.0, profile.noise)));
  text += kv_line(facts, traffic) + acceptance_block(traffic, facts, folder);
  text += executor_block(profile, facts, traffic, folder);
  if (is_like) return text + traffic_like(traffic.like, facts);
  return text + small_traffic(profile, !traffic.acceptance.empty() || !traffic.rounds.empty(), facts);
}

}  // namespace dspark
