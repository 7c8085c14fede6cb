#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "executor/model/decoder.h"
#include "kernels/kernels.h"

namespace dspark::testing {

/// A decoder run along texts that are known already, without engine, runner or drafter, in a cache of its
/// own.
class PlainPass {
 public:
  /// max_rows: of a step of the decoder; at least those of a prompt, and of one reply and kBlockTokens.
  PlainPass(Decoder& decoder, Kernels& kernels, std::vector<std::vector<std::int32_t>> prompts,
            std::size_t max_rows)
      : decoder_(decoder),
        kernels_(kernels),
        prompts_(std::move(prompts)),
        max_rows_(max_rows),
        cache_(*KvCache::make(decoder.plan(), kBlocks, kBlockTokens, kernels)) {
    for (const auto& prompt : prompts_) {
      // All but its last block, which each reply computes for itself.
      const auto shared = static_cast<std::int32_t>((prompt.size() - 1) / kBlockTokens * kBlockTokens);
      std::vector<std::int32_t>& table =
          tables_.emplace_back(static_cast<std::size_t>(shared) / kBlockTokens);
      std::iota(table.begin(), table.end(), blocks_);
      blocks_ += static_cast<std::int32_t>(table.size());
      if (shared == 0) continue;
      const std::vector<std::int32_t> first_row{0, shared}, first_position{0};
      decoder_.forward({first_row, first_position, {table.data(), {1, table.size()}}},
                       std::span(prompt).first(static_cast<std::size_t>(shared)), cache_, {});
    }
  }

  /// visit(reply, position, logits behind the prompt and that many tokens of the reply), for replies of one
  /// length behind one prompt.
  template <class Visit>
  void each(std::size_t prompt, const std::vector<std::vector<std::int32_t>>& replies, const Visit& visit) {
    if (replies.empty()) return;
    const std::size_t before = tables_[prompt].size() * kBlockTokens;
    const std::size_t rows = prompts_[prompt].size() - before + replies[0].size() - 1;
    const std::size_t most = max_rows_ / rows;
    for (std::size_t first = 0; first < replies.size(); first += most) {
      const std::size_t count = std::min(most, replies.size() - first);
      run(prompt, std::span(replies).subspan(first, count), rows,
          [&](std::size_t r, std::size_t position, std::span<const float> logits) {
            visit(first + r, position, logits);
          });
    }
  }

 private:
  static constexpr std::size_t kBlocks = 256, kBlockTokens = 8;

  template <class Visit>
  void run(std::size_t prompt, std::span<const std::vector<std::int32_t>> replies, std::size_t rows,
           const Visit& visit) {
    const std::vector<std::int32_t>& shared = tables_[prompt];
    const std::size_t length = replies[0].size(), own = (rows + kBlockTokens - 1) / kBlockTokens;
    std::vector<std::int32_t> first_row{0}, tokens, table, logit_rows;
    std::int32_t next_block = blocks_;
    for (const std::vector<std::int32_t>& reply : replies) {
      const std::size_t first = shared.size() * kBlockTokens;
      tokens.insert(tokens.end(), prompts_[prompt].begin() + static_cast<std::ptrdiff_t>(first),
                    prompts_[prompt].end());
      tokens.insert(tokens.end(), reply.begin(), reply.end() - 1);
      first_row.push_back(static_cast<std::int32_t>(tokens.size()));
      for (std::size_t i = length; i > 0; --i)
        logit_rows.push_back(first_row.back() - static_cast<std::int32_t>(i));
      table.insert(table.end(), shared.begin(), shared.end());
      for (std::size_t i = 0; i < own; ++i) table.push_back(next_block++);
    }
    ASSERT_LE(next_block, static_cast<std::int32_t>(kBlocks));
    const std::vector<std::int32_t> first_position(replies.size(),
                                                   static_cast<std::int32_t>(shared.size() * kBlockTokens));
    const DecoderOutput output =
        decoder_.forward({first_row, first_position, {table.data(), {replies.size(), shared.size() + own}}},
                         tokens, cache_, logit_rows);
    std::vector<float> logits(output.logits.size());
    kernels_.read(reinterpret_cast<const std::byte*>(output.logits.data),
                  std::as_writable_bytes(std::span(logits)));
    const std::size_t vocabulary = output.logits.shape[1];
    for (std::size_t r = 0; r < replies.size(); ++r)
      for (std::size_t i = 0; i < length; ++i)
        visit(r, i, std::span<const float>(logits).subspan((r * length + i) * vocabulary, vocabulary));
  }

  Decoder& decoder_;
  Kernels& kernels_;
  std::vector<std::vector<std::int32_t>> prompts_;
  std::size_t max_rows_;
  KvCache cache_;
  std::vector<std::vector<std::int32_t>> tables_;  // by prompt, of the blocks that its replies share
  std::int32_t blocks_ = 0;                        // of all prompts
};

}  // namespace dspark::testing
