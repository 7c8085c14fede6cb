#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/crc.hpp>
#include <filesystem>

#include "executor/checkpoint/checkpoint.h"
#include "executor/checkpoint/model_config.h"
#include "executor/tokenizer/chat_template.h"
#include "executor/tokenizer/tokenizer.h"
#include "tests/executor/tokenizer/reference_data.h"

namespace dspark {
namespace {

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

/// Merging or cutting in quadratic time would take hours here.
TEST(LongTexts, AMegabyteOfOneLetterIsEncodedAndReadBack) {
  for (const char* kind :
       {"gpt2", "qwen", "llama3", "smollm2", "gemma", "llama2", "gpt4o", "cl100k", "deepseek"}) {
    const Tokenizer tokenizer = tokenizer_of(kind);
    for (const char* unit : {"e", " ", "\n", "7", "!", "é", "the ", "\xff"}) {
      const std::string text = repeated(unit, 1'000'000);
      const auto ids = tokenizer.encode(text, false);
      ASSERT_TRUE(ids) << kind << " '" << unit << "': " << to_string(ids.error());
      ASSERT_TRUE(tokenizer.decode(*ids, false) == valid_utf8(text)) << kind << " '" << unit << "'";
    }
  }
}

void add_ids(const Tokenizer& tokenizer, const std::string& text, boost::crc_32_type& sum) {
  const auto ids = tokenizer.encode(text, false);
  ASSERT_TRUE(ids) << to_string(ids.error());
  const std::string line = fmt::format("{}\n", fmt::join(*ids, " "));
  sum.process_bytes(line.data(), line.size());
}

/// scripts/make_references_characters: the same texts, and one checksum of all their ids.
TEST(EveryCharacter, IsNormalisedAsByTheReference) {
  for (const std::string& line : lines_of(file_text(data_path("characters.tsv")))) {
    const auto columns = columns_of(line);
    const Tokenizer tokenizer = tokenizer_of(columns[0]);
    boost::crc_32_type sum;
    for (char32_t code = 0; code < 0x110000; ++code) {
      if (code >= 0xd800 && code < 0xe000) continue;
      std::string character;
      append_utf8(code, character);
      add_ids(tokenizer, fmt::format("a{0}{0}b1{0}e{0}\u0301{0}", character), sum);
    }
    EXPECT_EQ(fmt::format("{:08x}", sum.checksum()), columns[1]) << columns[0];
  }
}

/// The folder that scripts/get_smollm2 writes.
class SmolLm2 : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no model; scripts/get_smollm2 gets it";
  }

  const std::string folder_ = std::string(DSPARK_SOURCE_DIR) + "/build/models/smollm2-135m-instruct";
};

TEST_F(SmolLm2, IsReadWhole) {
  const auto config = read_model_config(folder_);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->layers, 30);
  EXPECT_EQ(config->hidden_size, 576);
  EXPECT_EQ(config->rope.theta, 100000);
  EXPECT_EQ(config->end_tokens, (std::vector<int>{2}));
  const auto checkpoint = Checkpoint::open(folder_);
  ASSERT_TRUE(checkpoint) << to_string(checkpoint.error());
  EXPECT_EQ(checkpoint->tensors(), 272u);
  const std::size_t shape[] = {192, 576};
  EXPECT_TRUE(checkpoint->tensor("model.layers.29.self_attn.k_proj.weight", shape));
}

TEST_F(SmolLm2, EncodesAsItsReference) {
  const auto tokenizer = Tokenizer::read(folder_);
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  EXPECT_EQ(tokenizer->vocab_size(), 49152);
  const std::vector<std::string> strings = reference_strings();
  const std::vector<std::string> lines = lines_of(file_text(data_path("published_smollm2.tsv")));
  ASSERT_EQ(lines.size(), (strings.size() + 28) / 29);
  for (std::size_t i = 0; i < lines.size(); ++i)
    ASSERT_EQ(*tokenizer->encode(strings[29 * i], true), ids_of(lines[i])) << strings[29 * i];
}

TEST_F(SmolLm2, IsPromptedAsItsReference) {
  const auto tokenizer = Tokenizer::read(folder_);
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  const auto chat = ChatTemplate::of(*tokenizer);
  ASSERT_TRUE(chat) << to_string(chat.error());
  // tokenizer.apply_chat_template of transformers 5.24
  const std::vector<std::int32_t> expected = {1,    9690, 198,   2683, 359,  253,  5356, 5646,  11173, 3365,
                                              3511, 308,  34519, 28,   7018, 411,  407,  19712, 8182,  2,
                                              198,  1,    4093,  198,  1780, 314,  260,  3575,  282,   4649,
                                              47,   2,    198,   1,    520,  9531, 198};
  EXPECT_EQ(*tokenizer->encode(*chat->render("What is the capital of France?"), false), expected);
}

}  // namespace
}  // namespace dspark
