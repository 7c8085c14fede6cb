#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"
#include "executor/runner/given_requests.h"
#include "policies/error.h"
#include "sim/recording/run_recording.h"

namespace dspark {

struct ServedRoundsOptions {
  SamplingRule sampling = {};  // its temperature is each request's own
  std::uint64_t seed = 0;
  std::vector<std::int32_t> end_tokens =
      {};                            // any of them ends a reply; none: replies have their full length
  int max_num_seqs = 8;              // requests side by side; the drafter has room for as many
  int max_num_batched_tokens = 512;  // rows of a step
  int kv_blocks = 0;                 // of the target's cache
  int block_tokens = 16;
  std::vector<std::string> domains = {};  // names of GivenRequest::domain
  /// Called when so many requests have finished; false ends the run.
  std::function<bool(std::size_t)> progress = {};
};

/// Serves requests by the serving engine and records every round: whole blocks are drafted and verified, so
/// that each round says how the drafter fares, whatever a policy would have made of it. Errors: a request
/// that the cache cannot hold; `progress` ended the run.
Result<RunRecording> served_rounds(Kernels& kernels, TargetModel& target, Drafter& drafter,
                                   std::vector<GivenRequest> requests, const ServedRoundsOptions& options);

}  // namespace dspark
