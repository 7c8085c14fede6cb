#pragma once

#include <vector>

#include "sim/acceptance/acceptance_model.h"

namespace dspark {

/// How much drafts differ, and along what. Shares are of the latent's variance; what is left of 1 is the
/// draft's own luck, drawn anew in every round.
struct LatentSpread {
  double between_request_share = 0.1;  // some requests are easier than others
  double text_share = 0.4;             // and some stretches of a text
  int text_correlation_tokens = 8;     // tokens over which a text's difficulty changes
};

/// What `solve_position_effects` finds for one domain.
struct DomainLatent {
  std::vector<double> position_effects;  // (γ) logits
  double deviation = 1;  // of the latent, in logits: the more, the more the confidence tells (AUC)
};

/// Confidence = logistic(logit / temperature + bias): 1 and 0 leave it calibrated by construction.
struct Miscalibration {
  double temperature = 1;
  double bias = 0;
};

/// What moves acceptance away from where drafter and confidence head were trained, in logits of the
/// conditional acceptance. Zero slopes: nothing does.
struct AcceptanceShift {
  double logits_per_context_doubling = 0;  // for each doubling of the tokens before the anchor beyond:
  int trained_context_tokens = 4096;
  double logits_per_temperature = 0;  // for each unit of sampling temperature above:
  double trained_temperature = 1;
  /// How much of the shift the confidence follows: 1 all of it, so that it stays calibrated; 0 none.
  double seen_share = 0;

  bool any() const { return logits_per_context_doubling != 0 || logits_per_temperature != 0; }
};

/// Acceptance from a latent difficulty. The conditional acceptance of draft position k is
///
///     c_k = logistic(position_effect_k + deviation · (√share_r·Z + √share_t·W(anchor + k) + √rest·N_k))
///
/// with Z the request's own, W a correlated field along its text and N_k fresh in each round, all standard
/// normal. The drafter sees exactly this c_k and the verifier accepts with exactly this probability, so the
/// confidence is calibrated; Miscalibration distorts it on top, and an AcceptanceShift moves acceptance with
/// context and temperature, whether the confidence follows or not. Top-1 probability, margin and entropy are
/// functions of the same latent with noise of their own (`signal_noise`, in units of the logit).
class LatentAcceptance final : public AcceptanceModel {
 public:
  /// All domains have the same γ; `miscalibration` has one entry per domain, one for all, or none.
  LatentAcceptance(const std::vector<DomainLatent>& domains, const LatentSpread& spread,
                   std::vector<Miscalibration> miscalibration, double signal_noise,
                   const AcceptanceShift& shift = {});

  int block_size() const override { return block_size_; }
  void draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
            DraftedBlocks& blocks) const override;

 private:
  void draw_logits(RandomKey key, const RunnerRows& rows, int depth, std::vector<float>& logits) const;
  /// Moves the logits by context and temperature; `unseen` (rows) gets what the confidence does not follow.
  void move(const RunnerRows& rows, int depth, std::vector<float>& logits, std::vector<float>& unseen) const;
  void draw_confidences(const RunnerRows& rows, int depth, const std::vector<float>& logits,
                        const std::vector<float>& unseen, DraftedBlocks& blocks) const;
  void draw_outcomes(RandomKey key, const RunnerRows& rows, int depth, const std::vector<float>& logits,
                     DraftedBlocks& blocks) const;
  void draw_signals(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                    const std::vector<float>& logits, DraftedBlocks& blocks) const;

  int block_size_;
  std::vector<std::vector<float>> position_effects_;  // (domains, γ)
  std::vector<float> deviation_;                      // (domains)
  LatentSpread spread_;
  std::vector<Miscalibration> miscalibration_;  // (domains)
  AcceptanceShift shift_;
  bool calibrated_ = true;  // the confidence is the probability
  float signal_noise_;
  std::vector<float> text_weight_;  // (2 · correlation): weights of the two knots around a text position
};

}  // namespace dspark
