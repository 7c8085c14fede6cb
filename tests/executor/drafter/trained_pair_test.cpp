// The pair that ships, tests/models/tiny: its folders load, and greedy texts with its drafters are the
// target's own.
#include <gtest/gtest.h>

#include "executor/drafter/drafter_folder.h"
#include "executor/tokenizer/tokenizer.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;
using testing::ServedTexts;

const std::string kPair = DSPARK_SOURCE_DIR "/tests/models/tiny";
constexpr int kGamma = 7;
constexpr std::int32_t kReply = 48;  // tokens

/// A prompt of each domain, of templates that training never saw.
std::vector<GivenRequest> prompts(const Tokenizer& tokenizer) {
  std::vector<GivenRequest> requests;
  for (const char* text :
       {"Find (57 * 4) + 385.\n", "def merge_rows(rows, step):\n", "Peter repaired the old clock."}) {
    const auto tokens = tokenizer.encode(text, /*add_special_tokens=*/true);
    EXPECT_TRUE(tokens);
    requests.push_back({.prompt = *tokens, .output_limit = kReply});
  }
  return requests;
}

class TrainedPair : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainedPair, GreedyTextsAreTheTargetsOwnAndMostRoundsKeepDrafts) {
  const std::string folder = kPair + "/" + GetParam();
  const auto tokenizer = Tokenizer::read(kPair + "/target");
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  const auto config = read_model_config(kPair + "/target");
  ASSERT_TRUE(config) << to_string(config.error());
  const auto layers = drafter_target_layers(folder, *config);
  ASSERT_TRUE(layers) << to_string(layers.error());
  ServedModel model("../../../models/tiny/target", ElementType::kBf16, *layers);

  ServedTexts alone = model.served(nullptr, 0);
  alone.serve(prompts(*tokenizer));
  const auto drafter = open_drafter(folder, model.draft_target(), *model.kernels,
                                    {.max_requests = 16, .kv_tokens = 4096, .block_size = kGamma});
  ASSERT_TRUE(drafter) << to_string(drafter.error());
  EXPECT_EQ((*drafter)->has_confidence_head(), std::string(GetParam()) == "dspark");
  ServedTexts drafted = model.served(drafter->get(), kGamma);
  drafted.serve(prompts(*tokenizer));

  EXPECT_EQ(drafted.replies, alone.replies);
  // An untrained drafter has next to none of 512 tokens and more accepted.
  EXPECT_GT(drafted.accepted, drafted.rounds);
}

INSTANTIATE_TEST_SUITE_P(Drafters, TrainedPair, ::testing::Values("dspark", "dflash"));

}  // namespace
}  // namespace dspark
