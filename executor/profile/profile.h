#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"
#include "executor/profile/cost_fit.h"
#include "executor/profile/profile_grid.h"
#include "executor/profile/repeated_measurement.h"
#include "kernels/kernels.h"

namespace dspark {

struct ProfileOptions {
  int repeats = 5;
  std::vector<int> draft_requests;  // whose drafting is measured, and whose steps are served; those that fit
  int kv_blocks = 0;
  int block_tokens = 16;
  int max_rows = 0;       // of one step
  float temperature = 0;  // of the requests: 0 looks for the likeliest tokens, above it samples
};

/// Drafting, by the requests that draft.
struct DraftPoint {
  int requests = 0;
  RepeatedSeconds seconds;  // of a whole block
};

/// What steps of a model cost on this computer.
struct Profile {
  std::vector<ProfilePoint> points;
  GridMeasurement verify;
  CostFit fit;
  std::vector<DraftPoint> draft;              // empty without a drafter
  std::vector<CostTable::Point> draft_table;  // what of it a modelled machine reads: monotone, by requests
  double one_token_share = 1;  // of a block's time, what a block of one token takes (of a block drafter)
  double step_overhead_seconds = 0;  // of the runner per step, beside forward pass and drafting
  double engine_seconds = 0;         // of the engine per step; not on an experiment's clock
  double idle_drafter_tax = 0;  // share of verification that a loaded drafter takes in a step without drafts
  double noise = 0;             // median of the points'
};

/// How much there is to measure.
struct ProfileForecast {
  int points = 0;
  int passes = 0;      // of the target, serving apart
  double seconds = 0;  // about, by a line through the smallest and the largest step
};
ProfileForecast forecast_profile(Kernels& kernels, TargetModel& target, const ProfileGrid& grid,
                                 const ProfileOptions& options);

/// Measures the grid's points and the drafter, which may be null. Fits a table and linear terms to the points
/// (cost_fit.h). progress: told of finished measurements out of all; may be empty.
Profile measure_profile(Kernels& kernels, TargetModel& target, Drafter* drafter, const ProfileGrid& grid,
                        const ProfileOptions& options, const std::function<void(int done, int of)>& progress);

}  // namespace dspark
