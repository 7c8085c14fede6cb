// Every instruction set that this build has and this processor runs gives the bits of the scalar code,
// whatever the number of rows: whole registers, tails, and fewer rows than a register holds.

#include "sim/acceptance/latent_columns.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "policies/elementary.h"
#include "sim/acceptance/latent_acceptance.h"

namespace dspark {
namespace {

constexpr RandomKey kKey{0x243f6a88, 0x85a308d3};
const std::size_t kRows[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257};

template <typename Word>
std::vector<Word> words(std::size_t count, std::uint32_t salt) {
  std::vector<Word> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = static_cast<Word>(draw_words(kKey, Stream::kPolicyCoin, salt, static_cast<std::uint32_t>(i))[0]);
  }
  return all;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

class EveryTarget : public ::testing::TestWithParam<SimdTarget> {
 protected:
  ~EveryTarget() override { use_simd_target(simd_targets().back()); }
  const LatentColumns& columns_ = latent_columns(GetParam());
};

TEST_P(EveryTarget, DrawsTheWordsOfRandom123) {
  for (const std::size_t rows : kRows) {
    const auto source = words<std::uint32_t>(rows, 1), ordinal = words<std::uint32_t>(rows, 2),
               position = words<std::uint32_t>(rows, 3);
    std::vector<std::uint32_t> drawn(4 * rows);
    columns_.draw_words(kKey, Stream::kDraftLatent, 5, {rows, source.data(), ordinal.data(), position.data()},
                        drawn.data());
    for (std::size_t r = 0; r < rows; ++r) {
      const RandomWords expected = draw_words(kKey, Stream::kDraftLatent, source[r], ordinal[r],
                                              position[r] & 0xffffff, position[r] >> 24, 5);
      for (std::size_t w = 0; w < 4; ++w) EXPECT_EQ(drawn[w * rows + r], expected[w]) << rows << ' ' << r;
    }
  }
}

TEST_P(EveryTarget, TurnsBitsIntoTheSameLogitsAndProbabilities) {
  for (const std::size_t rows : kRows) {
    const auto bits = words<std::uint32_t>(rows, 4);
    const std::vector<float> effect{1.7f, -0.3f}, deviation{1.3f, 0.9f};
    std::vector<float> field(rows);
    std::vector<std::int32_t> domain(rows);
    for (std::size_t r = 0; r < rows; ++r) {
      field[r] = normal_from_bits(bits[r] * 2654435761u);
      domain[r] = static_cast<std::int32_t>(r % 2);
    }
    for (const bool domains : {false, true}) {
      std::vector<float> logit = field, probability(rows), logits_expected, expected;
      for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t d = domains ? r % 2 : 0;
        logits_expected.push_back(effect[d] + deviation[d] * (field[r] + 0.7f * normal_from_bits(bits[r])));
        expected.push_back(logistic(logits_expected[r]));
      }
      columns_.logits({rows, bits.data(), 0.7f, deviation.data(), effect.data(),
                       domains ? domain.data() : nullptr, logit.data()});
      columns_.logistic(logit.data(), probability.data(), rows);
      EXPECT_EQ(bits_of(logit), bits_of(logits_expected)) << rows;
      EXPECT_EQ(bits_of(probability), bits_of(expected)) << rows;
    }
  }
}

TEST_P(EveryTarget, AcceptsUpToTheFirstRefusal) {
  for (const std::size_t rows : kRows) {
    std::vector<int> accepted(rows, 0), expected(rows, 0);
    for (int k = 0; k < 7; ++k) {
      const auto coin = words<std::uint32_t>(rows, static_cast<std::uint32_t>(10 + k));
      std::vector<float> probability(rows);
      for (std::size_t r = 0; r < rows; ++r) {
        // Half the rows have the coin itself as their probability: that refuses.
        const float value = static_cast<float>(coin[r] >> 8) * 0x1p-24f;
        probability[r] = coin[r] % 2 == 0 ? value : 0.8f;
        if (expected[r] == k && value < probability[r]) ++expected[r];
      }
      columns_.accept(k, coin.data(), probability.data(), accepted.data(), rows);
    }
    EXPECT_EQ(accepted, expected) << rows;
  }
}

/// Thirty rounds of a batch that walks along its texts, whose requests change places, leave and come.
std::vector<std::uint32_t> rounds_of(const LatentAcceptance& model, std::size_t rows, bool remember) {
  auto source = words<std::uint32_t>(rows, 20), ordinal = words<std::uint32_t>(rows, 21);
  std::vector<std::int32_t> anchor(rows, 61), attempt(rows, 0), domain(rows);
  for (std::size_t r = 0; r < rows; ++r) domain[r] = static_cast<std::int32_t>(r % 2);
  const std::vector<float> temperature(rows, 1.0f);
  const std::vector<RequestId> id(rows);
  std::vector<std::uint32_t> all;
  DraftedBlocks kept;
  for (int round = 0; round < 30; ++round) {
    DraftedBlocks fresh;
    DraftedBlocks& blocks = remember ? kept : fresh;
    const int depth = round % 5 == 4 ? 3 : 7;
    model.draw(kKey, {id, source, ordinal, anchor, attempt, domain, temperature}, depth,
               kTop1 | kMargin | kEntropy | kChosen | kDivergence, blocks);
    for (const auto* column : {&blocks.confidence, &blocks.top1, &blocks.margin, &blocks.entropy,
                               &blocks.chosen, &blocks.divergence}) {
      for (const float value : *column) all.push_back(std::bit_cast<std::uint32_t>(value));
    }
    for (std::size_t r = 0; r < rows; ++r) {
      all.push_back(static_cast<std::uint32_t>(blocks.accepted[r]));
      anchor[r] += blocks.accepted[r] + 1;
      attempt[r] = round % 3;
    }
    if (round % 4 == 3) std::swap(source.front(), source.back());
    if (round % 7 == 6) ++ordinal[rows / 2], anchor[rows / 2] = 5;
    if (round == 15) anchor.front() = 3;  // the same request starts again
  }
  return all;
}

LatentAcceptance model(bool distorted) {
  std::vector<Miscalibration> miscalibration;
  if (distorted) miscalibration = {{1.5, 0.2}, {0.8, 0}};
  return LatentAcceptance({{{2, 1, 1, 1, 1, 0, 0}, 1.8}, {{1, 0, 1, 0, 1, 0, 1}, 0.9}}, {}, miscalibration,
                          0.7);
}

TEST_P(EveryTarget, DrawsTheSameBlocksAsTheBaseline) {
  for (const bool distorted : {false, true}) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{13}, std::size_t{33}, std::size_t{100}}) {
      use_simd_target(SimdTarget::kBaseline);
      const auto expected = rounds_of(model(distorted), rows, true);
      use_simd_target(GetParam());
      EXPECT_EQ(rounds_of(model(distorted), rows, true), expected) << rows;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(LatentColumns, EveryTarget,
                         ::testing::ValuesIn(simd_targets().begin(), simd_targets().end()),
                         [](const auto& target) { return std::string(name_of(target.param)); });

TEST(LatentColumns, WhatIsRememberedOfRowsChangesNothing) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{33}}) {
    EXPECT_EQ(rounds_of(model(false), rows, true), rounds_of(model(false), rows, false)) << rows;
  }
}

}  // namespace
}  // namespace dspark
