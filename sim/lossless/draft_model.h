#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/depth/signals.h"
#include "sim/lossless/arbitrary_words.h"
#include "sim/lossless/token_tree.h"

namespace dspark {

/// What a request's confidence is made of.
enum class ConfidenceSource {
  kConfidence,    // a trained head: any function of the tokens before
  kTop1,          // the largest draft probability
  kMargin,        // σ(top-1 minus top-2 logit)
  kEntropy,       // 1 - H/ln V
  kChosen,        // the probability of the token that was drawn; drafts are sampled
  kChosenGreedy,  // the same where the drafter takes its most likely token
};
/// In the order above: confidence, top1, margin, entropy, chosen, chosen_greedy.
const std::vector<std::string>& confidence_source_names();
/// Known before the token it belongs to is drawn.
bool known_before_draw(ConfidenceSource source);

/// The drafter of one request in a system small enough to enumerate. Everything here is a function of the
/// tokens before, which is all that "known before the draw" means.
struct DraftModel {
  Distribution<double> softmax;  // what the drafter says; multiples of 2^-k, so that sums are exact
  TokenTree<double> head;        // of the confidence head, 0..1

  int vocabulary() const { return softmax.vocabulary(); }
  int block_size() const { return softmax.depth(); }
};

/// Sizes of a system that is enumerated.
struct SystemSize {
  int vocabulary = 2;
  int block_size = 2;
  int requests = 1;

  int nodes() const;           // prefixes of all requests
  std::int64_t draws() const;  // joint draws of a step: vocabulary^(block_size · requests)
};

/// One drafter per request.
using DraftModels = std::vector<DraftModel>;

/// Table `number` of the grid: each prefix of each request has one of kGridLetters pairs of a distribution
/// and a confidence. There are kGridLetters^nodes tables.
constexpr int kGridLetters = 3;
DraftModels grid_models(const SystemSize& size, std::int64_t number);
/// Any distributions and confidences, from finer steps, zeros, ones and ties among them.
DraftModels random_models(const SystemSize& size, ArbitraryWords& coins);

/// What is drawn from: softmax itself, or all on the most likely token (ties: the first) where the drafter is
/// greedy.
Distribution<double> drawn_from(const DraftModel& model, ConfidenceSource source);

/// The signals that a runner hands over for one joint draw; owns the columns.
class DrawnBlocks {
 public:
  /// `tokens`: (requests, block_size), request by request. `accepted_if_verified`: (requests), 0..γ.
  void fill(const DraftModels& models, ConfidenceSource source, std::span<const int> tokens,
            std::span<const int> accepted_if_verified);
  DraftColumns columns() const;

  std::vector<int> drafted;   // (requests); γ until a draft stop shortens it
  std::vector<int> accepted;  // (requests), if verified

 private:
  std::vector<float> confidence_, top1_, margin_, entropy_, chosen_;
};

/// "AB|BA": tokens of the requests, A the first of the vocabulary.
std::string draw_text(std::span<const int> tokens, int requests);

}  // namespace dspark
