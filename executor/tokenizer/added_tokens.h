#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "executor/tokenizer/vocabulary.h"

namespace dspark {

/// A token that is found in the text before anything else is done to it: one of `added_tokens`.
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false;  // only where no letter, digit or mark touches it
  bool lstrip = false;       // with the white space before it
  bool rstrip = false;       // and behind it
  bool normalized = false;   // found in the normalised text, not in the text as given
  bool special = false;      // left out of a decoded text on request
};

/// Finds added tokens in a text: the leftmost, of those the longest, none within another.
class AddedTokenFinder {
 public:
  /// A stretch of text; `token` is Vocabulary::kNone where no token was found.
  struct Section {
    std::int32_t token = Vocabulary::kNone;
    std::size_t begin = 0;  // bytes
    std::size_t end = 0;
  };

  /// Looks for `text` (the content, normalised where it has to be). Of two tokens with one text the first
  /// counts.
  void add(const AddedToken& token, const std::string& text);
  /// `text` is valid UTF-8. O(bytes · longest token).
  std::vector<Section> sections(std::string_view text) const;

 private:
  struct Found {
    const AddedToken* token = nullptr;
    std::size_t end = 0;
  };

  Found longest_at(std::string_view text, std::size_t begin) const;

  static constexpr std::int32_t kRoot = 0;
  std::vector<AddedToken> tokens_;
  std::vector<std::int32_t> token_at_{Vocabulary::kNone};  // index of tokens_, by node of the trie
  std::unordered_map<std::uint64_t, std::int32_t>
      children_;                    // by node and byte; only looked up, never walked
  std::array<bool, 256> begins_{};  // a token begins with this byte
};

}  // namespace dspark
