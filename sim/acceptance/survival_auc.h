#pragma once

#include <cstddef>
#include <vector>

#include "sim/acceptance/round_law.h"

namespace dspark {

/// How well the survival that the drafter sees tells accepted prefixes from rejected ones: its AUC against
/// "the first k were accepted", averaged over the first positions. Over a fixed lattice of rounds, each with
/// the weight at which a RoundLaw starts rounds there; error below 0.001 (survival_auc_test).
class SurvivalAuc {
 public:
  explicit SurvivalAuc(const RoundLaw& law);

  /// `law` settled on `latent`, of the spread and depth that this was made for; mean over k 1 .. `positions`;
  /// 0.5 .. 1, and 0.5 for no positions.
  double of(const DomainLatent& latent, const RoundLaw& law, std::size_t positions);

 private:
  struct Start {
    std::size_t phase;
    double request, left, right;
  };

  std::size_t depth_;
  std::vector<Start> start_;              // (rounds)
  std::vector<float> latent_;             // (depth, rounds) text field and own luck
  std::vector<float> weight_, survival_;  // (rounds)
  std::vector<float> accepted_, all_;     // (bins) of survival: weight of accepted prefixes and of rounds
};

}  // namespace dspark
