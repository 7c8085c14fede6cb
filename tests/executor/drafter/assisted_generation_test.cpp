// A small model drafts for the target round by round as `transformers` does in its assisted generation.
#include "executor/drafter/chain_folder.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;
using testing::ServedTexts;

constexpr std::size_t kDrafted = 4;  // in scripts/references/assisted_generation.py

TEST(AssistedGeneration, RoundsAreThoseOfTransformers) {
  const std::string folder = DSPARK_SOURCE_DIR "/tests/executor/drafter/data/small_model";
  const Reference reference("../../drafter/data/small_model");
  const auto integers = [&](const char* name) {
    const auto numbers = reference.numbers(name);
    return std::vector<std::int32_t>(numbers.begin(), numbers.end());
  };
  const auto reply = integers("reply");
  ServedModel model("qwen3_tied", ElementType::kF32);
  const auto drafter = open_chain_drafter(folder, model.draft_target(), *model.kernels,
                                          {.block_size = kDrafted, .max_requests = 1, .kv_tokens = 256});
  ASSERT_TRUE(drafter) << to_string(drafter.error());
  ServedTexts served = model.served(drafter->get(), kDrafted);
  served.serve({{.prompt = integers("prompt"), .output_limit = static_cast<std::int32_t>(reply.size())}});
  EXPECT_EQ(served.replies[0], reply);
  std::vector<std::int32_t> drafted;
  for (std::vector<std::int32_t> round : served.drafts) {
    round.resize(kDrafted, -1);
    drafted.insert(drafted.end(), round.begin(), round.end());
  }
  EXPECT_EQ(drafted, integers("drafted"));
  EXPECT_EQ(served.accepted_drafts, integers("accepted"));
  EXPECT_GT(served.accepted, 0);
  EXPECT_LT(served.accepted, served.submitted);
}

}  // namespace
}  // namespace dspark
