#include "sim/acceptance/latent_acceptance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr float kTailTokens = 20;  // effective number of tokens that share what the first choice leaves
constexpr float kSecondChoiceShare = .4f;  // of that rest, for the margin
constexpr float kTailAcceptance =
    .5f;  // a drafted second choice is accepted half as often as the block's average

}  // namespace

void DraftedBlocks::resize(std::size_t requests, int depth, unsigned signals) {
  stride = requests;
  const std::size_t cells = requests * static_cast<std::size_t>(depth);
  confidence.resize(cells);
  top1.resize(signals & kTop1 ? cells : 0);
  margin.resize(signals & kMargin ? cells : 0);
  entropy.resize(signals & kEntropy ? cells : 0);
  chosen.resize(signals & kChosen ? cells : 0);
  divergence.resize(signals & kDivergence ? cells : 0);
  accepted.resize(requests);
}

LatentAcceptance::LatentAcceptance(const std::vector<DomainLatent>& domains, const LatentSpread& spread,
                                   std::vector<Miscalibration> miscalibration, double signal_noise,
                                   const AcceptanceShift& shift)
    : block_size_(static_cast<int>(domains.at(0).position_effects.size())),
      position_effects_(domains[0].position_effects.size()),
      field_(spread),
      miscalibration_(std::move(miscalibration)),
      shift_(shift),
      own_scale_(
          static_cast<float>(std::sqrt(std::max(0.0, 1 - spread.between_request_share - spread.text_share)))),
      signal_noise_(static_cast<float>(signal_noise)) {
  if (miscalibration_.size() <= 1) {
    miscalibration_.resize(domains.size(), miscalibration_.empty() ? Miscalibration{} : miscalibration_[0]);
  }
  DSPARK_INVARIANT(miscalibration_.size() == domains.size());
  calibrated_ = !shift_.any() && std::all_of(miscalibration_.begin(), miscalibration_.end(),
                                             [](const auto& m) { return m.temperature == 1 && m.bias == 0; });
  for (const DomainLatent& domain : domains) {
    DSPARK_INVARIANT(static_cast<int>(domain.position_effects.size()) == block_size_);
    for (std::size_t k = 0; k < position_effects_.size(); ++k) {
      position_effects_[k].push_back(static_cast<float>(domain.position_effects[k]));
    }
    deviation_.push_back(static_cast<float>(domain.deviation));
  }
}

void LatentAcceptance::draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                            DraftedBlocks& blocks) const {
  blocks.resize(rows.size(), depth, signals);
  thread_local Scratch scratch;
  draw_logits(key, rows, depth, scratch, blocks.text);
  if (!calibrated_) scratch.unseen.assign(rows.size(), 0);
  if (shift_.any()) move(rows, depth, scratch);
  draw_confidences(rows, depth, scratch, blocks);
  draw_outcomes(key, depth, scratch, blocks);
  if (signals != kConfidenceOnly) draw_signals(key, depth, signals, scratch, blocks);
}

void LatentAcceptance::draw_logits(RandomKey key, const RunnerRows& rows, int depth, Scratch& scratch,
                                   TextWindows& text) const {
  const std::size_t stride = rows.size();
  scratch.position_and_attempt.resize(stride);
  for (std::size_t r = 0; r < stride; ++r) {
    scratch.position_and_attempt[r] = static_cast<std::uint32_t>(rows.anchor_position[r]) |
                                      static_cast<std::uint32_t>(rows.attempt[r]) << 24;
  }
  scratch.draws = {stride, rows.source.data(), rows.ordinal.data(), scratch.position_and_attempt.data()};
  scratch.words.resize(4 * stride);
  scratch.logits.resize(static_cast<std::size_t>(depth) * stride);
  text.read(field_, key, rows.source, rows.ordinal, rows.anchor_position, depth, scratch.logits.data());
  const LatentColumns& columns = latent_columns(simd_target());
  for (std::size_t k = 0; k < static_cast<std::size_t>(depth); ++k) {
    const auto group = static_cast<std::uint32_t>(k / 4);
    if (k % 4 == 0) columns.draw_words(key, Stream::kDraftLatent, group, scratch.draws, scratch.words.data());
    columns.logits({.rows = stride,
                    .bits = scratch.words.data() + k % 4 * stride,
                    .own_scale = own_scale_,
                    .deviation = deviation_.data(),
                    .effect = position_effects_[k].data(),
                    .domain = deviation_.size() == 1 ? nullptr : rows.domain.data(),
                    .latent_to_logit = scratch.logits.data() + k * stride});
  }
}

