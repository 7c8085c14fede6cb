#pragma once

#include <random>
#include <vector>

#include "tests/policies/depth/scene.h"

namespace dspark::testing {

/// What one step of a `Scene` did; all that was drafted was verified.
struct PlayedStep {
  std::vector<int> drafted;                 // (requests)
  std::vector<int> accepted;                // (requests)
  std::vector<std::uint8_t> finished = {};  // (requests); empty: nobody
  std::vector<float> chosen = {};           // position k of request r at (k - 1) * requests + r
  std::vector<float> divergence = {};       // likewise
  double seconds = 0.01;
};

/// Tells `policy` what the step did that it has planned in `scene`, and goes on to the next one. A request
/// that finished is followed by a new one of the same number.
inline void observe(DepthPolicy& policy, Scene& scene, PlayedStep played) {
  played.finished.resize(played.drafted.size(), 0);
  StepOutcome outcome;
  outcome.request = scene.request();
  outcome.drafted = played.drafted;
  outcome.verified = played.drafted;
  outcome.accepted = played.accepted;
  outcome.finished = played.finished;
  outcome.seconds.verify = played.seconds;
  outcome.step = scene.step;
  outcome.drafts.stride = played.drafted.size();
  outcome.drafts.chosen = played.chosen;
  outcome.divergence = played.divergence;
  policy.observe(outcome);
  for (std::size_t r = 0; r < played.finished.size(); ++r) {
    scene.rounds[r] = played.finished[r] ? 0 : scene.rounds[r] + 1;
  }
  ++scene.step;
}

/// Tokens accepted of k, each with probability `acceptance`.
inline int accepted_of(std::mt19937& coins, int k, double acceptance) {
  int accepted = 0;
  while (accepted < k && static_cast<double>(coins()) * 0x1p-32 < acceptance) ++accepted;
  return accepted;
}

}  // namespace dspark::testing
