#include "executor/tokenizer/regex_syntax.h"

#include <gtest/gtest.h>

#include "executor/tokenizer/pattern.h"

namespace dspark {
namespace {

std::string translated(std::string_view regex) {
  const auto result = pcre2_syntax(regex);
  return result ? *result : to_string(result.error());
}

TEST(RegexSyntax, WhatMeansTheSameIsCopied) {
  for (const char* same :
       {"(?i:'s|'t)", "(?=a)(?!b)(?<=c)(?<!d)(?>e)(f)", "a?b*c+d??e*?f+?g?+h*+i++j{3}k{1,}l{1,3}?",
        "[^a-z0-9]", R"(\p{L}\p{Lu}\P{N}[\p{M}\d])", R"(\r\n\t\f\.\[\]\/\-\ )", "^.$", "[一-龥]"})
    EXPECT_EQ(translated(same), same);
}

TEST(RegexSyntax, WhatIsWrittenOtherwiseIsRewritten) {
  const std::string spaces =
      R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
  EXPECT_EQ(translated(R"(\s\S[^\sa])"), "[" + spaces + "][^" + spaces + "][^" + spaces + "a]");
  EXPECT_EQ(translated(R"(\p{Han}\p{^latin}\p{lu})"), R"(\p{sc:han}\p{^sc:latin}\p{Lu})");
  EXPECT_EQ(translated(R"(\u4e00\x41\x{1F600})"), R"(\x{4e00}\x{41}\x{1F600})");
}

TEST(RegexSyntax, WhatMayMeanSomethingElseIsRefusedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(a\w)", R"(an escape '\w' at byte 2)"},
      {R"(\b)", R"(an escape '\b' at byte 1)"},
      {R"(\1)", R"(an escape '\1' at byte 1)"},
      {"\\", "a '\\' at the end at byte 1"},
      {"(?m:a)", "an unknown kind of group at byte 1"},
      {"(?i)a", "an unknown kind of group at byte 1"},
      {"(*ACCEPT)", "a verb '(*' at byte 1"},
      {"[a[b]]", "a set in a set at byte 3"},
      {"[a&&b]", "a set in a set at byte 3"},
      {"[]a]", "an empty set or a ']' as the first of one at byte 2"},
      {"[a", "a set that does not end at byte 3"},
      {R"([\S])", R"(a \S in a set at byte 2)"},
      {"a{,3}", "a '{' that begins no count at byte 2"},
      {"a{3}+", "a repeat of a repeat at byte 5"},
      {"a{3}?", "a repeat of a repeat at byte 5"},
      {"a+++", "a repeat of a repeat at byte 4"},
      {R"(\p{Alphabetic})", "an unknown property 'Alphabetic' at byte 1"},
      {R"(\pL)", R"(a \p without its name in braces at byte 1)"},
      {R"(\x80)", "a byte above 7f at byte 1"},
      {R"(\u12)", "a code point that is not written whole at byte 1"},
  };
  for (const auto& [regex, error] : cases)
    EXPECT_EQ(translated(regex), std::string(error) + " of the regular expression") << regex;
}

TEST(Pattern, ATextIsPartsThatFollowEachOther) {
  const auto words = Pattern::regex(R"(\p{L}+)");
  ASSERT_TRUE(words);
  MatchSteps steps = MatchSteps::of_text(10);
  const auto parts = words->parts("é, bc", steps);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3u);
  const std::size_t ends[] = {2, 4, 6};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*parts)[i].begin, i == 0 ? 0 : ends[i - 1]);
    EXPECT_EQ((*parts)[i].end, ends[i]);
    EXPECT_EQ((*parts)[i].is_match, i != 1);
  }
}

TEST(Pattern, StepsArePaidAndRunOut) {
  const auto hard = Pattern::regex("(a|aa)+[bc]");
  ASSERT_TRUE(hard);
  MatchSteps few(1000);
  EXPECT_FALSE(hard->parts(std::string(30, 'a'), few));
  EXPECT_LT(few.left(), 1000u);
  MatchSteps enough(1000);
  EXPECT_TRUE(hard->parts("aab", enough));
  EXPECT_GT(enough.left(), 0u);
}

}  // namespace
}  // namespace dspark
