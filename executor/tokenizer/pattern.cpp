#define PCRE2_CODE_UNIT_WIDTH 8

#include "executor/tokenizer/pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>

#include "executor/tokenizer/regex_syntax.h"
#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

using MatchData = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>>;

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

Error no_regex(int code, std::size_t byte) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return Error{fmt::format("no regular expression: {} at byte {}", reinterpret_cast<const char*>(text.data()),
                           byte + 1)};
}

/// Matches at one place of a text. PCRE2's limit holds for one call; so that all calls together keep to the
/// steps, each begins with few and is repeated with twice as many while they do not suffice, all of them
/// paid.
class Matcher {
 public:
  Matcher(const pcre2_code* code, std::string_view text, MatchSteps& steps)
      : code_(code),
        text_(text),
        steps_(steps),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (!data_ || !context_) throw std::bad_alloc();
    pcre2_set_heap_limit(context_.get(), Pattern::kHeapKib);
  }

  /// The end of the match that begins at `begin`, or `begin` where there is none.
  Result<std::size_t> end_of_match(std::size_t begin) {
    constexpr std::uint32_t kOptions = PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    for (std::size_t limit = kFirstSteps;; limit *= 2) {
      if (limit > steps_.left()) return too_hard();
      steps_.take(limit);
      pcre2_set_match_limit(context_.get(), static_cast<std::uint32_t>(limit));
      const int code =
          pcre2_match(code_, units(text_), text_.size(), begin, kOptions, data_.get(), context_.get());
      if (code >= 0) return static_cast<std::size_t>(pcre2_get_ovector_pointer(data_.get())[1]);
      if (code == PCRE2_ERROR_NOMATCH) return begin;
      if (code == PCRE2_ERROR_NOMEMORY) throw std::bad_alloc();
      if (code != PCRE2_ERROR_MATCHLIMIT) return too_hard();
    }
  }

 private:
  static constexpr std::size_t kFirstSteps = 32;

  Error too_hard() const {
    return Error{fmt::format("a text of {} bytes takes its regular expression too many steps", text_.size())};
  }

  const pcre2_code* code_;
  std::string_view text_;
  MatchSteps& steps_;
  MatchData data_;
  MatchContext context_;
};

/// Adds a match and what stands before it.
void add_match(std::vector<Pattern::Part>& parts, std::size_t begin, std::size_t end) {
  const std::size_t last = parts.empty() ? 0 : parts.back().end;
  if (last < begin) parts.push_back({last, begin, false});
  parts.push_back({begin, end, true});
}

void add_rest(std::vector<Pattern::Part>& parts, std::size_t size) {
  const std::size_t last = parts.empty() ? 0 : parts.back().end;
  if (last < size) parts.push_back({last, size, false});
}

}  // namespace

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.text_ = std::move(text);
  return pattern;
}

Result<Pattern> Pattern::regex(std::string_view regex) {
  if (regex.size() > kMostBytes)
    return Error{fmt::format("a regular expression of {} bytes, more than {}", regex.size(), kMostBytes)};
  const auto translated = pcre2_syntax(regex);
  if (!translated) return translated.error();
  // No just-in-time compiler: its limits count otherwise.
  constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int code = 0;
  std::size_t byte = 0;
  pcre2_code* const compiled =
      pcre2_compile(units(*translated), translated->size(), kOptions, &code, &byte, nullptr);
  if (compiled == nullptr) return no_regex(code, byte);
  Pattern pattern;
  pattern.text_ = regex;
  pattern.code_ = {compiled, pcre2_code_free};
  std::uint32_t matches_empty = 0;
  pcre2_pattern_info(compiled, PCRE2_INFO_MATCHEMPTY, &matches_empty);
  if (matches_empty != 0) return Error{"a regular expression that can match nothing at all"};
  return pattern;
}

Result<std::vector<Pattern::Part>> Pattern::parts(std::string_view text, MatchSteps& steps) const {
  if (code_) return regex_parts(text, steps);
  return literal_parts(text);
}

Result<std::vector<Pattern::Part>> Pattern::regex_parts(std::string_view text, MatchSteps& steps) const {
  std::vector<Part> parts;
  Matcher matcher(code_.get(), text, steps);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = matcher.end_of_match(begin);
    if (!end) return end.error();
    if (*end > begin) add_match(parts, begin, *end);
    begin = *end > begin ? *end : begin + first_unit(text.substr(begin)).bytes;
  }
  add_rest(parts, text.size());
  return parts;
}

std::vector<Pattern::Part> Pattern::literal_parts(std::string_view text) const {
  std::vector<Part> parts;
  for (std::size_t begin = 0; !text_.empty();) {
    begin = text.find(text_, begin);
    if (begin == std::string_view::npos) break;
    add_match(parts, begin, begin + text_.size());
    begin += text_.size();
  }
  add_rest(parts, text.size());
  return parts;
}

}  // namespace dspark
