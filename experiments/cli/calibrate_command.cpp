#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "experiments/calibration/calibration_study.h"
#include "experiments/calibration/learned_confidence.h"
#include "experiments/calibration/rounds_file.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/figure_program.h"
#include "experiments/cli/report.h"
#include "experiments/files.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

RoundsForm form_of(const std::string& word) {
  if (word == "conditional") return RoundsForm::kGateConditional;
  return word == "cumulative" ? RoundsForm::kGateCumulative : RoundsForm::kRounds;
}

/// What stands in the way of writing `path`. `mark`: how an existing file must begin to be overwritten.
std::optional<Error> cannot_overwrite(const std::string& path, const std::string& option,
                                      std::string_view mark) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  if (!fs::is_regular_file(path, ignored)) {
    return Error{fmt::format("'{}' is not a regular file", path), {}, option + " names a file"};
  }
  std::string first(mark.size(), '\0');
  std::ifstream(path, std::ios::binary).read(first.data(), static_cast<std::streamsize>(first.size()));
  if (first == mark) return std::nullopt;
  return Error{fmt::format("'{}' is there and is not a file of temperatures", path),
               {},
               option + " overwrites those only"};
}

std::optional<Error> wrong_outputs(const CalibrateOptions& options) {
  if (!options.out.empty()) {
    if (auto error = cannot_overwrite(options.out, "--out", kTemperatureFileMark)) return error;
  }
  if (options.figure.empty()) return std::nullopt;
  return wrong_figure_path(options.figure);
}

}  // namespace

int calibrate_command(const CalibrateOptions& options) {
  if (const auto error = wrong_outputs(options)) return fail(*error, kInvalidInput);
  auto rounds = read_rounds_file(options.rounds, form_of(options.form));
  if (!rounds) {
    Error error = rounds.error();
    if (options.form == "rounds" && error.message.find("commits, category") != std::string::npos) {
      error.advice += ": --form conditional or --form cumulative";
    }
    return fail(error, kInvalidInput);
  }
  if (!options.confidence.empty()) rounds = with_learned_confidence(*std::move(rounds), options.confidence);
  if (!rounds) return fail(rounds.error(), kInvalidInput);
  const auto study = study_calibration(*rounds, {options.held_out, options.bins});
  if (!study)
    return fail({fmt::format("{}: {}", options.rounds, study.error().message), {}, study.error().advice},
                kInvalidInput);
  *rounds = {};  // what follows needs the memory more

  std::optional<FigureProgram> program;
  if (!options.figure.empty()) {
    const auto found = find_figure_program("calibration.py");
    if (!found) return fail(found.error(), kMachineCannot);
    program = *found;
  }
  const std::string name = fs::path(options.rounds).filename().string();
  std::string text = study_text(*study, name);
  if (options.out.empty()) {
    text += "(--out NAME.yaml writes them)\n";
  } else {
    if (const auto error = create_folder_of(options.out)) return fail(*error, kMachineCannot);
    if (const auto error = write_file_atomically(options.out, temperatures_yaml(*study, name))) {
      return fail(*error, kMachineCannot);
    }
    text += fmt::format("wrote {}\n", options.out);
  }
  if (!print_output(text)) return kMachineCannot;
  if (!program) return kDone;
  const auto code = run_figure_program(*program, {options.figure}, study_json(*study, name));
  return code ? *code : fail(code.error(), kMachineCannot);
}

}  // namespace dspark
