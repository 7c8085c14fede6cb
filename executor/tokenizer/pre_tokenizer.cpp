#include "executor/tokenizer/pre_tokenizer.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <utility>

#include "executor/tokenizer/byte_level.h"
#include "executor/tokenizer/utf8.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

using Behavior = PreTokenizer::Behavior;
using Parts = std::vector<Pattern::Part>;

/// Each part that `continues` the one before it, of which it is told whether that was a match, is joined to
/// it.
template <class Continues>
Parts joined_where(const Parts& parts, Continues continues) {
  Parts joined;
  bool was_match = false;
  for (const Pattern::Part& part : parts) {
    if (!joined.empty() && continues(part.is_match, was_match)) {
      joined.back().end = part.end;
    } else {
      joined.push_back(part);
    }
    was_match = part.is_match;
  }
  return joined;
}

/// Parts that remain after a match was joined with its neighbour, or with the matches beside it.
Parts contiguous(const Parts& parts) {
  return joined_where(parts, [](bool is_match, bool was_match) { return is_match == was_match; });
}

/// The first of several matches goes with what stands before it; the others stay alone.
Parts merged_with_previous(const Parts& parts) {
  return joined_where(parts, [](bool is_match, bool was_match) { return is_match && !was_match; });
}

/// The last of several matches goes with what stands after it.
Parts merged_with_next(const Parts& parts) {
  Parts joined;
  bool was_match = false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->is_match && !was_match && !joined.empty()) {
      joined.back().begin = part->begin;
    } else {
      joined.push_back(*part);
    }
    was_match = part->is_match;
  }
  std::reverse(joined.begin(), joined.end());
  return joined;
}

Parts behave(Parts parts, Behavior behavior) {
  switch (behavior) {
    case Behavior::kIsolated:
      break;
    case Behavior::kRemoved:
      parts.erase(std::remove_if(parts.begin(), parts.end(), [](const auto& part) { return part.is_match; }),
                  parts.end());
      break;
    case Behavior::kMergedWithPrevious:
      return merged_with_previous(parts);
    case Behavior::kMergedWithNext:
      return merged_with_next(parts);
    case Behavior::kContiguous:
      return contiguous(parts);
  }
  return parts;
}

void add_pieces(const Piece& piece, const Parts& parts, std::vector<Piece>& pieces) {
  for (const Pattern::Part& part : parts)
    pieces.push_back(
        {piece.text.substr(part.begin, part.end - part.begin), piece.begins_input && part.begin == 0});
}

Parts numeric_parts(std::string_view text) {
  Parts parts;
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Unit unit = first_unit(text.substr(at));
    const std::size_t end = at + unit.bytes;
    if ((U_GET_GC_MASK(static_cast<UChar32>(unit.character)) & U_GC_N_MASK) != 0) {
      if (plain < at) parts.push_back({plain, at, false});
      parts.push_back({at, end, true});
      plain = end;
    }
    at = end;
  }
  if (plain < text.size()) parts.push_back({plain, text.size(), false});
  return parts;
}

/// One step of a pre-tokeniser on one piece.
class Application {
 public:
  Application(Piece& piece, std::vector<Piece>& pieces, MatchSteps& match_steps)
      : piece_(piece), pieces_(pieces), match_steps_(match_steps) {}

  std::optional<Error> operator()(const PreTokenizer::Split& split) {
    auto parts = split.pattern.parts(piece_.text, match_steps_);
    if (!parts) return parts.error();
    if (split.invert)
      for (Pattern::Part& part : *parts) part.is_match = !part.is_match;
    add_pieces(piece_, behave(*std::move(parts), split.behavior), pieces_);
    return {};
  }

  std::optional<Error> operator()(const PreTokenizer::Digits& digits) {
    Parts parts = numeric_parts(piece_.text);
    add_pieces(piece_,
               behave(std::move(parts), digits.individual ? Behavior::kIsolated : Behavior::kContiguous),
               pieces_);
    return {};
  }

  std::optional<Error> operator()(const PreTokenizer::ByteLevel& byte_level) {
    if (byte_level.add_prefix_space && !piece_.text.starts_with(' ')) piece_.text.insert(0, 1, ' ');
    const std::size_t before = pieces_.size();
    if (byte_level.pattern) {
      const auto parts = byte_level.pattern->parts(piece_.text, match_steps_);
      if (!parts) return parts.error();
      add_pieces(piece_, *parts, pieces_);
    } else {
      pieces_.push_back(std::move(piece_));
    }
    for (std::size_t i = before; i < pieces_.size(); ++i) pieces_[i].text = to_byte_level(pieces_[i].text);
    return {};
  }

  std::optional<Error> operator()(const PreTokenizer::Metaspace& metaspace) {
    const Pattern space = Pattern::literal(" ");
    std::string text;
    const auto parts = space.parts(piece_.text, match_steps_);
    for (const Pattern::Part& part : *parts)
      text += part.is_match ? std::string_view(metaspace.replacement)
                            : std::string_view(piece_.text).substr(part.begin, part.end - part.begin);
    const bool prepends = metaspace.prepend == PreTokenizer::Prepend::kAlways ||
                          (metaspace.prepend == PreTokenizer::Prepend::kFirst && piece_.begins_input);
    if (prepends && !text.starts_with(metaspace.replacement)) text.insert(0, metaspace.replacement);
    piece_.text = std::move(text);
    if (!metaspace.split) {
      pieces_.push_back(std::move(piece_));
      return {};
    }
    const PreTokenizer::Split split{Pattern::literal(metaspace.replacement), Behavior::kMergedWithNext,
                                    false};
    return (*this)(split);
  }

 private:
  Piece& piece_;
  std::vector<Piece>& pieces_;
  MatchSteps& match_steps_;
};

}  // namespace

Pattern PreTokenizer::gpt2_pattern() {
  auto pattern =
      Pattern::regex(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  DSPARK_INVARIANT(pattern);
  return *std::move(pattern);
}

Result<std::vector<Piece>> PreTokenizer::cut(Piece piece, MatchSteps& match_steps) const {
  std::vector<Piece> pieces;
  if (!piece.text.empty()) pieces.push_back(std::move(piece));
  for (const Step& step : steps_) {
    std::vector<Piece> smaller;
    for (Piece& larger : pieces)
      if (auto error = std::visit(Application(larger, smaller, match_steps), step)) return *error;
    pieces = std::move(smaller);
  }
  return pieces;
}

}  // namespace dspark
