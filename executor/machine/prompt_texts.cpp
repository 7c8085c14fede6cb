#include "executor/machine/prompt_texts.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace dspark {
namespace {

/// A prompt's words: those of its prefix first, which are the same in others, then its own.
std::uint32_t word(RandomKey key, const RequestSpec& spec, std::uint32_t index) {
  if (index < static_cast<std::uint32_t>(spec.shared_prefix_tokens))
    return draw_words(key, Stream::kPrefix, spec.prefix, 0, 1, 0, index / 4)[index % 4];
  return draw_words(key, Stream::kPromptText, spec.source, spec.ordinal, 0, 0, index / 4)[index % 4];
}

constexpr std::uintmax_t kMostPromptBytes = std::uintmax_t{64} << 20;

std::string unescaped(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char next = line[i] == '\\' && i + 1 < line.size() ? line[i + 1] : '\0';
    const std::size_t kind = next == '\0' ? std::string_view::npos : std::string_view("nt\\").find(next);
    if (kind == std::string_view::npos) {
      text += line[i];
    } else {
      text += "\n\t\\"[kind];
      ++i;
    }
  }
  return text;
}

/// 0 .. n - 1
std::size_t scaled(std::uint32_t word, std::size_t n) {
  return static_cast<std::size_t>((std::uint64_t{word} * n) >> 32);
}

}  // namespace

Result<PromptText> read_prompt_text(const std::string& path, const Tokenizer& tokenizer, bool by_line) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure))
    return Error{fmt::format("'{}' is not a file", path), {}, "prompts are windows of a text file"};
  if (std::filesystem::file_size(path, failure) > kMostPromptBytes || failure)
    return Error{fmt::format("'{}' has more than {} bytes", path, kMostPromptBytes)};
  std::ifstream file(path, std::ios::binary);
  PromptText text;
  if (by_line) {
    for (std::string line; std::getline(file, line);) {
      const auto tokens = tokenizer.encode(unescaped(line), /*add_special_tokens=*/false);
      if (!tokens) return tokens.error();
      if (tokens->empty()) continue;
      text.begins.push_back(text.tokens.size());
      text.tokens.insert(text.tokens.end(), tokens->begin(), tokens->end());
    }
  } else {
    const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto tokens = tokenizer.encode(all, /*add_special_tokens=*/false);
    if (!tokens) return tokens.error();
    text.tokens = *std::move(tokens);
  }
  if (text.tokens.empty()) return Error{fmt::format("'{}' has no text", path)};
  return text;
}

std::size_t TextPrompts::begin(std::uint32_t word) const {
  if (text_.begins.empty()) return scaled(word, text_.tokens.size());
  return text_.begins[scaled(word, text_.begins.size())];
}

std::vector<std::int32_t> TextPrompts::prompt(const RequestSpec& spec) {
  const auto shared = static_cast<std::size_t>(spec.shared_prefix_tokens);
  const std::size_t of_prefix = begin(word(key_, spec, 0));
  const std::size_t own = begin(word(key_, spec, static_cast<std::uint32_t>(shared)));
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(spec.prompt_tokens));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = text_.tokens[((i < shared ? of_prefix : own) + i) % text_.tokens.size()];
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
