#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/demand/demand_form.h"
#include "sim/demand/latency_response.h"
#include "sim/demand/threshold_mixture.h"

namespace dspark {

/// Which of a segment's channels answer to price and latency; the others stay as at the baseline.
struct ActiveChannels {
  bool volume = true;            // more requests of the applications that exist
  bool intensity = true;         // longer contexts and replies
  bool new_applications = true;  // applications that were not worth building
  bool any() const { return volume || intensity || new_applications; }
};

/// Demand of one segment or of all: weighted tokens are what is priced and computed.
struct DemandedLoad {
  double requests_per_second = 0;
  double tokens_per_second = 0;  // weighted
};

/// A kind of usage: chat, coding agents, batch jobs. Its demand is requests * tokens per request, where
///
///     requests = baseline * min((volume form * latency response * new applications)^strength, saturation)
///     context  = baseline * (price / baseline price)^(-context elasticity * strength), output likewise
///
/// and requests are cut to what the budget pays. Prices that it answers to are those per token; the latency
/// is that of a request of the baseline's length.
struct Segment {
  std::string name = {};
  double requests_per_second = 0;  // at the baseline, > 0
  double context_tokens = 0;       // per request at the baseline, >= 0
  double output_tokens = 1;        // per request at the baseline, >= 1
  std::unique_ptr<const DemandForm> volume = {};
  std::unique_ptr<const LatencyResponse> latency = {};
  double context_elasticity = 0;
  double output_elasticity = 0;
  std::unique_ptr<const ThresholdMixture> new_applications = {};  // nullptr: none
  double saturation = 0;                                          // requests over the baseline's; 0: none
  double budget_dollars_per_hour = 0;                             // 0: none

  /// Weighted tokens of a request at the baseline.
  double tokens_per_request(double context_token_weight) const {
    return context_token_weight * context_tokens + output_tokens;
  }
  /// Demand at `now`. strength >= 0 scales every answer: 0 freezes them, 1 is the segment as described, and a
  /// form of constant elasticity e answers with elasticity e * strength.
  DemandedLoad demand(const Conditions& now, const Conditions& base, double context_token_weight,
                      const ActiveChannels& channels = {}, double strength = 1) const;
};

/// Reads a segment; `elasticity` is the file's own for segments that say none, and may be empty. What the
/// numbers rest on is appended to `assumptions`.
Segment read_segment(Parameters& parameters, const std::string& name,
                     const std::optional<Assumption>& elasticity, std::vector<Assumption>& assumptions);

}  // namespace dspark
