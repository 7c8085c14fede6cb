#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sim/planning/service_limit.h"

namespace dspark {

enum class Verdict { kMet, kNotMet, kUndecided };

/// When a sequential test of limits stops. Replications are added in pairs; after each pair from the second
/// on, every limit's margin has a one-sided Student interval, and
///
///     met       all intervals are above 0, each at level false_acceptance / looks
///     not met   one interval is below 0, at level false_rejection (a look before the second pair included)
///     undecided most replications are used up
///
/// Where a limit does not hold, the test says "met" with probability at most false_acceptance (Bonferroni
/// over the looks; over the limits nothing is to be paid, since all must pass). A wrong "not met" costs chips
/// and never the promise; its level is by look.
struct SequentialTest {
  double false_acceptance = 0.05;  // of one whole test
  double false_rejection = 0.05;   // of one look
  int most = 16;                   // replications, even, >= 4

  int looks() const { return most / 2 - 1; }
};

/// What a limit's replications say together.
struct MarginEstimate {
  double mean = 0;
  double standard_error = 0;
  double value = 0;  // mean of the replications' quantiles (or means), in the limit's unit
};

struct TestOutcome {
  Verdict verdict = Verdict::kUndecided;
  int replications = 0;
  std::vector<MarginEstimate> margins = {};  // by limit
  double busy_share = 0;                     // mean over the replications
  double user_speed = 0;
  std::string error = {};  // of a replication that could not be served
  /// The limit that fails, or is nearest to: least mean / standard error. 0 where there are none.
  std::size_t binding() const;
};

/// One replication; nothing: interrupted.
using Observe = std::function<std::optional<ReplicaObservation>(int replication)>;

/// The verdict after these replications; nothing where the test goes on. Their number must be even.
std::optional<Verdict> judge(const SequentialTest& test, std::span<const MarginEstimate> margins,
                             int replications);

/// Mean and standard error of each limit's margin. The deviation of a limit is not taken below its least one:
/// a few replications that all meet it would show none.
std::vector<MarginEstimate> estimate_margins(std::span<const ReplicaObservation> observations);

/// Runs replications 0, 1, … until the test stops; nothing: interrupted.
std::optional<TestOutcome> run_test(const SequentialTest& test, const Observe& observe);

}  // namespace dspark