void LatentAcceptance::move(const RunnerRows& rows, int depth, Scratch& scratch) const {
  constexpr double kLogOfTwo = 0.6931471805599453;
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const double context = std::max(1, static_cast<int>(rows.anchor_position[r])) /
                           static_cast<double>(shift_.trained_context_tokens);
    const double temperature = rows.temperature.empty() ? 1.0 : static_cast<double>(rows.temperature[r]);
    const double shift =
        shift_.logits_per_context_doubling * std::max(0.0, log_portable(context) / kLogOfTwo) +
        shift_.logits_per_temperature * (temperature - shift_.trained_temperature);
    scratch.unseen[r] = static_cast<float>((1 - shift_.seen_share) * shift);
    for (int k = 0; k < depth; ++k) {
      scratch.logits[static_cast<std::size_t>(k) * stride + r] += static_cast<float>(shift);
    }
  }
}

void LatentAcceptance::draw_confidences(const RunnerRows& rows, int depth, const Scratch& scratch,
                                        DraftedBlocks& blocks) const {
  if (calibrated_) {
    latent_columns(simd_target())
        .logistic(scratch.logits.data(), blocks.confidence.data(), blocks.confidence.size());
    return;
  }
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const Miscalibration& distortion = miscalibration_[static_cast<std::size_t>(rows.domain[r])];
    const auto inverse_temperature = static_cast<float>(1 / distortion.temperature);
    const auto bias = static_cast<float>(distortion.bias);
    for (int k = 0; k < depth; ++k) {
      const std::size_t i = static_cast<std::size_t>(k) * stride + r;
      blocks.confidence[i] = logistic((scratch.logits[i] - scratch.unseen[r]) * inverse_temperature + bias);
    }
  }
}

void LatentAcceptance::draw_outcomes(RandomKey key, int depth, Scratch& scratch,
                                     DraftedBlocks& blocks) const {
  const std::size_t stride = blocks.stride;
  const LatentColumns& columns = latent_columns(simd_target());
  std::fill(blocks.accepted.begin(), blocks.accepted.end(), 0);
  scratch.probability.resize(stride);
  for (int k = 0; k < depth; ++k) {
    const auto group = static_cast<std::uint32_t>(k / 4);
    if (k % 4 == 0) columns.draw_words(key, Stream::kAcceptance, group, scratch.draws, scratch.words.data());
    const std::size_t column = static_cast<std::size_t>(k) * stride;
    const float* probability = blocks.confidence.data() + column;
    if (!calibrated_) {
      columns.logistic(scratch.logits.data() + column, scratch.probability.data(), stride);
      probability = scratch.probability.data();
    }
    columns.accept(k, scratch.words.data() + static_cast<std::size_t>(k % 4) * stride, probability,
                   blocks.accepted.data(), stride);
  }
}

void LatentAcceptance::draw_signals(RandomKey key, int depth, unsigned signals, Scratch& scratch,
                                    DraftedBlocks& blocks) const {
  const float* grid = normal_grid();
  const std::size_t stride = blocks.stride;
  const std::vector<float>& logits = scratch.logits;
  const LatentColumns& columns = latent_columns(simd_target());
  for (int k = 0; k < depth; ++k) {
    columns.draw_words(key, Stream::kSignalNoise, static_cast<std::uint32_t>(k), scratch.draws,
                       scratch.words.data());
    for (std::size_t r = 0; r < stride; ++r) {
      const std::size_t i = static_cast<std::size_t>(k) * stride + r;
      const auto noise = [&](std::size_t word) { return scratch.words[word * stride + r]; };
      const float top1 = std::clamp(logistic(logits[i] + signal_noise_ * normal_from_bits(noise(0), grid)),
                                    1e-6f, 1 - 1e-6f);
      const float rest = 1 - top1;
      if (signals & kTop1) blocks.top1[i] = top1;
      if (signals & kMargin) {
        blocks.margin[i] = std::max(0.0f, log_portable(top1 / (rest * kSecondChoiceShare)));
      }
      if (signals & kEntropy) {
        blocks.entropy[i] = -top1 * log_portable(top1) - rest * log_portable(rest / kTailTokens);
      }
      if (signals & kDivergence) {
        // The least that a total variation of 1 - c allows (Bretagnolle and Huber): KL >= -ln(1 - (1 - c)^2).
        const float distance = std::min(1 - logistic(logits[i]), 1 - 1e-6f);
        blocks.divergence[i] = -log_portable(1 - distance * distance);
      }
      if (signals & kChosen) {
        // Given its outcome, was the drafted token the first choice? Bayes over P(accepted | choice), whose
        // mean is c.
        const float c = logistic(logits[i]);
        const float first = std::min(1.0f, (c - rest * c * kTailAcceptance) / top1);
        const bool accepted = k < blocks.accepted[r];
        const float joint = top1 * (accepted ? first : 1 - first);
        // Behind the first rejection there is no outcome to condition on.
        const float given = k > blocks.accepted[r] ? top1 : joint / std::max(1e-12f, accepted ? c : 1 - c);
        const bool is_first = static_cast<float>(noise(1) >> 8) * 0x1p-24f < given;
        const float second = rest * kSecondChoiceShare * static_cast<float>((noise(2) >> 8) + 1) * 0x1p-24f;
        blocks.chosen[i] = is_first ? top1 : second;
      }
    }
  }
}

}  // namespace dspark
