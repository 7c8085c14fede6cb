#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "executor/tokenizer/vocabulary.h"

namespace dspark {

/// Byte-pair encoding (Sennrich et al., arXiv 1508.07909) as the `BPE` model of Hugging Face's tokenizers
/// does it: the characters of a word are joined in the order of the merges' ranks, of equal ranks the
/// leftmost first.
class Bpe {
 public:
  /// What becomes of a character that the vocabulary lacks.
  struct Unknown {
    bool byte_fallback = false;              // its bytes, as the tokens <0x00> to <0xFF>, where all are there
    std::int32_t token = Vocabulary::kNone;  // else this; none: nothing
    bool fuse = false;                       // one of them for neighbours
  };

  Unknown unknown;
  bool ignore_merges = false;  // a word that is in the vocabulary is that token, whatever the merges

  /// Adds the merge of the next rank. Of a pair that comes twice the later rank holds, as in the reference.
  void add_merge(std::int32_t left, std::int32_t right, std::int32_t merged);
  void reserve_merges(std::size_t merges) { merges_.reserve(merges); }

  /// Appends the ids of a word (valid UTF-8). O(n log n) in its length.
  void encode(std::string_view word, const Vocabulary& vocabulary, std::vector<std::int32_t>& ids) const;

 private:
  struct Merge {
    std::int32_t rank = 0;
    std::int32_t token = 0;
  };
  struct Symbols;

  const Merge* merge(std::int32_t left, std::int32_t right) const;
  std::vector<std::int32_t> characters(std::string_view word, const Vocabulary& vocabulary) const;
  bool add_bytes(std::string_view character, const Vocabulary& vocabulary,
                 std::vector<std::int32_t>& ids) const;
  void merge_all(std::vector<std::int32_t>& ids) const;

  std::unordered_map<std::uint64_t, Merge> merges_;  // by pair; only looked up, never walked
  std::int32_t ranks_ = 0;
};

}  // namespace dspark
