#pragma once

#include <string>
#include <vector>

#include "sim/demand/growth/diffusion.h"
#include "sim/demand/market.h"

namespace dspark {

/// How a segment grows by itself, whatever tokens cost: people, products, agents.
struct Development {
  double growth_per_year = 1;  // factor: 1.5 is half as much again each year
  double potential = 1;        // requests once all have adopted, over the baseline's
  Diffusion adoption = {};     // from the baseline to the potential
  /// Requests over those of the baseline at the baseline's price and latency.
  double factor(double years) const;
};

/// GPUs that can be bought from some day on, relative to the machine of the file.
struct Generation {
  std::string name = {};
  double from_years = 0;
  double gain = 1;     // tokens per GPU at the same user speed
  double dollars = 1;  // per GPU-hour
  double watts = 1;    // idle and active
};

/// Everything that moves a market from epoch to epoch (`growth` of a file). Epoch i lies i * epoch_years
/// after the baseline.
struct GrowthPlan {
  double epoch_years = 0.25;
  int epochs = 20;
  double demand_adjustment = 1;  // k: share of the gap to the long-run answer closed per epoch, in logarithms
  int contract_epochs = 1;       // prices are renewed every so many epochs
  int lead_epochs = 0;           // from an order of GPUs to their first use
  bool trend = false;            // orders extrapolate the last epoch's growth; else they expect today's load
  int life_epochs = 0;           // of a GPU; 0: for ever
  bool keeps_idle = false;       // GPUs that are not needed stay and are paid for
  double most_gpus = 0;          // in all; 0: no cap
  double most_kilowatts = 0;     // of all at the target utilisation; 0: no cap
  Diffusion policy = {};         // share of the servers that run the better policy
  std::vector<Generation> generations = {};  // by the day they appear; the first is the machine of the file
  std::vector<Development> segments = {};    // in the market's order
  std::vector<Assumption> assumptions = {};
};

/// Reads `growth`, and `growth_per_year` and `adoption` of each segment, of a file whose market was read from
/// the same parameters. Errors are added to them: among others, supplies whose chips are fixed (`most_gpus`
/// says that here).
GrowthPlan read_growth_plan(Parameters& parameters, const Market& market);

}  // namespace dspark
