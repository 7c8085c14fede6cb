#include "executor/machine/prompt_texts.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace dspark {
namespace {

RequestSpec request(std::uint32_t ordinal, std::uint32_t prefix, std::int32_t shared) {
  return {.ordinal = ordinal, .prompt_tokens = 40, .prefix = prefix, .shared_prefix_tokens = shared};
}

/// Tokens with which both begin.
std::ptrdiff_t alike(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  return std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
}

void begin_alike_as_far_as_they_share(PromptSource& prompts) {
  const auto first = prompts.prompt(request(1, 7, 24)), second = prompts.prompt(request(2, 7, 24)),
             other = prompts.prompt(request(1, 8, 24)), whole = prompts.prompt(request(2, 7, 40));
  EXPECT_EQ(first.size(), 40u);
  EXPECT_EQ(alike(first, second), 24);
  EXPECT_EQ(alike(first, other), 0);
  EXPECT_EQ(alike(first, whole), 24);
  EXPECT_TRUE(std::equal(first.begin() + 24, first.end(), other.begin() + 24)) << "its own part is its own";
  EXPECT_EQ(first, prompts.prompt(request(1, 7, 24)));
  EXPECT_EQ(alike(prompts.prompt(request(1, 7, 0)), prompts.prompt(request(2, 7, 0))), 0);
}

TEST(RandomPrompts, BeginAlikeAsFarAsTheyShareAPrefix) {
  RandomPrompts prompts(1 << 30, {1, 2});
  begin_alike_as_far_as_they_share(prompts);
}

TEST(TextPrompts, BeginAlikeAsFarAsTheyShareAPrefix) {
  std::vector<std::int32_t> text(100'000);
  std::iota(text.begin(), text.end(), 0);
  TextPrompts prompts(text, {1, 2});
  begin_alike_as_far_as_they_share(prompts);
  const auto prompt = prompts.prompt(request(1, 7, 24));
  for (std::size_t i = 1; i < prompt.size(); ++i) {
    if (i == 24) continue;  // from the prefix's window to its own
    EXPECT_EQ(prompt[i], (prompt[i - 1] + 1) % 100'000);
  }
}

}  // namespace
}  // namespace dspark
