#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/error.h"

struct pcre2_real_code_8;

namespace dspark {

/// Steps of matching that a text may take, so that a hostile expression ends in an error and not in years.
/// One step is one call of PCRE2's internal match(), what its match limit counts.
class MatchSteps {
 public:
  /// For a text of these bytes: published tokenizers take about 10 a byte.
  static MatchSteps of_text(std::size_t bytes) { return MatchSteps((std::size_t{1} << 20) + 512 * bytes); }
  explicit MatchSteps(std::size_t steps) : left_(steps) {}

  std::size_t left() const { return left_; }
  void take(std::size_t steps) { left_ -= steps < left_ ? steps : left_; }

 private:
  std::size_t left_;
};

/// What a file calls {"String": ...} or {"Regex": ...}.
class Pattern {
 public:
  /// A part of a text, as byte offsets, and whether the pattern matched it. Parts follow each other.
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool is_match = false;
  };

  static Pattern literal(std::string text);
  /// Errors: what pcre2_syntax refuses, no regular expression, larger than kMostBytes, one that can match
  /// nothing at all.
  static Result<Pattern> regex(std::string_view regex);

  /// The whole text as parts, none of them empty. An empty literal matches nothing. Errors: out of steps or
  /// of kHeapKib.
  Result<std::vector<Part>> parts(std::string_view text, MatchSteps& steps) const;

  static constexpr std::size_t kMostBytes = 65536;
  static constexpr unsigned kHeapKib = 65536;

 private:
  Result<std::vector<Part>> regex_parts(std::string_view text, MatchSteps& steps) const;
  std::vector<Part> literal_parts(std::string_view text) const;

  std::string text_;
  std::shared_ptr<const pcre2_real_code_8> code_;  // of a regular expression
};

}  // namespace dspark
