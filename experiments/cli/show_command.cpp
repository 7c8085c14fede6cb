#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <optional>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/cli/show_data.h"
#include "experiments/recording/recording_file.h"
#include "experiments/results/hdf5_file.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

std::size_t terminal_width() {
  struct winsize size {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
  return known ? size.ws_col : 140;
}

/// The metrics asked for, as indices: exact names, or the base name of metrics by position. Without any:
/// `usual`.
std::optional<std::vector<std::size_t>> choose_metrics(const ShowData& data, const ShowOptions& options) {
  std::vector<std::size_t> chosen;
  for (const std::string& wanted : options.metrics) {
    const std::size_t before = chosen.size();
    for (std::size_t i = 0; i < data.metrics().size(); ++i) {
      const std::string& name = data.metrics()[i];
      if (name == wanted ||
          (name.starts_with(wanted + ".") && name.find('.', wanted.size() + 1) == std::string::npos)) {
        chosen.push_back(i);
      }
    }
    if (chosen.size() > before) continue;
    print_error({fmt::format("'{}' has no metric '{}'", options.file, wanted),
                 {},
                 known_names_advice(wanted, data.metrics())});
    return std::nullopt;
  }
  if (!options.metrics.empty()) return chosen;
  if (options.csv || options.json) {
    for (std::size_t i = 0; i < data.metrics().size(); ++i) chosen.push_back(i);
    return chosen;
  }
  for (const char* usual : {"throughput", "user_speed_mean", "accepted_length", "verification_length"}) {
    if (const int index = data.metric_index(usual); index >= 0)
      chosen.push_back(static_cast<std::size_t>(index));
  }
  return chosen;
}

/// What `--policies` prints; nullopt, with an error on stderr, where it cannot.
std::optional<std::string> policies_text(const ShowData& data, const ShowOptions& options) {
  if (options.metrics.size() > 1) {
    print_error({"'--policies' compares by one metric", {}, "give --metric once"});
    return std::nullopt;
  }
  const auto comparison = compare_policies(
      data.file(), options.metrics.empty() ? std::string() : options.metrics.front(), options.against);
  if (!comparison) {
    Error error = comparison.error();
    error.message = fmt::format("'{}': {}", options.file, error.message);
    print_error(error);
    return std::nullopt;
  }
  if (options.csv) return csv_text(comparison_table(*comparison));
  if (options.json) return json_text(comparison_table(*comparison));
  return heading_text(data) + comparison_text(*comparison, terminal_width());
}

/// What `dspark show` prints otherwise; as above.
std::optional<std::string> result_text(const ShowData& data, const ShowOptions& options) {
  const auto metrics = choose_metrics(data, options);
  if (!metrics) return std::nullopt;
  if (options.csv) return csv_text(data, *metrics);
  if (options.json) return json_text(data, *metrics);
  return terminal_text(data, *metrics, terminal_width());
}

}  // namespace

int show_command(const ShowOptions& options) {
  const auto file = read_result_file(options.file);
  if (!file) {
    print_error(file.error());
    return kInvalidInput;
  }
  if (is_recording(*file)) {
    print_error({fmt::format("'{}' is a recording, not a result", options.file),
                 {},
                 "'dspark replay' makes results of it"});
    return kInvalidInput;
  }
  const ShowData data(*file);
  const auto text = options.policies ? policies_text(data, options) : result_text(data, options);
  if (!text) return kInvalidInput;
  return print_output(*text) ? kDone : kMachineCannot;
}

}  // namespace dspark
