#pragma once

#include <vector>

#include "executor/model/target_model.h"
#include "policies/error.h"

namespace dspark {

/// A step to measure: so many rows, spread evenly over so many requests, each with a context before its rows.
struct ProfilePoint {
  int tokens = 0;    // rows of the step, at least `requests`
  int requests = 0;  // from 1
  int context_tokens = 0;

  /// Of request r: the first tokens % requests have one more.
  int rows_of(int request) const { return tokens / requests + (request < tokens % requests ? 1 : 0); }
  /// The sum over the rows of the tokens that each attends to, its own among them.
  double attended_tokens() const;
  /// Of the KV cache.
  int blocks(int block_tokens) const;
};

/// What is measured: each list rises.
struct ProfileSizes {
  std::vector<int> tokens = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128};
  std::vector<int> requests = {1, 2, 4, 8, 16};
  std::vector<int> context_tokens = {32, 256, 1024};
};

/// What the machine holds.
struct ProfileLimits {
  int kv_blocks = 0;
  int block_tokens = 0;
  int max_positions = 0;  // of one text
};

struct ProfileGrid {
  std::vector<ProfilePoint> points;  // by tokens, requests, context
  int left_out = 0;  // combinations with a row for each request that do not fit into the KV cache
};

/// Every combination with at least a row for each request that fits. Errors: fewer than two sizes of a step,
/// as a cost table needs them; sizes that do not rise or are out of range (tokens and requests from 1); texts
/// longer than the model's positions; a size of a step that no point has.
Result<ProfileGrid> make_profile_grid(const ProfileSizes& sizes, const ProfileLimits& limits);

}  // namespace dspark
