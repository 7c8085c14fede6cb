#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/demand/assumption.h"

namespace dspark {

/// What a user of one segment meets. Tokens are weighted: an output token counts 1, a context token what it
/// costs relative to that. Prices and waiting are those of a request of the baseline's length, so that longer
/// requests are a choice (intensity) and not a price.
struct Conditions {
  double dollars_per_million_tokens = 1;  // > 0
  double dollars_per_request = 1;         // > 0
  double latency_seconds = 1;             // until the whole reply is there, > 0
  double user_speed = 1;                  // output tokens per second, > 0
};

/// How the number of requests answers to price: one form of the literature. Immutable.
class DemandForm {
 public:
  virtual ~DemandForm() = default;
  /// Requests relative to those at `base`: 1 where `now` equals it, never negative.
  virtual double relative_volume(const Conditions& now, const Conditions& base) const = 0;
  /// Dollars per second of waiting where the form prices time; 0 where it does not.
  virtual double value_of_time() const { return 0; }
  /// The elasticity as the file states it (to the generalised cost where the form has one); nothing where the
  /// form has none.
  virtual std::optional<double> stated_elasticity() const { return std::nullopt; }
};

template <class Form>
std::unique_ptr<const DemandForm> construct_demand_form(Parameters& parameters,
                                                        const SegmentContext& context) {
  return std::make_unique<const Form>(parameters, context);
}

struct DemandFormEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<const DemandForm> (*construct)(Parameters&, const SegmentContext&);
};
/// All of demand_forms.inc.
const std::vector<DemandFormEntry>& demand_forms();

}  // namespace dspark
