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
      spread_(spread),
      miscalibration_(std::move(miscalibration)),
      shift_(shift),
      signal_noise_(static_cast<float>(signal_noise)) {
  if (miscalibration_.size() <= 1) {
    miscalibration_.resize(domains.size(), miscalibration_.empty() ? Miscalibration{} : miscalibration_[0]);
  }
  DSPARK_INVARIANT(miscalibration_.size() == domains.size());
  calibrated_ = !shift_.any() && std::all_of(miscalibration_.begin(), miscalibration_.end(),
                                             [](const auto& m) { return m.temperature == 1 && m.bias == 0; });
  for (const DomainLatent& domain : domains) {
    DSPARK_INVARIANT(static_cast<int>(domain.position_effects.size()) == block_size_);
    position_effects_.emplace_back(domain.position_effects.begin(), domain.position_effects.end());
    deviation_.push_back(static_cast<float>(domain.deviation));
  }
  // Between two knots the field is a blend whose squared weights add up to 1, so its variance is 1
  // everywhere.
  const int cells = spread.text_correlation_tokens;
  const double scale = std::sqrt(spread.text_share);
  for (int i = 0; i < cells; ++i) {
    const double right = (i + 0.5) / cells;
    const double norm = std::sqrt(right * right + (1 - right) * (1 - right));
    text_weight_.push_back(static_cast<float>(scale * (1 - right) / norm));
    text_weight_.push_back(static_cast<float>(scale * right / norm));
  }
}

void LatentAcceptance::draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                            DraftedBlocks& blocks) const {
  blocks.resize(rows.size(), depth, signals);
  // Columns of the step's logits; one per thread, grown once.
  thread_local std::vector<float> logits, unseen;
  logits.resize(blocks.confidence.size());
  draw_logits(key, rows, depth, logits);
  if (!calibrated_) unseen.assign(rows.size(), 0);
  if (shift_.any()) move(rows, depth, logits, unseen);
  draw_confidences(rows, depth, logits, unseen, blocks);
  draw_outcomes(key, rows, depth, logits, blocks);
  if (signals != kConfidenceOnly) draw_signals(key, rows, depth, signals, logits, blocks);
}

void LatentAcceptance::draw_logits(RandomKey key, const RunnerRows& rows, int depth,
                                   std::vector<float>& logits) const {
  const float* grid = normal_grid();
  const std::size_t stride = rows.size();
  const int cells = spread_.text_correlation_tokens;
  const double own_share = std::max(0.0, 1 - spread_.between_request_share - spread_.text_share);
  const auto own_scale = static_cast<float>(std::sqrt(own_share));
  const auto request_scale = static_cast<float>(std::sqrt(spread_.between_request_share));
  for (std::size_t r = 0; r < stride; ++r) {
    const std::uint32_t source = rows.source[r], ordinal = rows.ordinal[r];
    const auto anchor = static_cast<std::uint32_t>(rows.anchor_position[r]);
    const auto attempt = static_cast<std::uint32_t>(rows.attempt[r]);
    const float* effects = position_effects_[static_cast<std::size_t>(rows.domain[r])].data();
    const float deviation = deviation_[static_cast<std::size_t>(rows.domain[r])];
    const RandomWords request = draw_words(key, Stream::kRequestLatent, source, ordinal);
    const float base = request_scale * normal_from_bits(request[0], grid);

    std::uint32_t knot_group = UINT32_MAX;
    RandomWords knots{};
    const auto knot = [&](std::uint32_t index) {
      if (index / 4 != knot_group) {
        knot_group = index / 4;
        knots = draw_words(key, Stream::kTextLatent, source, ordinal, knot_group);
      }
      return normal_from_bits(knots[index % 4], grid);
    };
    std::uint32_t left_index = (anchor + 1) / static_cast<std::uint32_t>(cells);
    std::uint32_t cell = (anchor + 1) % static_cast<std::uint32_t>(cells);
    float left = knot(left_index), right = knot(left_index + 1);
    RandomWords own{};
    for (int k = 0; k < depth; ++k) {
      if (k % 4 == 0) {
        own = draw_words(key, Stream::kDraftLatent, source, ordinal, anchor, attempt,
                         static_cast<std::uint32_t>(k / 4));
      }
      logits[static_cast<std::size_t>(k) * stride + r] =
          effects[k] +
          deviation * (base + text_weight_[2 * cell] * left + text_weight_[2 * cell + 1] * right +
                       own_scale * normal_from_bits(own[static_cast<std::size_t>(k % 4)], grid));
      if (++cell == static_cast<std::uint32_t>(cells)) {
        cell = 0;
        left = right;
        right = knot(++left_index + 1);
      }
    }
  }
}

