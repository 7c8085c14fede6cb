#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "executor/tokenizer/pattern.h"
#include "policies/error.h"

namespace dspark {

/// What a tokenizer does to a text before it is cut: the `normalizer` of its file, sequences laid flat.
class Normalizer {
 public:
  /// Of Unicode (UAX 15), of the characters of version 9.0: the reference leaves later ones as they are.
  enum class Form : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd };
  struct Replace {
    Pattern pattern;
    std::string content;
  };
  /// Of every text that is not empty.
  struct Prepend {
    std::string content;
  };
  using Step = std::variant<Form, Replace, Prepend>;

  void add(Step step) { steps_.push_back(std::move(step)); }

  /// `text` is valid UTF-8. Errors: more than kMostGrowth times its bytes and 1 MiB, a pattern out of steps.
  Result<std::string> normalize(std::string text, MatchSteps& match_steps) const;

  static constexpr std::size_t kMostGrowth = 64;

 private:
  std::vector<Step> steps_;
};

}  // namespace dspark
