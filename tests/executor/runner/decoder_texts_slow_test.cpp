// Greedy text of a real (tiny, random) decoder for the whole product of policies, drafters and batch sizes:
// the same token for token as that of the decoder alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "executor/drafter/drafter_choice.h"
#include "kernels/cpu/instruction_set.h"
#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::required_parameters;
using testing::ServedModel;
using testing::ServedTexts;

constexpr std::size_t kLargestBatch = 16;
constexpr int kReply = 10;  // tokens

/// DSpark, DFlash, EAGLE-3, MTP, prompt lookup, a small model whose drafts are rejected nearly always, and
/// the target itself, whose drafts never are. (Those of random drafters are right about once in 64.)
constexpr const char* kDrafters[] = {
    "dspark_vanilla", "dflash", "eagle3_two_layers", "mtp_qwen3", "ngram", "llama_tied_llama3", "qwen3_tied"};

/// Every one but the oracle, which sees outcomes that a real machine does not know.
std::vector<std::string> served_policies() {
  std::vector<std::string> policies = depth_policy_names();
  std::erase(policies, "oracle");
  return policies;
}

/// The decoder with a drafter, and the texts that it writes without one.
class GreedyTexts {
 public:
  GreedyTexts(const std::string& drafter, ElementType type,
              std::optional<InstructionSet> instruction_set = {})
      : choice_{.what = folder_of(drafter), .block_size = 4},
        model_("qwen3_tied", type, *layers_for(choice_, *read_model_config(model_data() + "qwen3_tied")),
               instruction_set),
        requests_(testing::some_requests(kLargestBatch, kReply, 0)) {
    auto made = make_drafter({.what = choice_.what, .block_size = std::string(drafter) == "dflash" ? 3 : 4},
                             model_.draft_target(), *model_.kernels, kLargestBatch, 2048);
    if (!made) ADD_FAILURE() << to_string(made.error());
    drafter_ = *std::move(made);
    ServedTexts plain = model_.served(nullptr, 0);
    plain.engine.max_num_seqs = 1;
    plain.serve(requests_);
    plain_ = plain.replies;
  }

  /// Serves as many requests as run together.
  void expect_plain_text(const std::string& policy, std::size_t batch, int kv_blocks = ServedModel::kBlocks) {
    const auto calibration = calibration_for(drafter_.get());
    ServedTexts served = model_.served(drafter_.get(), 0);
    served.policy = policy;
    served.policy_parameters = required_parameters(policy);
    served.calibration = calibration.get();
    served.engine.max_num_seqs = static_cast<int>(batch);
    served.engine.kv_blocks = kv_blocks;
    served.serve({requests_.begin(), requests_.begin() + static_cast<std::ptrdiff_t>(batch)});
    for (std::size_t r = 0; r < batch; ++r)
      ASSERT_EQ(served.replies[r], plain_[r]) << policy << ", request " << r << " of " << batch;
    submitted += served.submitted;
    accepted += served.accepted;
    preemptions += served.preemptions;
  }

  std::int64_t submitted = 0;
  std::int64_t accepted = 0;
  std::int64_t preemptions = 0;

 private:
  static std::string folder_of(const std::string& drafter) {
    if (drafter == "ngram") return drafter;
    const bool language_model = drafter == "llama_tied_llama3" || drafter == "qwen3_tied";
    return (language_model ? model_data() : drafter_data()) + drafter;
  }

  DrafterChoice choice_;
  ServedModel model_;
  std::vector<GivenRequest> requests_;
  std::unique_ptr<Drafter> drafter_;
  std::vector<std::vector<std::int32_t>> plain_;
};

using GreedyTextWith = ::testing::TestWithParam<const char*>;

TEST_P(GreedyTextWith, EveryPolicyAndBatchSizeIsThatOfPlainDecodingOnEachInstructionSet) {
  for (const InstructionSet set : instruction_sets()) {
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      SCOPED_TRACE(fmt::format("{}, {}", name_of(set), type == ElementType::kF32 ? "f32" : "bf16"));
      GreedyTexts texts(GetParam(), type, set);
      for (const std::string& policy : served_policies())
        for (std::size_t batch = 1; batch <= kLargestBatch; ++batch)
          ASSERT_NO_FATAL_FAILURE(texts.expect_plain_text(policy, batch));
      EXPECT_GT(texts.submitted, 0);
      if (GetParam() == std::string("qwen3_tied")) {
        EXPECT_EQ(texts.accepted, texts.submitted);
      }
    }
  }
}

TEST_P(GreedyTextWith, EveryPolicySurvivesPreemptions) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    GreedyTexts texts(GetParam(), type);
    for (const std::string& policy : served_policies()) {
      const std::int64_t before = texts.preemptions;
      ASSERT_NO_FATAL_FAILURE(texts.expect_plain_text(policy, kLargestBatch, 8));
      EXPECT_GT(texts.preemptions, before) << policy;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryDrafter, GreedyTextWith, ::testing::ValuesIn(kDrafters),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace dspark
