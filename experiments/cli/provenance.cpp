#include "experiments/cli/provenance.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "dspark_git_commit.h"  // made by git_commit.cmake at every build

namespace dspark {
namespace {

std::string utc_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

std::string version_text() {
  return fmt::format("{} (results version {}, commit {})", DSPARK_VERSION, kResultVersion, kDsparkGitCommit);
}

std::string provenance_json(const Experiment& experiment, const std::string& durations, int jobs,
                            std::size_t resumed_runs, std::chrono::system_clock::time_point started) {
  const auto finished = std::chrono::system_clock::now();
  struct utsname host {};
  ::uname(&host);
  const nlohmann::ordered_json root = {
      {"experiment", experiment.path},
      {"experiment_digest", hex(experiment.digest)},
      {"set_options", experiment.set_options},
      {"durations", durations.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(durations)},
      {"dspark_version", DSPARK_VERSION},
      {"git_commit", kDsparkGitCommit},
      {"compiler", __VERSION__},
      {"started", utc_text(started)},
      {"finished", utc_text(finished)},
      {"seconds", std::chrono::duration<double>(finished - started).count()},
      {"runs_from_an_earlier_start", resumed_runs},
      {"jobs", jobs},
      {"cores", std::thread::hardware_concurrency()},
      {"host", host.nodename},
      {"system", fmt::format("{} {} {}", host.sysname, host.release, host.machine)}};
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
