#pragma once

#include <string>

#include "policies/parameters.h"
#include "tests/experiments/published_results/served.h"

namespace dspark::testing {

/// A machine whose drafter drafts a block of seven at once, so that what is verified is what costs: for rules
/// that share out verification. A closed loop of users keeps the batch at its size, unless `arrivals` says
/// else. Defaults: 10 ms a step and 50 µs a row, drafting for free, requests that differ as those of the
/// studies do.
struct BlockDrafter {
  std::string verify_cost = "{bias_ms: 10, per_token_ms: 0.05}";  // or {table: verify.csv}
  std::string verify_table = "";                                  // CSV: tokens,step_ms
  std::string survival = "[0.8, 0.64, 0.51, 0.41, 0.33, 0.26, 0.21]";
  std::string more_acceptance = "auc: 0.85";  // further keys of `acceptance`
  double decision_ms = 0;
  int users = 64;
  std::string arrivals = "";  // of the workload; empty: the closed loop
  int output_tokens = 200;
  int requests = 400;

  std::string yaml() const {
    const std::string closed_loop = "{closed_loop: {users: " + std::to_string(users) + "}}";
    return "machine:\n  modelled:\n    verify_cost: " + verify_cost +
           "\n    decision_overhead_ms: " + number_text(decision_ms) +
           "\n    acceptance: {survival: " + survival + ", " + more_acceptance +
           "}\nengine: {max_num_seqs: 512, prefill: elsewhere}\nworkload:\n  arrivals: " +
           (arrivals.empty() ? closed_loop : arrivals) +
           "\n  prompt_tokens: {fixed: 100}\n  output_tokens: {fixed: " + std::to_string(output_tokens) +
           "}\nstop: {requests: " + std::to_string(requests) +
           ", warmup_requests: " + std::to_string(2 * users) + "}\n";
  }

  Metrics serve(const std::string& policy, int replications = 2) const {
    return testing::serve(yaml(), policy, replications, verify_table);
  }
  double throughput(const std::string& policy) const { return serve(policy)["throughput"]; }
};

}  // namespace dspark::testing
