#pragma once

#include "executor/drafter/drafter.h"

namespace dspark {

struct NgramOptions {
  int block_size = 7;
  int longest_match = 5;   // tokens
  int shortest_match = 2;  // >= 1, <= longest_match
};

/// Prompt lookup decoding (Saxena 2023; `ngram` in vLLM): what followed the last occurrence of the text's
/// last tokens, the longest match first, is proposed again. Needs no model and no confidence head; its drafts
/// are certain (p_d = 1), so a draft is accepted with the target's probability of it.
///
/// Signals: the margin is the number of tokens that matched, known before anything is drawn, so that
/// MarginEstimator learns what a longer match is worth; top-1 and chosen are 1, the entropy is 0. The raw
/// confidence is 0.5.
class NgramDrafter final : public Drafter {
 public:
  explicit NgramDrafter(const NgramOptions& options);

  int block_size() const override { return options_.block_size; }
  bool has_confidence_head() const override { return false; }
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override;
  View<const float, 2> distributions() const override { return {}; }

 private:
  NgramOptions options_;
};

/// Where the text's last tokens stood before.
struct NgramMatch {
  std::size_t next = 0;  // index of the token that followed them; the text's size where nothing matched
  int length = 0;        // tokens that matched, shortest .. longest; 0: nothing did
};

/// The last earlier occurrence of the text's last `longest` tokens; where there is none, of one token fewer,
/// down to `shortest`. Time: text.size() · longest at most.
NgramMatch find_ngram(std::span<const std::int32_t> text, int shortest, int longest);

}  // namespace dspark
