// A row of an output depends on its row of the inputs and on nothing else, in every bit (kernels/kernels.h).
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <string>

#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;
using Rows = std::vector<float>;  // of an output, one after another

constexpr std::size_t kInputs = 200, kOutputs = 75, kMost = 300;

/// An operator on rows first .. first + count - 1 of a fixed input.
using Operator = std::function<Rows(Kernels&, std::size_t first, std::size_t count)>;

const Rows& input() {
  static const Rows x = cases::numbers(kMost * kInputs, 1);
  return x;
}
View<const float, 2> input(std::size_t first, std::size_t count) {
  return view<2>(input(), {kMost, kInputs}).rows(first, count);
}

Rows multiply(Kernels& kernels, std::size_t first, std::size_t count, bool add) {
  static const auto weights = cases::numbers(kInputs * kOutputs, 2), bias = cases::numbers(kOutputs, 3);
  const auto matrix = kernels.load(ElementType::kF32, cases::bytes_of(weights), kOutputs, kInputs);
  const Rows before = cases::numbers(kMost * kOutputs, 4);
  Rows out(before.begin() + static_cast<std::ptrdiff_t>(first * kOutputs),
           before.begin() + static_cast<std::ptrdiff_t>((first + count) * kOutputs));
  kernels.multiply(input(first, count), *matrix, view<1>(bias, {kOutputs}), add,
                   view<2>(out, {count, kOutputs}));
  return out;
}

Rows copy(std::size_t first, std::size_t count) {
  const auto rows = input(first, count);
  return {rows.data, rows.data + rows.size()};
}

Rows norm(Kernels& kernels, std::size_t first, std::size_t count) {
  Rows out(count * kInputs);
  kernels.rms_norm(input(first, count), {}, 0, 1e-6f, view<2>(out, {count, kInputs}));
  return out;
}

Rows gate(Kernels& kernels, std::size_t first, std::size_t count) {
  Rows out = copy(first, count);
  kernels.gate(input(first, count), input(first, count), GateActivation::kGeluTanh,
               view<2>(out, {count, kInputs}));
  kernels.soft_cap(view<2>(out, {count, kInputs}), 2);
  return out;
}

Rows turn(Kernels& kernels, std::size_t first, std::size_t count) {
  Rows out = copy(first, count), cosine(count * 50), sine(count * 50);
  std::vector<std::int32_t> positions;
  for (std::size_t r = 0; r < count; ++r) positions.push_back(static_cast<std::int32_t>((first + r) * 977));
  kernels.rope_angles(positions, cases::numbers(50, 5), 1, view<2>(cosine, {count, 50}),
                      view<2>(sine, {count, 50}));
  kernels.rotate(view<3>(out, {count, 2, 100}), view<2>(std::as_const(cosine), {count, 50}),
                 view<2>(std::as_const(sine), {count, 50}));
  return out;
}

Rows probabilities(Kernels& kernels, std::size_t first, std::size_t count) {
  Rows out = copy(first, count);
  const std::vector<SamplingRule> rules(count,
                                        {.temperature = 0.2f, .top_k = 60, .top_p = 0.9f, .min_p = 0.001f});
  kernels.probabilities(view<2>(out, {count, kInputs}), rules);
  std::vector<std::int32_t> chosen(count);
  kernels.largest(input(first, count), chosen);
  Rows top1(count), margin(count), entropy(count);
  kernels.signals(input(first, count), rules, {top1, margin, entropy});
  Rows all;
  for (std::size_t r = 0; r < count; ++r) {
    all.insert(all.end(), &out[r * kInputs], &out[r * kInputs] + kInputs);
    all.insert(all.end(), {static_cast<float>(chosen[r]), top1[r], margin[r], entropy[r]});
  }
  return all;
}

const std::map<std::string, Operator>& operators() {
  static const std::map<std::string, Operator> all = {
      {"multiply",
       [](Kernels& k, std::size_t first, std::size_t count) { return multiply(k, first, count, false); }},
      {"multiply and add",
       [](Kernels& k, std::size_t first, std::size_t count) { return multiply(k, first, count, true); }},
      {"rms_norm", norm},
      {"gate and soft_cap", gate},
      {"rope_angles and rotate", turn},
      {"probabilities, largest and signals", probabilities}};
  return all;
}

