#pragma once

#include <string>

#include "executor/runner/executor_runner.h"
#include "executor/tokenizer/tokenizer.h"

namespace dspark {

/// A reply as it is written, for a terminal: text as soon as its characters are whole.
class DraftDisplay final : public RoundListener {
 public:
  struct Style {
    bool drafts = false;  // show what was accepted and what was rejected
    bool colours =
        false;           // by colours; else accepted drafts stand in {braces}, rejected ones in [-brackets-]
    bool quiet = false;  // print nothing
  };
  DraftDisplay(const Tokenizer& tokenizer, Style style)
      : tokenizer_(tokenizer), text_(tokenizer.stream(/*skip_special=*/true)), style_(style) {}

  void round_verified(const VerifiedRound& round) override;
  /// What was held back, and the end of the line.
  void finish();

 private:
  std::string rejected(const VerifiedRound& round) const;
  std::string marked(std::string_view text, const char* colour, const char* open, const char* close) const;

  const Tokenizer& tokenizer_;
  Tokenizer::Stream text_;
  Style style_;
};

}  // namespace dspark
