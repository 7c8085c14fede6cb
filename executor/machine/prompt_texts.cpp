#include "executor/machine/prompt_texts.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace dspark {
namespace {

/// A prompt's words: those of its prefix first, which are the same in others, then its own.
std::uint32_t word(RandomKey key, const RequestSpec& spec, std::uint32_t index) {
  if (index < static_cast<std::uint32_t>(spec.shared_prefix_tokens))
    return draw_words(key, Stream::kPrefix, spec.prefix, 0, 1, 0, index / 4)[index % 4];
  return draw_words(key, Stream::kPromptText, spec.source, spec.ordinal, 0, 0, index / 4)[index % 4];
}

/// 0 .. n - 1
std::size_t scaled(std::uint32_t word, std::size_t n) {
  return static_cast<std::size_t>((std::uint64_t{word} * n) >> 32);
}

}  // namespace

std::vector<std::int32_t> TextPrompts::prompt(const RequestSpec& spec) {
  const auto shared = static_cast<std::size_t>(spec.shared_prefix_tokens);
  const std::size_t of_prefix = scaled(word(key_, spec, 0), text_.size());
  const std::size_t own = scaled(word(key_, spec, static_cast<std::uint32_t>(shared)), text_.size());
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(spec.prompt_tokens));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = text_[((i < shared ? of_prefix : own) + i) % text_.size()];
  }
  return tokens;
}

Result<std::vector<std::int32_t>> read_prompt_tokens(const std::string& path, const Tokenizer& tokenizer) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure))
    return Error{fmt::format("'{}' is not a file", path), {}, "prompts are windows of a text file"};
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto tokens = tokenizer.encode(text, /*add_special_tokens=*/false);
  if (tokens && tokens->empty()) return Error{fmt::format("'{}' has no text", path)};
  return tokens;
}

std::vector<std::int32_t> RandomPrompts::prompt(const RequestSpec& spec) {
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(spec.prompt_tokens));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::int32_t>(
        scaled(word(key_, spec, static_cast<std::uint32_t>(i)), static_cast<std::size_t>(vocab_size_)));
  }
  return tokens;
}

}  // namespace dspark
