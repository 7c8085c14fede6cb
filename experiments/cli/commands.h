#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "executor/profile/profile_grid.h"

namespace dspark {

struct RunOptions {
  std::string experiment = {};
  std::string out = {};  // empty: results/<name of the experiment>.h5
  int jobs = 0;          // 0: all cores
  std::vector<std::string> set = {};
  std::string durations = {};  // a result whose measured runs are served again; empty: steps are measured
  bool fresh = false;
  bool quiet = false;
};
struct ShowOptions {
  std::string file;
  bool csv = false;
  bool json = false;
  std::vector<std::string> metrics;
  bool policies = false;
  std::string against;  // the policy that `policies` compares with; empty: none, else the first
};

struct CompareOptions {
  std::string a;  // result files
  std::string b;
  std::vector<std::string> metrics;
  std::vector<std::string> pairs;  // AXIS=A:B
  std::string policy_a;            // both or none
  std::string policy_b;
  std::vector<std::string> fitted;  // policies
  std::optional<double> steady;     // percent
  std::optional<double> median;     // percent
  std::optional<double> worst;
  std::string figure;  // NAME.png; empty: none is drawn
  bool csv = false;
  bool json = false;
  bool explain = false;
  bool sentence = false;
};

struct FiguresOptions {
  std::string file;
  std::string out;
  std::vector<std::string> figures;  // as plot.py names them
  std::vector<std::string> where;    // AXIS=VALUE
  std::string lines;                 // axis whose values are the lines; empty: policies
  std::string relative_to;           // line that metric_by_load is drawn relative to; empty: none
};

struct CalibrateOptions {
  std::string rounds;     // CSV or .h5
  std::string out;        // empty: temperatures are printed only
  std::string figure;     // NAME.png; empty: none is drawn
  double held_out = 0.5;  // share of the requests
  int bins = 20;
  std::string form = "rounds";  // rounds, conditional or cumulative
  std::string confidence;       // of learned_confidences(); empty: the recorded one
};

struct CheckLosslessOptions {
  std::vector<std::string> policies;  // as an experiment writes them
  std::string signal;                 // what the confidence is made of; empty: each
  bool all = false;
};

struct GenerateOptions {
  std::string model;  // a folder
  std::string drafter = "none";
  int block_size = 7;  // γ of the n-gram drafter
  std::string prompt;
  std::string system;  // empty: the model's own
  bool raw = false;    // the prompt as it is, without the chat template
  int max_tokens = 256;
  float temperature = 0;
  int top_k = 0;
  float top_p = 1;
  float min_p = 0;
  std::uint64_t seed = 0;
  std::string policy;  // empty: fixed:7, or none without a drafter
  std::string weights = "auto";
  int threads = 0;  // 0: all cores
  bool show_draft = false;
  bool json = false;
};

struct ProfileCommandOptions {
  std::string model;                  // a folder
  std::string output;                 // a folder that is not there, unless `force`
  std::string drafter;                // empty: none
  int block_size = 0;                 // γ, within what the drafter can; 0: 7
  std::string acceptance;             // a preset for the experiment that is written; empty: none
  std::string rounds;                 // recorded rounds in its place; empty: none
  std::string experiment;             // whose traffic and policies that experiment takes; empty: small ones
  ProfileSizes sizes = {{}, {}, {}};  // each list, where it is empty: the default one
  int repeats = 7;
  int kv_blocks = 0;                  // 0: as many as the grid needs
  std::string weights;                // empty: auto
  std::optional<int> threads;         // 0, nothing: all cores
  std::optional<double> temperature;  // nothing: 0
  bool force = false;
};

struct EvaluateOptions {
  std::string model;                  // a folder
  std::vector<std::string> drafters;  // as DrafterChoice names them
  std::vector<std::string> prompts;   // FILE or DOMAIN=FILE
  std::vector<double> temperatures = {1};
  bool lines = false;                         // a prompt is a line; else a window of the text
  std::vector<std::int32_t> contexts = {64};  // tokens of such a window
  int requests = 32;                          // of each domain, temperature and context
  int output_tokens = 64;
  int block_size = 7;
  int batch = 8;  // requests served side by side
  double top_p = 1;
  int top_k = 0;
  double min_p = 0;
  std::uint64_t seed = 0;
  bool ignore_end = false;  // replies go on behind a token that ends texts
  std::string weights = "auto";
  int threads = 0;     // 0: all cores
  std::string out;     // a result file; empty: none
  std::string rounds;  // CSV of one drafter's whole rounds; empty: none
  std::string figure;  // NAME.png; empty: none is drawn
  bool json = false;
  bool quiet = false;
};

struct RecordOptions {
  std::string experiment;
  std::string out;
  std::vector<std::string> set;
  std::string csv;     // empty: none is written
  bool dense = false;  // rounds from every position of the replies too
  int replication = 0;
  bool quiet = false;
};

struct ReplayOptions {
  std::string recording;
  std::vector<std::string> policies;  // as experiments write them
  std::vector<int> users;
  std::string costs;       // an experiment, or the folder of a profile; empty: fitted to the recorded steps
  std::string out;         // the result of other policies and loads; empty: the recorded run is played again
  std::string experiment;  // where their experiment is written; empty: beside `out`
  int jobs = 0;            // 0: all cores
  bool fresh = false;
  bool quiet = false;
  /// Other policies, loads or costs than the recorded ones.
  bool asks_for_others() const {
    return !policies.empty() || !users.empty() || !costs.empty() || !out.empty() || !experiment.empty();
  }
};

struct EquilibriumOptions {
  std::string file = {};
  std::vector<std::string> set = {};
  std::size_t draws = 0;  // of uncertain values; 0: their medians only
  std::uint64_t seed = 1;
  bool json = false;
  std::string cache = "results/surfaces";  // a folder; of simulated supplies
  bool no_cache = false;
  int jobs = 0;  // 0: all cores
  bool quiet = false;
};

struct GrowOptions {
  std::string file = {};
  std::vector<std::string> set = {};
  bool json = false;
  bool csv = false;
  std::string figure = {};                 // NAME.png; empty: none is drawn
  std::string cache = "results/surfaces";  // a folder; of simulated supplies
  bool no_cache = false;
  int jobs = 0;  // 0: all cores
  bool quiet = false;
};

struct PlanCommandOptions {
  std::string file = {};
  std::vector<std::string> set = {};
  std::string cache = "results/plans";  // folder of what was simulated
  int jobs = 0;                         // 0: all cores
  bool no_cache = false;
  bool json = false;
  bool exhaustive = false;
  bool quiet = false;
};

/// The commands of `dspark`; each prints its own errors and returns an ExitCode.
int run_command(const RunOptions& options);
int check_command(const std::string& experiment, const std::vector<std::string>& set);
int show_command(const ShowOptions& options);
/// `what`: policies, workloads, machines, markets, plans, metrics or all.
int list_command(const std::string& what, bool markdown);
int compare_command(const CompareOptions& options);
int figures_command(const FiguresOptions& options);
int calibrate_command(const CalibrateOptions& options);
int check_lossless_command(const CheckLosslessOptions& options);
int generate_command(const GenerateOptions& options);
int profile_command(const ProfileCommandOptions& options);
int evaluate_command(const EvaluateOptions& options);
int record_command(const RecordOptions& options);
int replay_command(const ReplayOptions& options);
int equilibrium_command(const EquilibriumOptions& options);
int grow_command(const GrowOptions& options);
int plan_command(const PlanCommandOptions& options);
/// Where `options.asks_for_others()`.
int replay_others_command(const ReplayOptions& options);

/// Reads the command line and calls one of them.
int command_line(int argc, const char* const* argv);

}  // namespace dspark
