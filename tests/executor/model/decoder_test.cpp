#include "executor/model/decoder.h"

#include <algorithm>

#include "tests/executor/model/decoder_steps.h"

namespace dspark {
namespace {

// Of a row's largest number. Two computations in f32 that sum in other orders differ by some 1e-6 per layer.
constexpr double kTolerance = 2e-4;

class DecoderOf : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(EveryModel, DecoderOf,
                         testing::Values("qwen3_tied", "qwen3_window_bias_yarn", "qwen3_layer_types_f16",
                                         "llama_tied_llama3", "llama_bias_linear_sharded", "gemma3_text",
                                         "gemma3_caps_linear", "gemma3_images", "gemma4_per_layer_shared",
                                         "gemma4_keys_are_values", "gemma4_images"),
                         [](const auto& model) { return std::string(model.param); });

TEST_P(DecoderOf, GivesTheNumbersOfTheReference) {
  const Reference reference(GetParam());
  DecoderSteps steps(GetParam(), ElementType::kF32);
  const RequestRows rows = steps.run(reference.tokens(), {});
  const ModelPlan& plan = steps.decoder().plan();
  for (std::size_t i = 0; i < rows.kept.size(); ++i) {
    const std::string name = "hidden." + std::to_string(static_cast<int>(i) - 1);
    EXPECT_LT(largest_difference(rows.kept[i], reference.numbers(name), plan.hidden), kTolerance) << name;
  }
  EXPECT_LT(largest_difference(rows.hidden, reference.numbers("hidden.norm"), plan.hidden), kTolerance);
  EXPECT_LT(largest_difference(rows.logits, reference.numbers("logits"), plan.vocabulary), kTolerance);
}

/// The same request alone and whole, in chunks, token by token, and beside others that are at other places of
/// their texts, in blocks that lie in another order: not a bit differs.
TEST_P(DecoderOf, ARowsBitsAreTheSameInChunksAloneAndBesideOthers) {
  const auto tokens = Reference(GetParam()).tokens();
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    DecoderSteps steps(GetParam(), type);
    const RequestRows whole = steps.run(tokens, {});
    EXPECT_EQ(steps.run(tokens, {7, 1, 13}), whole) << "in chunks";
    EXPECT_EQ(steps.run(tokens, {1}), whole) << "token by token";
    EXPECT_EQ(steps.run(tokens, {5, 3}, {17, 4, 23, 0, 9, 2}), whole) << "in blocks out of order";

    auto other = tokens;
    std::reverse(other.begin(), other.end());
    auto third = other;
    std::rotate(third.begin(), third.begin() + 11, third.end());
    const std::vector<std::vector<Part>> mixed{{{1, 0, 6}},
                                               {{1, 6, 5}, {0, 0, 9}, {2, 0, 3}},
                                               {{0, 9, 1}, {2, 3, 20}},
                                               {{2, 23, 1}, {1, 11, 18}, {0, 10, 4}},
                                               {{0, 14, 15}, {2, 24, 5}}};
    const auto rows = steps.run({tokens, other, third}, {{3, 11, 1, 20}, {2, 0, 5, 8}, {23, 7, 6, 4}}, mixed);
    EXPECT_EQ(rows[0], whole) << "beside others";
    EXPECT_EQ(rows[1], steps.run(other, {})) << "the others too";
    EXPECT_EQ(rows[2], steps.run(third, {}));
    DecoderSteps threads(GetParam(), type, 2);
    EXPECT_EQ(threads.run(tokens, {}), whole) << "on two threads";
  }
}

TEST_P(DecoderOf, LogitsOfChosenRowsAreThoseOfAllRows) {
  const auto tokens = Reference(GetParam()).tokens();
  DecoderSteps steps(GetParam(), ElementType::kF32);
  const RequestRows whole = steps.run(tokens, {});
  const std::size_t width = steps.decoder().plan().vocabulary;
  const std::vector<std::int32_t> first_row{0, static_cast<std::int32_t>(tokens.size())}, position{0};
  std::vector<std::int32_t> table{0, 1, 2, 3};
  const RaggedRows rows{first_row, position, {table.data(), {1, table.size()}}};
  const std::vector<std::int32_t> chosen{28, 3, 17};
  const DecoderOutput output = steps.decoder().forward(rows, tokens, steps.cache(), chosen);
  ASSERT_EQ(output.logits.shape[0], chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i)
    EXPECT_TRUE(std::equal(
        output.logits.row(i), output.logits.row(i) + width,
        whole.logits.begin() + static_cast<std::ptrdiff_t>(chosen[i]) * static_cast<std::ptrdiff_t>(width)));
  EXPECT_TRUE(steps.decoder().forward(rows, tokens, steps.cache(), {}).logits.empty());
}

/// Weights, keys and values in bf16 move the numbers by their rounding: 2^-9 each, which layers and sharp
/// softmaxes enlarge, so that single rows go far (in the reference in bf16 too) and the middle one does not.
TEST_P(DecoderOf, WeightsInBf16StayNearTheReference) {
  const Reference reference(GetParam());
  DecoderSteps steps(GetParam(), ElementType::kBf16);
  const RequestRows rows = steps.run(reference.tokens(), {});
  auto differences =
      row_differences(rows.logits, reference.numbers("logits"), steps.decoder().plan().vocabulary);
  std::sort(differences.begin(), differences.end());
  EXPECT_GT(differences.front(), 1e-4) << "is it bf16?";
  EXPECT_LT(differences[differences.size() / 2], 0.1);
}

}  // namespace
}  // namespace dspark
