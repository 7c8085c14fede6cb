#include "executor/drafter/markov_head.h"

namespace dspark {

std::optional<MarkovHead> MarkovHead::make(const BlockDrafterConfig& config, std::size_t max_rows,
                                           const WeightSet& weights, Kernels& kernels) {
  MarkovHead head(config, max_rows, weights, kernels);
  for (const DraftBuffer* buffer : {&head.embedding_, &head.input_, &head.joint_, &head.state_, &head.first_,
                                    &head.second_, &head.third_})
    if (!buffer->allocated()) return std::nullopt;
  return head;
}

MarkovHead::MarkovHead(const BlockDrafterConfig& config, std::size_t max_rows, const WeightSet& weights,
                       Kernels& kernels)
    : type_(config.markov),
      rank_(static_cast<std::size_t>(config.markov_rank)),
      weights_(&weights),
      kernels_(&kernels) {
  const auto hidden = static_cast<std::size_t>(config.stack.hidden_size);
  const bool rnn = type_ == MarkovHeadType::kRnn;
  for (DraftBuffer* buffer : {&embedding_, &state_, &first_, &second_, &third_})
    *buffer = DraftBuffer(kernels, max_rows * rank_);
  input_ = DraftBuffer(kernels, max_rows * (hidden + 2 * rank_));
  joint_ = DraftBuffer(kernels, max_rows * rank_ * (rnn ? 3 : 1));
}

void MarkovHead::begin(std::size_t rows) { kernels_->scale(state_.matrix(rows, rank_), 0); }

View<const float, 2> MarkovHead::embed(std::span<const std::int32_t> before) {
  rows_ = before.size();
  const auto embedding = embedding_.matrix(rows_, rank_);
  kernels_->embed(before, weights_->matrix(WeightRole::kMarkovEmbedding), 1, embedding);
  return embedding;
}

void MarkovHead::add(View<const float, 2> hidden, View<float, 2> logits) {
  View<const float, 2> moved = embedding_.matrix(rows_, rank_);
  if (type_ == MarkovHeadType::kGated) moved = gated(hidden);
  if (type_ == MarkovHeadType::kRnn) moved = recurrent(hidden);
  if (!logits.empty()) kernels_->multiply(moved, weights_->matrix(WeightRole::kMarkovHead), {}, true, logits);
}

View<const float, 2> MarkovHead::gated(View<const float, 2> hidden) {
  const auto embedding = embedding_.matrix(rows_, rank_);
  const auto input = input_.matrix(rows_, hidden.shape[1] + rank_);
  const auto gate = joint_.matrix(rows_, rank_);
  const View<const float, 2> parts[] = {hidden, embedding};
  kernels_->concatenate(parts, input);
  kernels_->multiply(input, weights_->matrix(WeightRole::kMarkovGate),
                     weights_->vector(WeightRole::kMarkovGateBias), false, gate);
  kernels_->gate(gate, embedding, GateActivation::kSigmoid, gate);
  return gate;
}

View<const float, 2> MarkovHead::recurrent(View<const float, 2> hidden) {
  const auto state = state_.matrix(rows_, rank_);
  const auto input = input_.matrix(rows_, hidden.shape[1] + 2 * rank_);
  const View<const float, 2> parts[] = {state, embedding_.matrix(rows_, rank_), hidden};
  kernels_->concatenate(parts, input);
  kernels_->multiply(input, weights_->matrix(WeightRole::kMarkovGate),
                     weights_->vector(WeightRole::kMarkovGateBias), false, joint_.matrix(rows_, 3 * rank_));
  // What stays of the state, σ(g) ⊙ s.
  const auto kept = part(joint_, 0, first_);
  kernels_->gate(kept, state, GateActivation::kSigmoid, kept);
  // What comes to it, (1 - σ(g)) ⊙ tanh(c), as σ(-g) ⊙ tanh(c).
  const auto candidate = part(joint_, 1, second_);
  kernels_->soft_cap(candidate, 1);
  const auto taken = part(joint_, 0, third_);
  kernels_->scale(taken, -1);
  kernels_->gate(taken, candidate, GateActivation::kSigmoid, taken);
  kernels_->add(kept, taken);
  const View<const float, 2> next[] = {kept};
  kernels_->concatenate(next, state);
  const auto output = part(joint_, 2, second_);
  kernels_->soft_cap(output, 1);
  return output;
}

/// One third of each row of `joint`.
View<float, 2> MarkovHead::part(const DraftBuffer& joint, std::int32_t index, const DraftBuffer& to) {
  places_.clear();
  for (std::size_t row = 0; row < rows_; ++row) places_.push_back(static_cast<std::int32_t>(3 * row) + index);
  const auto third = to.matrix(rows_, rank_);
  kernels_->gather(joint.matrix(3 * rows_, rank_), places_, third);
  return third;
}

}  // namespace dspark
