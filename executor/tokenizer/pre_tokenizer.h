#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "executor/tokenizer/pattern.h"
#include "policies/error.h"

namespace dspark {

/// A stretch of text that no merge reaches across.
struct Piece {
  std::string text;
  bool begins_input = false;  // it is the first of the text that was to be encoded
};

/// How a normalised text is cut into pieces: the `pre_tokenizer` of its file, sequences laid flat.
class PreTokenizer {
 public:
  /// What becomes of the parts that a pattern matches: pieces of their own, dropped, joined with what stands
  /// before or after them, or with each other.
  enum class Behavior : std::uint8_t {
    kIsolated,
    kRemoved,
    kMergedWithPrevious,
    kMergedWithNext,
    kContiguous
  };
  enum class Prepend : std::uint8_t { kAlways, kFirst, kNever };

  struct Split {
    Pattern pattern;
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
  };
  /// Numeric characters (general category N), each for itself or in runs.
  struct Digits {
    bool individual = false;
  };
  /// Bytes as characters (byte_level.h), after a cut by GPT-2's expression, where there is one.
  struct ByteLevel {
    bool add_prefix_space = false;
    std::optional<Pattern> pattern;
  };
  /// Spaces as a visible character, with which a piece begins.
  struct Metaspace {
    std::string replacement;
    Prepend prepend = Prepend::kAlways;
    bool split = true;
  };
  using Step = std::variant<Split, Digits, ByteLevel, Metaspace>;

  void add(Step step) { steps_.push_back(std::move(step)); }

  /// Cuts a piece of valid UTF-8. Errors: a pattern out of steps.
  Result<std::vector<Piece>> cut(Piece piece, MatchSteps& match_steps) const;

  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  static Pattern gpt2_pattern();

 private:
  std::vector<Step> steps_;
};

}  // namespace dspark
