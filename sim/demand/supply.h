#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

/// What is asked of the machines. Tokens are weighted: an output token counts 1, a context token what it
/// costs relative to that.
struct ServedLoad {
  double tokens_per_second = 0;
  double requests_per_second = 0;
  /// Of the request whose waiting is asked for: the baseline's mean length, whatever requests have become.
  double typical_tokens = 1;         // weighted
  double typical_output_tokens = 1;  // not weighted
};

/// What the operator does with a gain: two cuts through one shift of the frontier of throughput and user
/// speed.
struct OperatingRule {
  enum class Kind {
    kHoldSpeed,       // the baseline's user speed: chips are released
    kHoldThroughput,  // the baseline's tokens per chip: users are faster, no chips are released
    kReOptimise,      // least money + waiting per request at `value_of_time`
  };
  Kind kind = Kind::kHoldSpeed;
  double value_of_time = 0;  // $/s; for kReOptimise
};

/// What it takes to serve a load, per hour.
struct SupplyPoint {
  double gpus = 0;                     // provisioned: GPU-hours per hour
  double busy_share = 0;               // of the provisioned GPUs' time
  double dollars_per_hour = 0;         // of the provisioned GPUs
  double kilowatts = 0;                // kWh per hour
  double cost_per_million_tokens = 0;  // $, weighted tokens: what prices are made from (average cost)
  double user_speed = 0;               // output tokens/s of one user
  double waiting_seconds = 0;          // before and between tokens, beyond what user_speed says
};

/// Machines under one policy: the interface that a response surface built from simulations implements too.
/// One object is one policy (or none) on one kind of machine; an efficiency step is two of them. Immutable.
class Supply {
 public:
  virtual ~Supply() = default;
  /// Serves 0 < tokens_per_second <= largest_load(rule).
  virtual SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const = 0;
  /// With as many chips as hold the waiting (or the user speed) of `held` at this load, whoever bought them:
  /// what `serve` does, unless chips are fixed. The engineering saving and the shadow rebound of fixed chips
  /// are taken from here.
  virtual SupplyPoint sized(const ServedLoad& load, const OperatingRule& rule,
                            const SupplyPoint& held) const {
    static_cast<void>(held);
    return serve(load, rule);
  }
  /// The same load on `gpus` chips, whoever bought them: what a growth path asks for, where chips were
  /// ordered for another load. More load than they were meant for waits longer; at most largest_load_on.
  virtual SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const = 0;
  /// Most tokens/s that `gpus` chips serve at any waiting; proportional to them.
  virtual double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const = 0;
  /// The same without a limit on chips, for what demand would be at the baseline's waiting (shadow demand):
  /// what `sized` does, unless chips are capped.
  virtual SupplyPoint unlimited(const ServedLoad& load, const OperatingRule& rule,
                                const SupplyPoint& held) const {
    return sized(load, rule, held);
  }
  /// True where the number of chips does not depend on the load.
  virtual bool chips_are_fixed() const { return false; }
  /// Most tokens/s that are ever served; infinite where capacity grows without end. `typical`: its typical
  /// request.
  virtual double largest_load(const ServedLoad& typical, const OperatingRule& rule) const {
    static_cast<void>(typical), static_cast<void>(rule);
    return std::numeric_limits<double>::infinity();
  }
  /// Relative standard error of gpus, dollars and kilowatts; 0 for formulas.
  virtual double relative_error() const { return 0; }
  /// User speed of a user alone, in tokens/s; infinite where unknown.
  virtual double fastest_user_speed() const { return std::numeric_limits<double>::infinity(); }
};

/// The step in efficiency that a supply is asked for: 1 and 1 are the baseline.
struct EfficiencyGain {
  double gain = 1;        // g: baseline GPU-hours over new ones, same tasks, same user speed
  double speed_gain = 1;  // h: user speed over the baseline's, same tokens per chip
};

template <class Kind>
std::unique_ptr<const Supply> construct_supply(Parameters& parameters, const EfficiencyGain& gain) {
  return std::make_unique<const Kind>(parameters, gain);
}

struct SupplyEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<const Supply> (*construct)(Parameters&, const EfficiencyGain&);
};
/// All of supplies.inc.
const std::vector<SupplyEntry>& supplies();

}  // namespace dspark
