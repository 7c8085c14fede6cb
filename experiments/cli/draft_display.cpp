#include "experiments/cli/draft_display.h"

#include <fmt/format.h>

#include "experiments/cli/report.h"

namespace dspark {

void DraftDisplay::round_verified(const VerifiedRound& round) {
  if (style_.quiet) return;
  std::string text;
  for (std::int32_t i = 0; i < round.delivered; ++i) {
    if (i < round.accepted) {
      const std::string piece = text_.push(round.drafted[static_cast<std::size_t>(i)]);
      text += style_.drafts ? marked(piece, "32", "{", "}") : piece;
    } else {
      text += rejected(round);  // before the token that the target put in its place
      text += text_.push(round.next_token);
    }
  }
  print_output(text);
}

std::string DraftDisplay::rejected(const VerifiedRound& round) const {
  const auto tokens = round.drafted.subspan(static_cast<std::size_t>(round.accepted));
  if (!style_.drafts || tokens.empty()) return {};
  return marked(tokenizer_.decode(tokens, /*skip_special=*/false), "9;31", "[-", "-]");
}

std::string DraftDisplay::marked(std::string_view text, const char* colour, const char* open,
                                 const char* close) const {
  if (text.empty()) return {};
  return style_.colours ? fmt::format("\033[{}m{}\033[0m", colour, text)
                        : fmt::format("{}{}{}", open, text, close);
}

void DraftDisplay::finish() {
  if (!style_.quiet) print_output(text_.finish() + "\n");
}

}  // namespace dspark
