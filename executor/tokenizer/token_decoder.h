#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dspark {

/// How the texts of tokens become text again: the `decoder` of a tokenizer's file, sequences laid flat. Each
/// step hands its tokens on to the next; what a run of them says together waits until it is known.
class TokenDecoder {
 public:
  /// Bytes of the byte-level alphabet; U+FFFD for those that are no UTF-8. All tokens become one.
  struct ByteLevel {};
  /// Within each token. Not longer than the pattern, so that no text grows.
  struct Replace {
    std::string pattern;
    std::string content;
  };
  /// Runs of <0xNN> as the characters that they are, or U+FFFD for each byte where the whole run is no UTF-8.
  struct ByteFallback {};
  /// All tokens become one.
  struct Fuse {};
  /// Up to `start` and `stop` times the content at the ends of each token.
  struct Strip {
    std::string content;  // one character
    std::size_t start = 0;
    std::size_t stop = 0;
  };
  /// The replacement as a space, within the first token as nothing where `drops_first`.
  struct Metaspace {
    std::string replacement;
    bool drops_first = false;
  };
  using Step = std::variant<ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace>;

  /// What is wrong with adding this step behind the others, or nothing.
  std::string_view add(Step step);

  /// A text that comes token by token. Lives no longer than its decoder.
  class Stream {
   public:
    explicit Stream(const TokenDecoder& decoder) : decoder_(&decoder), states_(decoder.steps_.size()) {}

    /// What is certain after this token: whole UTF-8 characters, maybe none.
    std::string push(std::string_view token);
    /// What was held back. No push follows.
    std::string finish();

   private:
    struct State {
      std::string held;          // bytes, or a run of the stripped character
      std::size_t tokens = 0;    // that have come
      std::size_t stripped = 0;  // at the beginning of the one text
      bool has_begun = false;    // with a character that stays
    };

    void run(std::size_t step, const std::string& token, std::string& out);
    void end(std::size_t step, std::string& out);
    void apply(std::size_t index, const ByteLevel&, const std::string& token, std::string& out);
    void apply(std::size_t index, const Replace& step, const std::string& token, std::string& out);
    void apply(std::size_t index, const ByteFallback&, const std::string& token, std::string& out);
    void apply(std::size_t index, const Fuse&, const std::string& token, std::string& out);
    void apply(std::size_t index, const Strip& step, const std::string& token, std::string& out);
    void apply(std::size_t index, const Metaspace& step, const std::string& token, std::string& out);
    void strip_fragment(std::size_t index, const Strip& step, std::string_view fragment, std::string& out);
    void flush_bytes(std::size_t index, std::string& out);

    const TokenDecoder* decoder_;
    std::vector<State> states_;
  };

 private:
  std::vector<Step> steps_;
  std::size_t fused_from_ = static_cast<std::size_t>(-1);  // steps from here on see fragments of one text
};

}  // namespace dspark
