#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "experiments/calibration/rounds_file.h"
#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/recording/recording_file.h"
#include "experiments/recording/replayed_experiment.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

void say(const ReplayOptions& options, const std::string& line) {
  if (!options.quiet) write_message(line + "\n");
}

/// What of a recording says nothing about other policies.
std::optional<Error> why_not_replayed(const ReplayOptions& options, const RecordedExperiment& recorded) {
  const RunRecording& recording = recorded.recording;
  if (recording.block_size == 0)
    return Error{fmt::format("'{}' is of a run without a drafter", options.recording)};
  if (recorded.has_dense_rounds) return std::nullopt;
  const RecordingReach reach = reach_of(recording);
  if (reach.cut == 0) return std::nullopt;
  return Error{
      fmt::format(
          "'{}': in {} of {} rounds the policy cut the block, the first time in round {} of request {}; "
          "what lies behind is unknown",
          options.recording, reach.cut, reach.rounds, reach.cut_round, reach.cut_request),
      {},
      fmt::format("record under policy fixed:{}, with max_num_batched_tokens for whole blocks, or --dense",
                  recording.block_size)};
}

/// A file is overwritten where this command has written it, and only then.
std::optional<Error> why_not_written(const std::string& path, const std::string& head) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  std::string first;
  if (fs::is_regular_file(path, ignored)) {
    std::ifstream file(path, std::ios::binary);
    std::getline(file, first);
  }
  if (first == head) return std::nullopt;
  return Error{
      fmt::format("'{}' is there and is not of this command", path), {}, "--write-experiment names another"};
}

std::optional<Error> write(const std::string& path, const std::string& text) {
  if (auto error = why_not_written(path, text.substr(0, text.find('\n')))) return error;
  if (auto error = create_folder_of(path)) return error;
  return write_file_atomically(path, text);
}

std::string from_folder(const std::string& path, const std::string& folder) {
  std::error_code failure;
  const fs::path relative = fs::proximate(path, folder.empty() ? fs::path(".") : fs::path(folder), failure);
  return failure ? fs::absolute(path).string() : relative.string();
}

/// The costs in YAML; where they are fitted, the table of drafting is written beside the experiment.
Result<std::string> costs_for(const ReplayOptions& options, const RecordedExperiment& recorded,
                              const fs::path& experiment) {
  if (!options.costs.empty()) return given_costs(options.costs, experiment.parent_path().string());
  const auto fitted = fit_steps(recorded.recording.steps);
  if (!fitted) return fitted.error();
  say(options,
      fmt::format(
          "step costs fitted to {} steps: median residual {:.1f} %, worst {:.0f} % (--costs names others)",
          recorded.recording.steps.size(), 100 * fitted->median_residual, 100 * fitted->worst_residual));
  fs::path table = experiment;
  table.replace_extension(".draft_cost.csv");
  if (!fitted->draft.empty()) {
    if (auto error = write(table.string(), draft_cost_csv(*fitted))) return *std::move(error);
  }
  return fitted_costs(*fitted, table.filename().string());
}

/// The rounds that an experiment plays.
struct PlayedRounds {
  std::string path;
  std::size_t rounds = 0;
  std::size_t short_drafts = 0;  // of them, those that the drafter did not propose whole
};

/// The recording itself or, where its drafter proposed less than it was asked for, whole blocks beside the
/// experiment.
Result<PlayedRounds> rounds_for(const ReplayOptions& options, const RecordedExperiment& recorded,
                                const fs::path& experiment) {
  const RecordingReach reach = reach_of(recorded.recording);
  PlayedRounds played{options.recording, reach.rounds, reach.short_drafts};
  Rounds whole;
  if (recorded.has_dense_rounds) {  // whatever the served rounds were asked for, these were whole blocks
    auto dense = read_rounds_file(options.recording, RoundsForm::kRounds);
    if (!dense) return dense.error();
    const auto is_short = [&](std::int32_t drafted) { return drafted < dense->block_size; };
    const auto short_drafts = std::count_if(dense->drafted.begin(), dense->drafted.end(), is_short);
    played.rounds = dense->size();
    played.short_drafts = static_cast<std::size_t>(short_drafts);
    whole = *std::move(dense);
  }
  if (played.short_drafts == 0) return played;
  whole = recorded.has_dense_rounds
              ? with_whole_blocks(std::move(whole), {})
              : with_whole_blocks(recorded.recording.rounds, recorded.recording.planned);
  fs::path path = experiment;
  path.replace_extension(".rounds.h5");
  std::error_code ignored;
  if (fs::exists(path, ignored) && !read_rounds_file(path.string(), RoundsForm::kRounds)) {
    return Error{fmt::format("'{}' is there and holds no rounds", path.string()),
                 {},
                 "--write-experiment names another"};
  }
  const auto bytes = encode_rounds_hdf5(whole);
  if (!bytes) return bytes.error();
  if (auto error = create_folder_of(path.string())) return *std::move(error);
  if (auto error = write_file_atomically(path.string(), *bytes)) return *std::move(error);
  played.path = path.string();
  return played;
}

void say_what_is_exact(const ReplayOptions& options, const RecordedExperiment& recorded,
                       const PlayedRounds& played) {
  say(options,
      recorded.has_dense_rounds
          ? std::string("rounds from every position of the replies: exact for every lossless policy")
          : fmt::format(
                "rounds back to back, {} deep: exact for policies that verify as deep; shallower ones "
                "meet the same rounds at earlier places of the text",
                recorded.recording.block_size));
  if (played.short_drafts == 0) return;
  say(options, fmt::format("note: in {} of {} rounds the drafter proposed less than it was asked for; the "
                           "rest counts as drafted, "
                           "of confidence 0, and rejected: a policy that verifies it pays for rows that the "
                           "real machine had not",
                           played.short_drafts, played.rounds));
}

}  // namespace

int replay_others_command(const ReplayOptions& options) {
  if (options.out.empty() && options.experiment.empty()) {
    return fail({"no result is named", {}, "--out RESULT.h5, or --write-experiment FILE.yaml alone"},
                kInvalidInput);
  }
  const auto recorded = read_recording(options.recording);
  if (!recorded) return fail(recorded.error(), kInvalidInput);
  if (const auto error = why_not_replayed(options, *recorded)) return fail(*error, kInvalidInput);
  const fs::path experiment = options.experiment.empty() ? fs::path(options.out).replace_extension(".yaml")
                                                         : fs::path(options.experiment);
  const std::string folder = experiment.parent_path().string();
  if (const auto error = why_not_written(experiment.string(), kReplayedExperimentHead))
    return fail(*error, kInvalidInput);
  auto costs = costs_for(options, *recorded, experiment);
  if (!costs) return fail(costs.error(), kInvalidInput);
  const auto rounds = rounds_for(options, *recorded, experiment);
  if (!rounds) return fail(rounds.error(), kInvalidInput);
  const auto yaml = replayed_experiment(*recorded, from_folder(rounds->path, folder),
                                        {options.policies, options.users, *std::move(costs)});
  if (!yaml) return fail(yaml.error(), kInvalidInput);
  if (const auto error = write(experiment.string(), *yaml)) return fail(*error, kMachineCannot);
  say_what_is_exact(options, *recorded, *rounds);
  if (options.out.empty()) {
    say(options, fmt::format("wrote {}; next: dspark run {}", experiment.string(), experiment.string()));
    return kDone;
  }
  return run_command({.experiment = experiment.string(),
                      .out = options.out,
                      .jobs = options.jobs,
                      .fresh = options.fresh,
                      .quiet = options.quiet});
}

}  // namespace dspark
