#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "executor/drafter/drafter_choice.h"
#include "executor/generation/loaded_model.h"
#include "executor/profile/profile.h"
#include "executor/profile/served_steps.h"
#include "experiments/calibration/rounds_file.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/profile_defaults.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "experiments/messages.h"
#include "experiments/profile/profile_files.h"
#include "experiments/profile/replaced_folder.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/yaml_reader.h"
#include "policies/nearest_name.h"
#include "sim/acceptance/survival_parameters.h"

namespace dspark {
namespace {

constexpr int kBlockTokens = 16;
constexpr int kNoLimit = 1 << 24;

int fail(const Error& error, ExitCode code = kInvalidInput) {
  print_error(error);
  return code;
}

/// Without a trailing slash, and of use in messages that outlive the working folder.
std::string absolute_path(const std::string& path) {
  std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).string();
}

std::optional<Error> wrong_acceptance(const ProfileCommandOptions& options) {
  if (options.acceptance.empty()) return std::nullopt;
  const std::vector<std::string> known = survival_preset_names();
  if (std::find(known.begin(), known.end(), options.acceptance) == known.end()) {
    return Error{fmt::format("unknown preset '{}'", options.acceptance),
                 {},
                 known_names_advice(options.acceptance, known)};
  }
  if (options.drafter == "none")
    return Error{"--acceptance is for drafts", {}, "--drafter says who makes them"};
  return std::nullopt;
}

/// Who drafts is known from here on.
std::optional<Error> wrong_rounds(const ProfileCommandOptions& options) {
  if (options.rounds.empty()) return std::nullopt;
  if (options.drafter == "none") return Error{"--rounds is for drafts", {}, "--drafter says who makes them"};
  const auto rounds = read_rounds_file(options.rounds, RoundsForm::kRounds);
  return rounds ? std::nullopt : std::optional(rounds.error());
}

/// Policies of another experiment verify drafts: that these fare like a placeholder would be made up.
std::optional<Error> unsaid_acceptance(const ProfileCommandOptions& options, const Value& like) {
  const bool said = !options.rounds.empty() || !options.acceptance.empty() ||
                    find_path(like, {"machine", "executor", "acceptance"}) != nullptr;
  if (like.empty() || options.drafter == "none" || said) return std::nullopt;
  return Error{"nobody says how the drafts of the experiment's policies fare",
               {},
               "--rounds FILE, as dspark record --dense writes it; or --acceptance PRESET"};
}

/// What the experiment that is written says beside the profile: read before anything is measured.
Result<ProfiledTraffic> traffic_of(const ProfileCommandOptions& options) {
  ProfiledTraffic traffic{.acceptance = options.acceptance};
  if (!options.rounds.empty()) traffic.rounds = absolute_path(options.rounds);
  if (options.experiment.empty()) return traffic;
  const auto text = read_whole_file(options.experiment, kMaxYamlBytes);
  if (!text) return text.error();
  auto like = read_yaml(*text, options.experiment);
  if (!like) return like.error();
  if (const Value* grid = find_path(*like, {"sweep", "grid"}); grid != nullptr && grid->map() != nullptr) {
    for (const Value::Entry& axis : *grid->map()) {
      if (axis.key.starts_with("machine."))
        return Error{fmt::format("its sweep varies '{}', which the profile says", axis.key),
                     axis.key_position};
    }
  }
  if (like->find("workload") == nullptr)
    return Error{"it has no workload", like->position, "--experiment names an experiment"};
  traffic.like = *std::move(like);
  traffic.like_folder = std::filesystem::path(absolute_path(options.experiment)).parent_path().string();
  return traffic;
}

/// What a drafter's steps of so many requests take at most.
ServedLoad served_load(const ProfileCommandOptions& options, int requests) {
  return {.requests = requests,
          .planned = options.drafter == "none" ? 0 : options.block_size,
          .block_tokens = kBlockTokens};
}

/// The grid, and the KV blocks that it, the drafter's steps and the experiment need.
struct SizedGrid {
  ProfileGrid grid;
  int kv_blocks = 0;
};

Result<SizedGrid> size_grid(const ProfileCommandOptions& options, int max_positions) {
  const int limit = options.kv_blocks == 0 ? kNoLimit : options.kv_blocks;
  auto grid = make_profile_grid(options.sizes, {limit, kBlockTokens, max_positions});
  if (!grid) return grid.error();
  const auto fits = [&](int requests) { return served_blocks(served_load(options, requests)) <= limit; };
  const auto served = std::count_if(options.sizes.requests.begin(), options.sizes.requests.end(), fits);
  if (options.drafter != "none" && served < 2) {
    return Error{"drafting would be measured with fewer than two numbers of requests",
                 {},
                 "a cost table needs at least two: --requests 1,4"};
  }
  constexpr int kText = kExperimentPromptTokens + kExperimentOutputTokens + 1;
  const int most = options.sizes.requests.back();
  int needed = std::max(served_blocks(served_load(options, most)), most * (kText / kBlockTokens + 1));
  for (const ProfilePoint& point : grid->points) needed = std::max(needed, point.blocks(kBlockTokens));
  return SizedGrid{*std::move(grid), std::min(needed, limit)};
}

LoadOptions load_options(const ProfileCommandOptions& options, int kv_blocks, std::vector<int> kept_layers) {
  const ServedLoad largest = served_load(options, options.sizes.requests.back());
  const int rows = std::max(options.sizes.tokens.back(), largest.requests * (1 + largest.planned));
  return {.weights = named_weight_type(options.weights),
          .threads = *options.threads,
          .max_rows = rows,
          .max_logit_rows = rows,
          .kv_blocks = kv_blocks,
          .block_tokens = kBlockTokens,
          .kept_layers = std::move(kept_layers)};
}

/// A line for each tenth that is done.
class TenthsDone {
 public:
  void operator()(int done, int of) {
    const int tenths = 10 * done / of;
    if (tenths == told_) return;
    told_ = tenths;
    write_message(fmt::format("profile: {} of {} passes\n", done, of));
  }

