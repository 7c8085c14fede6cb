#include "executor/tokenizer/normalizer.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <optional>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

/// The characters of Unicode 9.0, of which the reference's tables are. It takes later ones, as ICU does those
/// outside of this set, for characters that nothing is done to.
const icu::UnicodeSet& known_characters() {
  static const icu::UnicodeSet known = [] {
    UErrorCode code = U_ZERO_ERROR;
    icu::UnicodeSet set(icu::UnicodeString::fromUTF8("[:age=9.0:]"), code);
    DSPARK_INVARIANT(U_SUCCESS(code));
    set.freeze();
    return set;
  }();
  return known;
}

const icu::Normalizer2* instance(Normalizer::Form form, UErrorCode& code) {
  switch (form) {
    case Normalizer::Form::kNfc:
      return icu::Normalizer2::getNFCInstance(code);
    case Normalizer::Form::kNfd:
      return icu::Normalizer2::getNFDInstance(code);
    case Normalizer::Form::kNfkc:
      return icu::Normalizer2::getNFKCInstance(code);
    case Normalizer::Form::kNfkd:
      return icu::Normalizer2::getNFKDInstance(code);
  }
  return nullptr;
}

/// One step at a time on a text that may grow to `most` bytes.
class Application {
 public:
  Application(std::string& text, std::size_t most, MatchSteps& match_steps)
      : text_(text), most_(most), match_steps_(match_steps) {}

  std::optional<Error> operator()(Normalizer::Form form) {
    UErrorCode code = U_ZERO_ERROR;
    std::string normalized;
    icu::StringByteSink<std::string> sink(&normalized, static_cast<std::int32_t>(text_.size()));
    const icu::Normalizer2* const normalizer = instance(form, code);
    if (U_SUCCESS(code))
      icu::FilteredNormalizer2(*normalizer, known_characters()).normalizeUTF8(0, text_, sink, nullptr, code);
    if (U_FAILURE(code)) return Error{fmt::format("ICU cannot normalise: {}", u_errorName(code))};
    text_ = std::move(normalized);
    return too_long();
  }

  std::optional<Error> operator()(const Normalizer::Replace& replace) {
    const auto parts = replace.pattern.parts(text_, match_steps_);
    if (!parts) return parts.error();
    std::string replaced;
    for (const Pattern::Part& part : *parts) {
      replaced += part.is_match ? std::string_view(replace.content)
                                : std::string_view(text_).substr(part.begin, part.end - part.begin);
      if (replaced.size() > most_) break;
    }
    text_ = std::move(replaced);
    return too_long();
  }

  std::optional<Error> operator()(const Normalizer::Prepend& prepend) {
    if (!text_.empty()) text_.insert(0, prepend.content);
    return too_long();
  }

 private:
  std::optional<Error> too_long() const {
    if (text_.size() <= most_) return {};
    return Error{fmt::format("the normaliser makes more than {} bytes of a text", most_)};
  }

  std::string& text_;
  std::size_t most_;
  MatchSteps& match_steps_;
};

}  // namespace

Result<std::string> Normalizer::normalize(std::string text, MatchSteps& match_steps) const {
  const std::size_t most = (std::size_t{1} << 20) + kMostGrowth * text.size();
  Application apply(text, most, match_steps);
  for (const Step& step : steps_)
    if (auto error = std::visit(apply, step)) return *error;
  return text;
}

}  // namespace dspark
