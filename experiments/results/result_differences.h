#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/results/paired_points.h"
#include "experiments/results/result_file.h"
#include "experiments/results/statistics.h"
#include "policies/error.h"

namespace dspark {

/// Whether the model behind A was made with the point's measurement. Unstated where nobody says what was
/// fitted.
enum class Role { kUnstated, kFitted, kPredicted };
const char* name_of(Role role);  // "", "fitted", "predicted"

/// What a result was made on: its steps modelled, or measured on a real machine (it has /recordings of them).
enum class Machine { kModelled, kMeasured, kBoth };
Machine machine_of(const ResultFile& file);

struct DifferenceOptions {
  std::vector<std::string> metrics;  // empty: throughput, user speed, TTFT (means) and accepted length
  std::vector<AxisChoice> choices;
  std::vector<std::string>
      fitted;  // policies of A as written, whose points are fitted and all others predicted
  std::optional<double> steady = {};  // runs whose baseline step is off by more than this share are left out
};

struct ComparedPoint {
  std::size_t a = 0;  // rows of /points
  std::size_t b = 0;
  std::size_t setting = 0;  // index into ResultDifferences::settings
  std::string policy_a;     // as written
  std::string policy_b;
  bool lossless = true;  // both
  /// Whether differences are taken within replications: same seed, same replications and the same kind of
  /// machine, so that both saw the same users and coins.
  bool within_replications = false;
  Role role = Role::kUnstated;
};

/// One metric at one pair of points. B is the reference.
struct Difference {
  std::size_t point = 0;   // index into ResultDifferences::points
  std::size_t metric = 0;  // index into ResultDifferences::metrics
  Interval a;
  Interval b;
  Interval error;                 // of A / B - 1; NaN where B is 0
  std::optional<bool> is_inside;  // A's mean within B's interval; nothing where B has none
};

/// |error| over the points of one role.
struct ErrorSummary {
  std::size_t metric = 0;
  Role role = Role::kUnstated;
  std::int64_t n = 0;
  double median = 0;
  double worst = 0;
  std::size_t worst_point = 0;  // index into ResultDifferences::points
  double bias = 0;              // mean of the signed errors
  std::int64_t inside = 0;      // of those that have an interval in B
  std::int64_t with_interval = 0;
};

/// Whether A ranks the policies of one setting as B does. Lossless policies only.
struct RankAgreement {
  std::size_t setting = 0;
  std::size_t metric = 0;
  std::size_t best_in_a = 0;  // indices into ResultDifferences::points
  std::size_t best_in_b = 0;
  std::int64_t pairs = 0;       // of policies that differ in both
  std::int64_t same_order = 0;  // of these
  Interval regret;  // share of B's best that B loses with A's choice, within replications of B; 0: none
};

/// Where the error of throughput comes from. Output tokens per second are requests that decode in a step,
/// times tokens per such request, over seconds per step, times the share of the time in which a step runs;
/// each is the natural logarithm of A over B (of geometric means over replications), and `total` is the sum
/// of the four. Tokens per request are what the others leave, first tokens and cut rounds included. NaN where
/// a metric is missing.
struct ThroughputShares {
  std::size_t point = 0;
  double total = 0;
  double step_time = 0;  // minus the logarithm of the ratio of seconds per step
  double requests = 0;
  double tokens_per_request = 0;
  double busy = 0;
};

/// How steady the computer was that a result was measured on (BaselineSpeed).
struct MeasuredSpeed {
  std::size_t runs = 0;
  double median = 0;  // seconds of the baseline step
  double least = 0;
  double most = 0;
  std::size_t left_out = 0;  // runs, by DifferenceOptions::steady
};

/// Two results, point by point.
struct ResultDifferences {
  struct Metric {
    std::string name;
    std::string unit;
  };
  std::vector<std::string> axes;                   // paths of the axes that tell settings apart
  std::vector<std::vector<std::string>> settings;  // their values
  std::vector<Metric> metrics;
  std::vector<ComparedPoint> points;  // in the order of A
  std::vector<Difference> rows;       // by metric, then by point
  std::vector<ErrorSummary> summaries;
  std::vector<RankAgreement> rankings;
  std::vector<ThroughputShares> shares;  // one for each point
  std::vector<LonePoint> lone;
  std::vector<std::string> fixed;             // "axis=value" of what only one file has
  std::optional<MeasuredSpeed> speed_a = {};  // nothing where no baseline was measured
  std::optional<MeasuredSpeed> speed_b = {};
};

/// Errors: those of pair_points; a metric that a file does not have, or none of the usual ones; a policy
/// that is said to be fitted and is not among A's pairs.
Result<ResultDifferences> compare_results(const ResultFile& a, const ResultFile& b,
                                          const DifferenceOptions& options);

}  // namespace dspark
