#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "executor/tokenizer/token_decoder.h"
#include "policies/error.h"

namespace dspark {

struct TokenizerParts;

/// Text to token ids and back, as `tokenizer.json` in a model's folder says (the format of
/// github.com/huggingface/tokenizers, version 1.0): byte-level BPE (Qwen 3, Llama 3, SmolLM2) and BPE with
/// byte fallback (Gemma, Llama 2). Ids are those that the library gives, and texts those of its `decode`;
/// what transformers does on top (`clean_up_tokenization_spaces`) is left out. Beside characters later than
/// the Unicode of the PCRE2 that is linked (10.42: 14) a text may be cut elsewhere than by the library.
/// Immutable, cheap to copy, safe to share between threads.
class Tokenizer {
 public:
  /// Reads `tokenizer.json` and, where they are there, `tokenizer_config.json` and `chat_template.jinja`.
  /// Errors name file and key: what is not supported, ids that are not as the library would give them, texts
  /// or ids that stand twice, merges of tokens that there are not, an `add_bos_token` that tokenizer.json
  /// contradicts.
  static Result<Tokenizer> read(const std::string& folder);
  /// The same of texts; `config` may be empty.
  static Result<Tokenizer> parse(std::string_view tokenizer, std::string_view config, const std::string& path,
                                 const std::string& config_path);

  /// The ids of a text. Where it is no UTF-8, each broken part counts as U+FFFD: as Python's
  /// `bytes.decode("utf-8", errors="replace")`. `add_special_tokens` puts what the file's template has before
  /// and behind it (a beginning-of-text token, where the model wants one). Errors: more than kMostText bytes;
  /// a text that takes a regular expression too many steps or grows too far when it is normalised.
  Result<std::vector<std::int32_t>> encode(std::string_view text, bool add_special_tokens) const;

  /// The text of ids, valid UTF-8; ids that there are not say nothing. `skip_special` leaves out special
  /// tokens.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special) const;

  /// Decodes a reply while it is written: what push() and finish() give, joined, is decode() of all ids.
  class Stream {
   public:
    /// What is certain after this id: whole characters, maybe none.
    std::string push(std::int32_t id);
    /// What was held back, at the end of the reply.
    std::string finish() { return stream_.finish(); }

   private:
    friend class Tokenizer;
    Stream(std::shared_ptr<const TokenizerParts> parts, bool skip_special);

    std::shared_ptr<const TokenizerParts> parts_;
    TokenDecoder::Stream stream_;
    bool skip_special_;
  };
  Stream stream(bool skip_special) const { return {parts_, skip_special}; }

  /// A token's text as the vocabulary writes it ("Ġthe"), if there is such an id.
  std::optional<std::string_view> token_text(std::int32_t id) const;
  std::optional<std::int32_t> token_id(std::string_view text) const;
  /// Left out of a decoded text on request.
  bool is_special(std::int32_t id) const;
  /// One more than the highest id. A model's `vocab_size` may be larger (padding).
  std::int32_t vocab_size() const;

  /// Of tokenizer_config.json: the texts of these tokens, or "" where it names none.
  const std::string& bos_token() const;
  const std::string& eos_token() const;
  /// Jinja, or "": chat_template.h.
  const std::string& chat_template() const;

  static constexpr std::size_t kMostText = std::size_t{1} << 28;  // bytes

 private:
  explicit Tokenizer(std::shared_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const TokenizerParts> parts_;
};

}  // namespace dspark
