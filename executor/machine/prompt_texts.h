#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "executor/runner/request_texts.h"
#include "executor/tokenizer/tokenizer.h"
#include "policies/error.h"
#include "sim/random/random_key.h"

namespace dspark {

/// Prompts of a sweep: windows of a text, from a place that is a function of (source, ordinal), so that every
/// policy is asked the same. A shared prefix is a window of its own.
class TextPrompts final : public PromptSource {
 public:
  /// text: at least one token; a window that passes its end goes on at its beginning.
  TextPrompts(std::vector<std::int32_t> text, RandomKey key) : text_(std::move(text)), key_(key) {}
  std::vector<std::int32_t> prompt(const RequestSpec& spec) override;

 private:
  std::vector<std::int32_t> text_;
  RandomKey key_;
};

/// A text file as tokens, for such windows. Errors: it is not a file, or has no text; those of the tokenizer.
Result<std::vector<std::int32_t>> read_prompt_tokens(const std::string& path, const Tokenizer& tokenizer);

/// Prompts of tokens that mean nothing, each drawn on its own. Models answer them with text that repeats
/// itself more than people's questions do, so drafters look better than they are (SPEED-Bench, arXiv
/// 2604.09557).
class RandomPrompts final : public PromptSource {
 public:
  RandomPrompts(std::int32_t vocab_size, RandomKey key) : vocab_size_(vocab_size), key_(key) {}
  std::vector<std::int32_t> prompt(const RequestSpec& spec) override;

 private:
  std::int32_t vocab_size_;
  RandomKey key_;
};

}  // namespace dspark
