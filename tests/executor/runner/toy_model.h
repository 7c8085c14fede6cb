#pragma once

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"

namespace dspark::testing {

/// Logits that a hash of the last `order` tokens gives, about ±spread.
struct ToyLanguage {
  std::size_t vocab_size = 8;
  int order = 2;
  float spread = 2;
  std::uint32_t seed = 1;

  std::vector<float> logits(std::span<const std::int32_t> text) const {
    const std::size_t seen = std::min(text.size(), static_cast<std::size_t>(order));
    std::uint32_t hash = seed;
    for (const std::int32_t token : text.last(seen)) hash = word(hash, static_cast<std::uint32_t>(token) + 1);
    std::vector<float> result(vocab_size);
    for (std::size_t v = 0; v < vocab_size; ++v) {
      result[v] =
          spread * (static_cast<float>(word(hash, 1000 + static_cast<std::uint32_t>(v)) >> 8) * 0x1p-23f - 1);
    }
    return result;
  }

 private:
  static std::uint32_t word(std::uint32_t a, std::uint32_t b) {
    const r123::Philox4x32::ctr_type counter = {{a, b, 0, 0}};
    const r123::Philox4x32::key_type key = {{17, 4}};
    return r123::Philox4x32{}(counter, key)[0];
  }
};

/// A target that speaks it and reads what came before from a paged cache of tokens, as a transformer reads
/// keys and values: a block that is handed on too early, or a rejected row that stays, changes its text.
class ToyTarget final : public TargetModel {
 public:
  ToyTarget(const ToyLanguage& language, int blocks, int block_tokens)
      : language_(language),
        block_tokens_(static_cast<std::size_t>(block_tokens)),
        cache_(static_cast<std::size_t>(blocks) * block_tokens_, -1) {}

  std::size_t vocab_size() const override { return language_.vocab_size; }
  TargetOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> logit_rows) override {
    logits_.resize(logit_rows.size() * language_.vocab_size);
    const View<float, 2> logits(logits_.data(), {logit_rows.size(), language_.vocab_size});
    std::size_t next = 0;  // of logit_rows
    for (std::size_t r = 0; r < rows.requests(); ++r) {
      const auto slot = [&](std::int32_t position) -> std::int32_t& {
        const auto p = static_cast<std::size_t>(position);
        const auto block = static_cast<std::size_t>(rows.block_table.row(r)[p / block_tokens_]);
        return cache_[block * block_tokens_ + p % block_tokens_];
      };
      for (std::int32_t row = rows.first_row[r]; row < rows.first_row[r + 1]; ++row) {
        const std::int32_t position = rows.first_position[r] + row - rows.first_row[r];
        slot(position) = tokens[static_cast<std::size_t>(row)];
        ++computed_rows;
        if (next >= logit_rows.size() || logit_rows[next] != row) continue;
        std::vector<std::int32_t> text;
        for (std::int32_t p = 0; p <= position; ++p) text.push_back(slot(p));
        const std::vector<float> values = language_.logits(text);
        std::copy(values.begin(), values.end(), logits.row(next++));
      }
    }
    largest_batch = std::max(largest_batch, rows.requests());
    return {.logits = logits};
  }

  std::int64_t computed_rows = 0;
  std::size_t largest_batch = 0;

 private:
  ToyLanguage language_;
  std::size_t block_tokens_;
  std::vector<std::int32_t> cache_;
  std::vector<float> logits_;
};

/// A drafter that speaks the language with an accent: logits · 0.8 plus those of another one.
class ToyDrafter final : public Drafter {
 public:
  ToyDrafter(Kernels& kernels, const ToyLanguage& language, int block_size, bool chosen_confidence)
      : kernels_(kernels),
        language_(language),
        accent_(language),
        block_size_(block_size),
        chosen_confidence_(chosen_confidence) {
    accent_.seed += 1;
    accent_.spread *= 0.4f;
  }

  int block_size() const override { return block_size_; }
  bool has_confidence_head() const override { return true; }
  View<const float, 2> distributions() const override { return distributions_; }
  /// Keeps the text that it is told, as drafters keep their keys and values of it.
  void extend(const CommittedRows& rows) override {
    for (std::size_t r = 0; r < rows.requests(); ++r) {
      std::vector<std::int32_t>& text = told_[rows.id[r]];
      const auto first = static_cast<std::size_t>(rows.first_position[r]);
      EXPECT_LE(first, text.empty() ? 0 : text.size() - 1) << "rows follow on those told before";
      text.resize(first);
      for (std::int32_t row = rows.first_row[r]; row < rows.first_row[r + 1]; ++row) {
        const auto i = static_cast<std::size_t>(row);
        if (row > rows.first_row[r]) {
          EXPECT_EQ(rows.tokens[i], rows.next_tokens[i - 1]);
        }
        text.push_back(rows.tokens[i]);
        if (row + 1 == rows.first_row[r + 1]) text.push_back(rows.next_tokens[i]);
      }
    }
  }
  void left(RequestId id) override { told_.erase(id); }
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    const std::size_t width = language_.vocab_size;
    const std::size_t rows = static_cast<std::size_t>(block_size_) * blocks.stride;
    buffer_ = kernels_.allocate(rows * width * sizeof(float));
    distributions_ = {reinterpret_cast<float*>(buffer_->data()), {rows, width}};
    for (std::size_t r = 0; r < requests.size(); ++r) {
      std::vector<std::int32_t> text(requests[r].text.begin(), requests[r].text.end());
      EXPECT_EQ(told_[requests[r].id], text);
      blocks.drafted[r] = requests[r].planned;
      for (int k = 1; k <= requests[r].planned; ++k) {
        const std::size_t i = static_cast<std::size_t>(k - 1) * blocks.stride + r;
        text.push_back(draw(text, requests[r], k, distributions_.rows(i, 1), blocks, i));
      }
    }
  }

 private:
  std::int32_t draw(std::span<const std::int32_t> text, const DraftRequest& request, int k,
                    View<float, 2> row, const DraftBlocks& blocks, std::size_t i) {
    std::vector<float> logits = language_.logits(text);
    const std::vector<float> accent = accent_.logits(text);
    for (std::size_t v = 0; v < logits.size(); ++v) logits[v] = 0.8f * logits[v] + accent[v];
    std::copy(logits.begin(), logits.end(), row.data);
    float top1 = 0, margin = 0, entropy = 0;
    kernels_.signals(row, {&request.rule, 1}, {{&top1, 1}, {&margin, 1}, {&entropy, 1}});
    kernels_.probabilities(row, {&request.rule, 1});
    kernels_.draw(row, request.keys.subspan(static_cast<std::size_t>(k) - 1, 1), {&blocks.tokens[i], 1});
    blocks.confidence[i] = chosen_confidence_ ? row.data[blocks.tokens[i]] : 0.2f + 0.8f * top1;
    if (!blocks.top1.empty()) blocks.top1[i] = top1;
    if (!blocks.margin.empty()) blocks.margin[i] = margin;
    if (!blocks.entropy.empty()) blocks.entropy[i] = entropy;
    if (!blocks.chosen.empty()) blocks.chosen[i] = row.data[blocks.tokens[i]];
    return blocks.tokens[i];
  }

  Kernels& kernels_;
  ToyLanguage language_;
  ToyLanguage accent_;
  int block_size_;
  bool chosen_confidence_;
  std::map<RequestId, std::vector<std::int32_t>> told_;
  std::unique_ptr<Buffer> buffer_;
  View<float, 2> distributions_;
};

}  // namespace dspark::testing
