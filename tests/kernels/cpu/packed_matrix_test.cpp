#include "kernels/cpu/packed_matrix.h"

#include <gtest/gtest.h>

#include "kernels/cpu/number_formats.h"
#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

/// Words of 16 bits whose values are finite, at an odd address as in a file of weights.
std::vector<std::byte> odd_bytes(std::span<const std::uint16_t> words) {
  std::vector<std::byte> bytes(1 + words.size_bytes());
  std::memcpy(bytes.data() + 1, words.data(), words.size_bytes());
  return bytes;
}

TEST(PackedMatrix, HoldsEachWeightInItsPlaceWhateverTheSourceAndAlignment) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    for (const auto& [outputs, inputs] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {33, 65}, {32, 64}, {70, 3}, {31, 129}}) {
      Workers workers(3);
      const auto numbers = cases::numbers(outputs * inputs, 1);
      std::vector<std::uint16_t> words;
      for (const float x : numbers) words.push_back(bf16_from_float(x) & 0xbfffu);  // a finite f16 too
      const auto bytes = odd_bytes(words);
      const auto source = std::span(bytes).subspan(1);
      const auto of_f32 =
          PackedMatrix::pack(type, ElementType::kF32, cases::bytes_of(numbers), outputs, inputs, workers);
      const auto of_f16 = PackedMatrix::pack(type, ElementType::kF16, source, outputs, inputs, workers);
      const auto of_bf16 = PackedMatrix::pack(type, ElementType::kBf16, source, outputs, inputs, workers);
      const auto stored = [&](float x) {
        return type == ElementType::kF32 ? x : float_from_bf16(bf16_from_float(x));
      };
      std::vector<float> row(inputs);
      for (std::size_t output = 0; output < outputs; ++output) {
        const std::size_t first = output * inputs;
        of_f32->read_output(output, 1, row.data());
        for (std::size_t k = 0; k < inputs; ++k) ASSERT_EQ(row[k], stored(numbers[first + k]));
        of_f16->read_output(output, 2, row.data());
        for (std::size_t k = 0; k < inputs; ++k)
          ASSERT_EQ(row[k], 2 * stored(float_from_f16(words[first + k])));
        of_bf16->read_output(output, 1, row.data());
        for (std::size_t k = 0; k < inputs; ++k) ASSERT_EQ(row[k], float_from_bf16(words[first + k]));
      }
    }
  }
}

TEST(PackedMatrix, IsNullWhereMemoryRunsOut) {
  // No such memory: the source is not read.
  Workers workers(1);
  const std::size_t outputs = std::size_t{1} << 40, inputs = std::size_t{1} << 20;
  const std::span<const std::byte> nowhere(static_cast<const std::byte*>(nullptr), outputs * inputs * 2);
  EXPECT_EQ(PackedMatrix::pack(ElementType::kF32, ElementType::kBf16, nowhere, outputs, inputs, workers),
            nullptr);
}

}  // namespace
}  // namespace dspark