 private:
  int told_ = 0;
};

ProfileFacts facts_of(const ProfileCommandOptions& options, const ModelFolder& folder,
                      const LoadedModel& model, const Drafter* drafter, int kv_blocks) {
  ProfileFacts facts;
  facts.version = version_text();
  facts.cpu = cpu_name();
  facts.machine = model.kernels().description();
  facts.cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  facts.target = absolute_path(options.model);
  facts.model = std::filesystem::path(facts.target).filename().string();
  facts.config = folder.config;
  facts.weights = model.kernels().weight_type() == ElementType::kF32 ? "f32" : "bf16";
  facts.threads = *options.threads == 0 ? facts.cores : *options.threads;
  facts.temperature = *options.temperature;
  facts.drafter = {.what = options.drafter, .block_size = drafter == nullptr ? 0 : drafter->block_size()};
  if (facts.drafter.is_folder()) facts.drafter.what = absolute_path(options.drafter);
  facts.sequential_drafter = drafter != nullptr && drafter->is_sequential();
  facts.has_confidence_head = drafter != nullptr && drafter->has_confidence_head();
  facts.kv_blocks = kv_blocks;
  facts.block_tokens = kBlockTokens;
  return facts;
}

void announce(const ProfileForecast& forecast, const SizedGrid& sized) {
  write_message(
      fmt::format("profile: {} points ({} left out, which do not fit into {} KV blocks), {} forward passes, "
                  "about {:.0f} s and then steps of the engine\n",
                  forecast.points, sized.grid.left_out, sized.kv_blocks, forecast.passes, forecast.seconds));
}

}  // namespace

int profile_command(const ProfileCommandOptions& given) {
  const std::string output = absolute_path(given.output);
  if (const auto error = cannot_replace_folder(given.output, given.force, is_profile_file)) {
    return fail(*error);
  }
  const auto traffic = traffic_of(given);
  if (!traffic) return fail(traffic.error());
  const auto whole = completed(given, traffic->like, traffic->like_folder);
  if (!whole) return fail(whole.error());
  const ProfileCommandOptions& options = *whole;
  if (const auto error = wrong_acceptance(options)) return fail(*error);
  if (const auto error = wrong_rounds(options)) return fail(*error);
  if (const auto error = unsaid_acceptance(options, traffic->like)) return fail(*error);
  const auto folder = ModelFolder::open(options.model);
  if (!folder) return fail(folder.error());
  const auto sized = size_grid(options, folder->config.max_positions);
  if (!sized) return fail(sized.error());
  const DrafterChoice choice{.what = options.drafter, .block_size = options.block_size};
  auto layers = layers_for(choice, folder->config);
  if (!layers) return fail(layers.error());
  const LoadOptions load = load_options(options, sized->kv_blocks, *std::move(layers));
  const auto model = LoadedModel::load(*folder, load);
  if (!model) return fail(model.error(), kMachineCannot);
  const auto drafter =
      make_drafter(choice, model->draft_target(), model->kernels(),
                   static_cast<std::size_t>(options.sizes.requests.back()),
                   static_cast<std::size_t>(sized->kv_blocks) * static_cast<std::size_t>(kBlockTokens));
  if (!drafter) return fail(drafter.error());

  const ProfileOptions measured{.repeats = options.repeats,
                                .draft_requests = options.sizes.requests,
                                .kv_blocks = sized->kv_blocks,
                                .block_tokens = kBlockTokens,
                                .max_rows = load.max_rows,
                                .temperature = static_cast<float>(*options.temperature)};
  announce(forecast_profile(model->kernels(), model->target(), sized->grid, measured), *sized);
  const Profile profile =
      measure_profile(model->kernels(), model->target(), drafter->get(), sized->grid, measured, TenthsDone());
  const ProfileFacts facts = facts_of(options, *folder, *model, drafter->get(), sized->kv_blocks);
  const auto files = profile_files(profile, facts, *traffic, output);
  if (!files) return fail(files.error(), kMachineCannot);
  if (const auto error = cannot_replace_folder(options.output, options.force, is_profile_file)) {
    return fail(*error);
  }
  if (const auto error = write_folder_atomically(output, *files)) return fail(*error, kMachineCannot);
  const std::string text = profile_summary(profile, facts);
  return print_output(text + fmt::format("wrote {}\n", options.output)) ? kDone : kMachineCannot;
}

}  // namespace dspark
