#pragma once

#include <string>

#include "policies/parameters.h"
#include "tests/experiments/published_results/served.h"

namespace dspark::testing {

/// A machine whose drafter draws one token after the other, so that every draft step costs time and all
/// requests wait for the longest draft: what rules that stop drafting were made for. Defaults: 20 ms for the
/// target, 2 ms for a draft step, and a confidence and an entropy that know much of the acceptance.
struct SequentialDrafter {
  std::string survival = "[0.80, 0.66, 0.56, 0.48, 0.41, 0.35, 0.30, 0.26, 0.22, 0.19, 0.165, 0.143]";
  double auc = 0.85;
  std::string more_acceptance = "signal_noise: 0.3";  // further keys of `acceptance`
  double step_ms = 20;
  double row_ms = 0.3;
  double draft_ms = 2;  // of a draft step for one request; twice as much for 1024
  int users = 4;
  int output_tokens = 300;
  int requests = 300;

  std::string yaml() const {
    return "machine:\n  modelled:\n    verify_cost: {bias_ms: " + number_text(step_ms) +
           ", per_token_ms: " + number_text(row_ms) +
           "}\n    draft_cost: {table: draft.csv, drafter: sequential}\n    acceptance: {auc: " +
           number_text(auc) + ", survival: " + survival + ", " + more_acceptance +
           "}\nengine: {max_num_seqs: 256, prefill: elsewhere}\nworkload:\n  arrivals: {closed_loop: "
           "{users: " +
           std::to_string(users) +
           "}}\n  prompt_tokens: {fixed: 100}\n  output_tokens: {fixed: " + std::to_string(output_tokens) +
           "}\nstop: {requests: " + std::to_string(requests) +
           ", warmup_requests: " + std::to_string(2 * users) + "}\n";
  }

  Metrics serve(const std::string& policy, int replications = 2) const {
    const std::string draft_table =
        "requests,draft_ms\n1," + number_text(draft_ms) + "\n1024," + number_text(2 * draft_ms) + "\n";
    return testing::serve(yaml(), policy, replications, draft_table);
  }
};

}  // namespace dspark::testing