void LatentAcceptance::move(const RunnerRows& rows, int depth, std::vector<float>& logits,
                            std::vector<float>& unseen) const {
  constexpr double kLogOfTwo = 0.6931471805599453;
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const double context = std::max(1, static_cast<int>(rows.anchor_position[r])) /
                           static_cast<double>(shift_.trained_context_tokens);
    const double temperature = rows.temperature.empty() ? 1.0 : static_cast<double>(rows.temperature[r]);
    const double shift =
        shift_.logits_per_context_doubling * std::max(0.0, log_portable(context) / kLogOfTwo) +
        shift_.logits_per_temperature * (temperature - shift_.trained_temperature);
    unseen[r] = static_cast<float>((1 - shift_.seen_share) * shift);
    for (int k = 0; k < depth; ++k) {
      logits[static_cast<std::size_t>(k) * stride + r] += static_cast<float>(shift);
    }
  }
}

void LatentAcceptance::draw_confidences(const RunnerRows& rows, int depth, const std::vector<float>& logits,
                                        const std::vector<float>& unseen, DraftedBlocks& blocks) const {
  if (calibrated_) {
    const std::size_t all = logits.size();
    for (std::size_t i = 0; i < all; ++i) blocks.confidence[i] = logistic(logits[i]);
    return;
  }
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const Miscalibration& distortion = miscalibration_[static_cast<std::size_t>(rows.domain[r])];
    const auto inverse_temperature = static_cast<float>(1 / distortion.temperature);
    const auto bias = static_cast<float>(distortion.bias);
    for (int k = 0; k < depth; ++k) {
      const std::size_t i = static_cast<std::size_t>(k) * stride + r;
      blocks.confidence[i] = logistic((logits[i] - unseen[r]) * inverse_temperature + bias);
    }
  }
}

void LatentAcceptance::draw_outcomes(RandomKey key, const RunnerRows& rows, int depth,
                                     const std::vector<float>& logits, DraftedBlocks& blocks) const {
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const auto anchor = static_cast<std::uint32_t>(rows.anchor_position[r]);
    const auto attempt = static_cast<std::uint32_t>(rows.attempt[r]);
    RandomWords coins{};
    int k = 0;
    for (; k < depth; ++k) {
      if (k % 4 == 0) {
        coins = draw_words(key, Stream::kAcceptance, rows.source[r], rows.ordinal[r], anchor, attempt,
                           static_cast<std::uint32_t>(k / 4));
      }
      const std::size_t i = static_cast<std::size_t>(k) * stride + r;
      const float probability = calibrated_ ? blocks.confidence[i] : logistic(logits[i]);
      if (static_cast<float>(coins[static_cast<std::size_t>(k % 4)] >> 8) * 0x1p-24f >= probability) break;
    }
    blocks.accepted[r] = k;
  }
}

void LatentAcceptance::draw_signals(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                                    const std::vector<float>& logits, DraftedBlocks& blocks) const {
  const float* grid = normal_grid();
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const auto anchor = static_cast<std::uint32_t>(rows.anchor_position[r]);
    const auto attempt = static_cast<std::uint32_t>(rows.attempt[r]);
    for (int k = 0; k < depth; ++k) {
      const std::size_t i = static_cast<std::size_t>(k) * stride + r;
      const RandomWords noise = draw_words(key, Stream::kSignalNoise, rows.source[r], rows.ordinal[r], anchor,
                                           attempt, static_cast<std::uint32_t>(k));
      const float top1 = std::clamp(logistic(logits[i] + signal_noise_ * normal_from_bits(noise[0], grid)),
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
        const bool is_first = static_cast<float>(noise[1] >> 8) * 0x1p-24f < given;
        const float second = rest * kSecondChoiceShare * static_cast<float>((noise[2] >> 8) + 1) * 0x1p-24f;
        blocks.chosen[i] = is_first ? top1 : second;
      }
    }
  }
}

}  // namespace dspark
