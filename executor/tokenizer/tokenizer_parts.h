#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "executor/tokenizer/added_tokens.h"
#include "executor/tokenizer/bpe.h"
#include "executor/tokenizer/normalizer.h"
#include "executor/tokenizer/pre_tokenizer.h"
#include "executor/tokenizer/token_decoder.h"
#include "executor/tokenizer/vocabulary.h"
#include "policies/error.h"

namespace dspark {

/// What a tokenizer consists of, in the order in which a text meets it.
struct TokenizerParts {
  std::string path;        // of the file, for errors
  AddedTokenFinder added;  // in the text as it is
  Normalizer normalizer;
  AddedTokenFinder added_normalized;  // in the normalised text
  PreTokenizer pre_tokenizer;
  Bpe bpe;
  Vocabulary vocabulary;             // the model's tokens and the added ones
  std::vector<std::int32_t> before;  // with add_special_tokens
  std::vector<std::int32_t> after;
  TokenDecoder decoder;
  // Both only looked up, never walked.
  std::unordered_map<std::int32_t, std::string> shown;  // texts of added tokens that the normaliser changes
  std::unordered_set<std::int32_t> special;             // left out of a decoded text on request
  std::string bos_token, eos_token, chat_template;      // of tokenizer_config.json

  /// A token's text: of an added one that is found in the normalised text, that text.
  const std::string& text(std::int32_t id) const {
    const auto found = shown.find(id);
    return found == shown.end() ? vocabulary.text(id) : found->second;
  }
};

/// The parts that the text of a tokenizer.json describes. Errors: as Tokenizer::read.
Result<TokenizerParts> parse_tokenizer_file(std::string_view text, const std::string& path);

/// Reads what is used of a tokenizer_config.json. Errors: a text that is not as expected, one that
/// contradicts the parts.
Result<TokenizerParts> with_tokenizer_config(TokenizerParts parts, std::string_view config,
                                             const std::string& path);

}  // namespace dspark