/// The text of a request from `begin` to `end`, its first rows stored and attended in chunks of these sizes,
/// beside others of the same text; out is that of the first request. Its keys, values and queries hang on the
/// position.
Rows attend(Kernels& kernels, const AttentionRule& rule, std::vector<std::int32_t> chunks,
            std::size_t beside) {
  constexpr std::size_t kHeads = 6, kKvHeads = 2, kDim = 20, kTokens = 16, kBlocks = 20;
  const std::size_t requests = 1 + beside, bytes = kBlocks * requests * kKvHeads * kTokens * kDim * 4;
  const auto keys = kernels.allocate(bytes), values = kernels.allocate(bytes);
  const KvLayer cache{keys->data(), values->data(), kBlocks * requests, kKvHeads, kTokens, kDim};
  std::vector<std::int32_t> table;
  for (std::size_t i = 0; i < kBlocks * requests; ++i) {
    table.push_back(static_cast<std::int32_t>(kBlocks * requests - 1 - i));
  }
  Rows all;
  std::int32_t position = 0;
  for (const std::int32_t chunk : chunks) {
    const auto count = static_cast<std::size_t>(chunk);
    std::vector<std::int32_t> first_row = {0}, first_position(requests, position);
    Rows k, v, q;
    for (std::size_t r = 0; r < requests; ++r) {
      first_row.push_back(first_row.back() + chunk);
      for (std::int32_t p = position; p < position + chunk; ++p) {
        const auto seed = static_cast<std::uint32_t>(p);
        for (const auto& [to, size, kind] :
             {std::tuple{&k, kKvHeads * kDim, 0u}, {&v, kKvHeads * kDim, 1u}, {&q, kHeads * kDim, 2u}}) {
          const Rows row = cases::numbers(size, 3 * seed + kind);
          to->insert(to->end(), row.begin(), row.end());
        }
      }
    }
    const RaggedRows rows{first_row, first_position, {table.data(), {requests, kBlocks}}};
    const std::size_t total = count * requests;
    kernels.store(rows, view<3>(std::as_const(k), {total, kKvHeads, kDim}),
                  view<3>(std::as_const(v), {total, kKvHeads, kDim}), cache);
    Rows out(q.size());
    kernels.attend(rows, view<3>(std::as_const(q), {total, kHeads, kDim}), cache, rule,
                   view<3>(out, {total, kHeads, kDim}));
    all.insert(all.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count * kHeads * kDim));
    position += chunk;
  }
  return all;
}

const std::array<AttentionRule, 3>& attention_rules() {
  static const std::array<AttentionRule, 3> rules = {
      AttentionRule{.scale = 1.5f}, {.scale = 1, .soft_cap = 3}, {.scale = 1, .window = 101}};
  return rules;
}

TEST(SameBits, OfARowWithOneToThreeHundredBesideItOnEverySetTypeAndNumberOfThreads) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    for (const InstructionSet set : instruction_sets()) {
      for (const auto& [name, run] : operators()) {
        const Rows want = run(*cases::kernels(type, set, 1), 0, kMost);
        const std::size_t width = want.size() / kMost;
        for (int threads = 1; threads <= 8; ++threads) {
          const auto kernels = cases::kernels(type, set, threads);
          for (const std::size_t count : {1u, 7u, 13u, 97u, 300u}) {
            const std::size_t first = count * 31 % (kMost - count + 1);
            const Rows got = run(*kernels, first, count);
            ASSERT_TRUE(cases::same_bits(got, std::span(want).subspan(first * width, count * width)))
                << kernels->description() << ": " << name << " of " << count << " rows from " << first;
          }
        }
      }
    }
  }
}

TEST(SameBits, OfEveryNumberOfRowsOfAProduct) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    for (const InstructionSet set : instruction_sets()) {
      const auto kernels = cases::kernels(type, set, 2);
      const Rows want = multiply(*kernels, 0, kMost, false);
      for (std::size_t count = 1; count <= kMost; ++count) {
        const std::size_t first = kMost - count;
        ASSERT_TRUE(cases::same_bits(multiply(*kernels, first, count, false),
                                     std::span(want).subspan(first * kOutputs)))
            << kernels->description() << ": " << count << " rows";
      }
    }
  }
}

TEST(SameBits, OfATextPrefilledWholeInChunksOneByOneAndBesideOthers) {
  const std::vector<std::int32_t> one_by_one(203, 1);
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    for (const AttentionRule& rule : attention_rules()) {
      const Rows want = attend(*cases::kernels(type, 1), rule, {203}, 0);
      for (int threads = 1; threads <= 8; ++threads) {
        const auto kernels = cases::kernels(type, threads);
        for (const auto& chunks :
             {std::vector<std::int32_t>{203}, {64, 64, 64, 11}, {1, 100, 7, 95}, one_by_one}) {
          ASSERT_TRUE(cases::same_bits(attend(*kernels, rule, chunks, chunks.size() < 5 ? 3 : 0), want))
              << kernels->description() << ": " << chunks.size() << " chunks";
        }
      }
    }
  }
}

TEST(SameBits, OfF32WeightsOnEveryInstructionSetAndOfBf16WeightsOnThoseThatWidenThem) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    const auto first = cases::kernels(type, InstructionSet::kAvx2, 2);
    for (const InstructionSet set : instruction_sets()) {
      const auto kernels = cases::kernels(type, set, 2);
      const bool rounds_activations = type == ElementType::kBf16 && set == InstructionSet::kAvx512Bf16;
      for (const auto& [name, run] : operators()) {
        const bool same = cases::same_bits(run(*kernels, 0, kMost), run(*first, 0, kMost));
        EXPECT_EQ(same, !rounds_activations || name.find("multiply") == std::string::npos)
            << kernels->description() << ": " << name;
      }
      for (const AttentionRule& rule : attention_rules()) {
        EXPECT_TRUE(cases::same_bits(attend(*kernels, rule, {203}, 1), attend(*first, rule, {203}, 1)));
      }
    }
  }
}

}  // namespace
}  // namespace dspark
