#pragma once

#include <vector>

#include "sim/acceptance/acceptance_model.h"
#include "sim/acceptance/latent_columns.h"
#include "sim/acceptance/text_field.h"

namespace dspark {

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
  /// Columns of the step in progress; one per thread, grown once.
  struct Scratch {
    std::vector<std::uint32_t> position_and_attempt;  // (rows)
    std::vector<std::uint32_t> words;                 // (4, rows)
    std::vector<float> logits;                        // (depth, rows)
    std::vector<float> unseen;                        // (rows) logits that the confidence does not follow
    std::vector<float> probability;                   // (rows)
    DrawColumns draws;
  };
  void draw_logits(RandomKey key, const RunnerRows& rows, int depth, Scratch& scratch,
                   TextWindows& text) const;
  /// Moves the logits by context and temperature.
  void move(const RunnerRows& rows, int depth, Scratch& scratch) const;
  void draw_confidences(const RunnerRows& rows, int depth, const Scratch& scratch,
                        DraftedBlocks& blocks) const;
  void draw_outcomes(RandomKey key, int depth, Scratch& scratch, DraftedBlocks& blocks) const;
  void draw_signals(RandomKey key, int depth, unsigned signals, Scratch& scratch,
                    DraftedBlocks& blocks) const;

  int block_size_;
  std::vector<std::vector<float>> position_effects_;  // (γ, domains)
  std::vector<float> deviation_;                      // (domains)
  TextField field_;
  std::vector<Miscalibration> miscalibration_;  // (domains)
  AcceptanceShift shift_;
  bool calibrated_ = true;  // the confidence is the probability
  float own_scale_;
  float signal_noise_;
};

}  // namespace dspark
