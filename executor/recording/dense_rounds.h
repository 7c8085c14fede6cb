#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"
#include "policies/calibration/rounds.h"
#include "policies/error.h"
#include "sim/random/random_key.h"

namespace dspark {

/// A text that the target wrote.
struct WrittenText {
  std::int64_t request = 0;
  std::int32_t domain = -1;          // index into the names of domains; -1: none
  std::vector<std::int32_t> tokens;  // prompt, then reply
  std::int32_t prompt_tokens = 0;    // from 1; the reply has at least two tokens
  SamplingRule rule = {};            // under which the reply was written
};

struct DenseOptions {
  int kv_blocks = 0;     // of the target's cache
  int block_tokens = 0;  // of each
  int max_rows = 0;      // of a step of the target
  int max_logit_rows = 0;
  int max_texts = 1;  // side by side; the drafter has room for them
  RandomKey key = {};
  std::vector<std::string> domains = {};
  /// Called when so many texts are done; false ends the recording.
  std::function<bool(std::size_t)> progress = {};
};

/// Rounds that start at every position of texts, whole blocks drafted and verified (REFERENCE.md section 7):
/// at anchor position a of a reply, what speculative decoding would have drafted there and how much of it
/// would have been accepted, given that the text is what it is. Rounds of any policy that is lossless have
/// this law: it says for each of them which anchors it meets, and changes nothing at an anchor.
///
/// Given the text's next token y behind accepted ones, the draft is y, and accepted, with probability
/// min(1, p_d(y) / p_t(y)): speculative sampling writes y by an accepted draft in min(p_d(y), p_t(y)) of the
/// p_t(y) times that it writes y at all. Else a token of max(0, p_d - p_t) was drafted and rejected, and the
/// residual gave y; what is drafted behind it is drawn freely. Greedy drafts and n-grams need no such
/// choice: they are accepted as far as they are the text.
///
/// So that the last rounds are whole too, the target writes on for as many tokens as a block has.
/// `acceptance` is known up to the first rejected position, where neither of the two is certain.
///
/// Returns rounds by text, then by anchor. Errors: a text that the cache cannot hold; `progress` ended it.
Result<Rounds> dense_rounds(Kernels& kernels, TargetModel& target, Drafter& drafter,
                            std::vector<WrittenText> texts, const DenseOptions& options);

}  // namespace dspark
