#pragma once

#include <span>

namespace dspark {

/// What is known of draft position k *before* x_k is drawn (POLICIES.md section 6). A rule that looks at
/// these alone when it decides about x_k cannot anticipate.
struct PreDrawSignals {
  double confidence = 0;  // head c_k: probability that x_k is accepted, given that x_1..x_{k-1} were; 0..1
  double top1 = 0;        // largest draft probability; 0..1
  double margin = 0;      // top-1 minus top-2 draft logit; >= 0
  double entropy = 0;     // of the draft distribution q_k, nats; >= 0
};

/// What is known only *after* x_k was drawn. A different type on purpose: deciding about x_k by it
/// anticipates when drafts are sampled; deciding about later positions by it does not.
struct PostDrawSignals {
  double chosen = 0;  // q_k(x_k), draft probability of the drawn token; 0..1
};

/// Which signals a policy reads beside the confidence (which always exists); what nobody reads is not
/// computed.
enum SignalSet : unsigned {
  kConfidenceOnly = 0,
  kTop1 = 1u << 0,
  kMargin = 1u << 1,
  kEntropy = 1u << 2,
  kChosen = 1u << 3,
  kDivergence = 1u << 4,    // of verified tokens, in `observe`
  kDecodingTime = 1u << 5,  // seconds since each request's first token, in RequestColumns
};

/// The blocks of one step, in columns: `confidence[(k - 1) * stride + r]` is request r at draft position k, k
/// = 1..γ. Empty columns were not asked for. Positions past `drafted[r]` hold nothing meaningful.
struct DraftColumns {
  std::size_t stride = 0;
  std::span<const int> drafted = {};  // (requests) draft tokens of each request
  std::span<const float> confidence = {};
  std::span<const float> top1 = {};
  std::span<const float> margin = {};
  std::span<const float> entropy = {};
  std::span<const float> chosen = {};
  std::span<const int> accepted_if_verified =
      {};  // (requests) outcomes, where the runner can know them; else empty

  PreDrawSignals before_draw(int request, int k) const {
    const std::size_t i = static_cast<std::size_t>(k - 1) * stride + static_cast<std::size_t>(request);
    const auto at = [i](std::span<const float> column) {
      return column.empty() ? 0.0 : static_cast<double>(column[i]);
    };
    return {at(confidence), at(top1), at(margin), at(entropy)};
  }
  PostDrawSignals after_draw(int request, int k) const {
    const std::size_t i = static_cast<std::size_t>(k - 1) * stride + static_cast<std::size_t>(request);
    return {chosen.empty() ? 0.0 : static_cast<double>(chosen[i])};
  }
};

}  // namespace dspark
