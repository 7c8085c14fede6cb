#include "executor/machine/prompt_texts.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <set>

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
  TextPrompts prompts({text, {}}, {1, 2});
  begin_alike_as_far_as_they_share(prompts);
  const auto prompt = prompts.prompt(request(1, 7, 24));
  for (std::size_t i = 1; i < prompt.size(); ++i) {
    if (i == 24) continue;  // from the prefix's window to its own
    EXPECT_EQ(prompt[i], (prompt[i - 1] + 1) % 100'000);
  }
}

/// A window that begins at a line goes on with the lines behind it.
TEST(TextPrompts, BeginWhereLinesDo) {
  TextPrompts prompts({{0, 1, 2, 3, 4, 5, 6}, {0, 3, 5}}, {1, 2});
  std::set<std::int32_t> begins;
  for (std::uint32_t ordinal = 0; ordinal < 60; ++ordinal) {
    const auto prompt = prompts.prompt({.ordinal = ordinal, .prompt_tokens = 4});
    begins.insert(prompt[0]);
    for (std::size_t i = 1; i < prompt.size(); ++i) EXPECT_EQ(prompt[i], (prompt[i - 1] + 1) % 7);
  }
  EXPECT_EQ(begins, (std::set<std::int32_t>{0, 3, 5}));
}

TEST(DomainPrompts, AskTheSourceOfTheDomain) {
  std::vector<std::unique_ptr<PromptSource>> sources;
  sources.push_back(std::make_unique<TextPrompts>(PromptText{{1}, {}}, RandomKey{1, 2}));
  sources.push_back(std::make_unique<TextPrompts>(PromptText{{2}, {}}, RandomKey{1, 2}));
  DomainPrompts prompts(std::move(sources));
  EXPECT_EQ(prompts.prompt({.prompt_tokens = 2, .domain = 1}), (std::vector<std::int32_t>{2, 2}));
  EXPECT_EQ(prompts.prompt({.prompt_tokens = 2, .domain = 0}), (std::vector<std::int32_t>{1, 1}));
}

class ReadPromptText : public ::testing::Test {
 protected:
  const std::string pair_ = DSPARK_SOURCE_DIR "/tests/models/tiny/";
  const Result<Tokenizer> tokenizer_ = Tokenizer::read(pair_ + "target");
  std::vector<std::int32_t> tokens(const std::string& text) { return *tokenizer_->encode(text, false); }
};

TEST_F(ReadPromptText, ByLineTakesEachLineForATextOfItsOwn) {
  ASSERT_TRUE(tokenizer_);
  const std::string path = ::testing::TempDir() + "/lines.txt";
  std::ofstream(path) << "a\\nb\\t\\\\c \\x\n\nlast \\";
  const auto text = read_prompt_text(path, *tokenizer_, true);
  ASSERT_TRUE(text) << to_string(text.error());
  std::vector<std::int32_t> both = tokens("a\nb\t\\c \\x");
  EXPECT_EQ(text->begins, (std::vector<std::size_t>{0, both.size()}));
  for (const std::int32_t token : tokens("last \\")) both.push_back(token);
  EXPECT_EQ(text->tokens, both);
  const auto whole = read_prompt_text(path, *tokenizer_, false);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->tokens, tokens("a\\nb\\t\\\\c \\x\n\nlast \\"));
  EXPECT_TRUE(whole->begins.empty());
}

TEST_F(ReadPromptText, SaysWhatIsWrong) {
  ASSERT_TRUE(tokenizer_);
  const std::string path = ::testing::TempDir() + "/no_lines.txt";
  std::ofstream(path) << "\n\n";
  EXPECT_EQ(read_prompt_text(path, *tokenizer_, true).error().message, "'" + path + "' has no text");
  EXPECT_EQ(read_prompt_text("/nowhere", *tokenizer_, true).error().message, "'/nowhere' is not a file");
}

}  // namespace
}  // namespace dspark
