#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "executor/runner/request_texts.h"
#include "executor/tokenizer/tokenizer.h"
#include "policies/error.h"
#include "sim/random/random_key.h"

namespace dspark {

/// A text whose windows are prompts.
struct PromptText {
  std::vector<std::int32_t> tokens;  // at least one
  std::vector<std::size_t> begins;   // where a window may begin, rising; empty: anywhere
};

/// A text file as tokens. by_line: windows begin where lines do, each line being a text of its own in which
/// `\n`, `\t` and `\\` are a line end, a tab and a backslash; lines without text are passed over. Errors: it
/// is not a file, has more than 64 MiB, or no text; those of the tokenizer.
Result<PromptText> read_prompt_text(const std::string& path, const Tokenizer& tokenizer, bool by_line);

/// Prompts of a sweep: windows of a text, from a place that is a function of (source, ordinal), so that every
/// policy is asked the same. A shared prefix is a window of its own.
class TextPrompts final : public PromptSource {
 public:
  /// A window that passes the text's end goes on at its beginning.
  TextPrompts(PromptText text, RandomKey key) : text_(std::move(text)), key_(key) {}
  std::vector<std::int32_t> prompt(const RequestSpec& spec) override;

 private:
  std::size_t begin(std::uint32_t word) const;

  PromptText text_;
  RandomKey key_;
};

/// Prompts from a source for each domain of the workload.
class DomainPrompts final : public PromptSource {
 public:
  /// by_domain: one for each RequestSpec::domain that comes, at least one.
  explicit DomainPrompts(std::vector<std::unique_ptr<PromptSource>> by_domain)
      : by_domain_(std::move(by_domain)) {}
  std::vector<std::int32_t> prompt(const RequestSpec& spec) override {
    return by_domain_.at(static_cast<std::size_t>(spec.domain))->prompt(spec);
  }

 private:
  std::vector<std::unique_ptr<PromptSource>> by_domain_;
};

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
