#include "executor/tokenizer/regex_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace dspark {
namespace {

// The characters with the property White_Space, which has not changed since Unicode 6.3.
constexpr std::string_view kSpaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

constexpr std::array<std::string_view, 37> kCategories = {
    "c",  "cc", "cf", "cn", "co", "cs", "l",  "ll", "lm", "lo", "lt", "lu", "m",
    "mc", "me", "mn", "n",  "nd", "nl", "no", "p",  "pc", "pd", "pe", "pf", "pi",
    "po", "ps", "s",  "sc", "sk", "sm", "so", "z",  "zl", "zp", "zs"};

// Scripts that are written this way in both. PCRE2 needs the prefix, or it takes script extensions.
constexpr std::array<std::string_view, 12> kScripts = {"arabic",   "cyrillic", "devanagari", "greek",
                                                       "han",      "hangul",   "hebrew",     "hiragana",
                                                       "katakana", "latin",    "thai",       "armenian"};

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

class Translator {
 public:
  explicit Translator(std::string_view regex) : regex_(regex) {}

  Result<std::string> translate() {
    while (!fault_ && at_ < regex_.size()) item();
    if (fault_) return Error{fmt::format("{} at byte {} of the regular expression", *fault_, at_ + 1)};
    return std::move(out_);
  }

 private:
  bool is_next(std::string_view text) const { return regex_.substr(at_).starts_with(text); }
  void refuse(std::string what) {
    if (!fault_) fault_ = std::move(what);
  }
  void copy(std::size_t bytes) {
    out_ += regex_.substr(at_, bytes);
    at_ += bytes;
  }

  void item() {
    switch (regex_[at_]) {
      case '\\':
        return escape(/*in_set=*/false);
      case '[':
        return set();
      case '(':
        return group();
      case '{':
        return counted();
      case '*':
      case '+':
      case '?':
        return repeat();
      default:
        return copy(1);
    }
  }

  void group() {
    if (!is_next("(?")) return is_next("(*") ? refuse("a verb '(*'") : copy(1);
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"})
      if (is_next(known)) return copy(known.size());
    refuse("an unknown kind of group");
  }

  void repeat() {
    copy(1);
    // Lazy or possessive. A third sign would repeat the repeat in one syntax only.
    if (is_next("?") || is_next("+")) copy(1);
    if (is_next("?") || is_next("+") || is_next("*") || is_next("{")) refuse("a repeat of a repeat");
  }

  void counted() {
    std::size_t end = at_ + 1;
    const std::size_t digits = end;
    while (end < regex_.size() && is_digit(regex_[end])) ++end;
    const bool is_counted = end > digits;
    const bool has_comma = end < regex_.size() && regex_[end] == ',';
    if (has_comma) ++end;
    while (end < regex_.size() && is_digit(regex_[end])) ++end;
    if (!is_counted || end == regex_.size() || regex_[end] != '}')
      return refuse("a '{' that begins no count");
    copy(end + 1 - at_);
    if (has_comma && is_next("?")) copy(1);
    if (is_next("?") || is_next("+") || is_next("*") || is_next("{")) refuse("a repeat of a repeat");
  }

  void set() {
    copy(is_next("[^") ? 2 : 1);
    if (is_next("]")) return refuse("an empty set or a ']' as the first of one");
    while (!fault_ && at_ < regex_.size() && regex_[at_] != ']') {
      if (regex_[at_] == '\\') {
        escape(/*in_set=*/true);
      } else if (regex_[at_] == '[' || is_next("&&")) {
        refuse("a set in a set");
      } else {
        copy(1);
      }
    }
    if (fault_) return;
    if (at_ == regex_.size()) return refuse("a set that does not end");
    copy(1);
  }

  void escape(bool in_set) {
    if (at_ + 1 == regex_.size()) return refuse("a '\\' at the end");
    const char escaped = regex_[at_ + 1];
    switch (escaped) {
      case 'p':
      case 'P':
        return property();
      case 's':
        out_ += in_set ? std::string(kSpaces) : fmt::format("[{}]", kSpaces);
        at_ += 2;
        return;
      case 'S':
        if (in_set) return refuse("a \\S in a set");
        out_ += fmt::format("[^{}]", kSpaces);
        at_ += 2;
        return;
      case 'x':
      case 'u':
        return code_point();
      default:
        break;
    }
    constexpr std::string_view kSame = "dDrntf";
    if (kSame.find(escaped) != std::string_view::npos || std::ispunct(static_cast<unsigned char>(escaped)))
      return copy(2);
    if (escaped == ' ') return copy(2);
    refuse(std::isprint(static_cast<unsigned char>(escaped)) ? fmt::format("an escape '\\{}'", escaped)
                                                             : "an escape of no printable character");
  }

  /// \p{L}, \p{^L}, \P{L}
  void property() {
    const std::size_t end = regex_.find('}', at_);
    if (at_ + 2 >= regex_.size() || regex_[at_ + 2] != '{' || end == std::string_view::npos)
      return refuse("a \\p without its name in braces");
    std::string name(regex_.substr(at_ + 3, end - at_ - 3));
    const bool is_negated = name.starts_with('^');
    std::string lower = name.substr(is_negated ? 1 : 0);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    std::string written;
    if (std::find(kCategories.begin(), kCategories.end(), lower) != kCategories.end()) {
      written = lower;
      written[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(written[0])));
    } else if (std::find(kScripts.begin(), kScripts.end(), lower) != kScripts.end()) {
      written = "sc:" + lower;
    } else {
      return refuse(fmt::format("an unknown property '{}'", name.substr(0, 40)));
    }
    out_ += fmt::format("\\{}{{{}{}}}", regex_[at_ + 1], is_negated ? "^" : "", written);
    at_ = end + 1;
  }

  /// \x41, \x{1F600}, \u0041
  void code_point() {
    std::size_t begin = at_ + 2;
    std::size_t most = regex_[at_ + 1] == 'u' ? 4 : 2;
    const bool is_braced = most == 2 && is_next("\\x{");
    if (is_braced) {
      ++begin;
      most = 6;
    }
    std::size_t end = begin;
    while (end < regex_.size() && end < begin + most &&
           std::isxdigit(static_cast<unsigned char>(regex_[end])))
      ++end;
    const bool is_whole =
        is_braced ? end > begin && end < regex_.size() && regex_[end] == '}' : end == begin + most;
    if (!is_whole) return refuse("a code point that is not written whole");
    // Oniguruma takes \x80 to \xff for bytes, not for characters.
    if (most == 2 && regex_[begin] >= '8') return refuse("a byte above 7f");
    out_ += fmt::format("\\x{{{}}}", regex_.substr(begin, end - begin));
    at_ = end + (is_braced ? 1 : 0);
  }

  std::string_view regex_;
  std::size_t at_ = 0;
  std::string out_;
  std::optional<std::string> fault_;
};

}  // namespace

Result<std::string> pcre2_syntax(std::string_view regex) { return Translator(regex).translate(); }

}  // namespace dspark
