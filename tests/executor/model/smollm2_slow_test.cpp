// SmolLM2-135M-Instruct, where scripts/get_smollm2 has put it: the logits of `transformers` in f32, and its
// greedy text.
#include <fmt/format.h>

#include <filesystem>

#include "tests/executor/model/decoder_steps.h"

namespace dspark {
namespace {

constexpr std::size_t kTokens = 64;  // of each reply
constexpr std::size_t kEvery = 384;  // of the vocabulary: the logits that the reference keeps
constexpr double kTolerance = 2e-4;  // of a row's largest logit
const std::string kFolder = DSPARK_SOURCE_DIR "/build/models/smollm2-135m-instruct";

struct Written {
  std::vector<std::int32_t> tokens;
  std::vector<float>
      logits;  // (tokens, those kept; the logarithm of the sum of all exponentials; largest, second)
};

Written write_greedily(Decoder& decoder, Kernels& kernels, std::vector<std::int32_t> rows) {
  const KvCache cache = *KvCache::make(decoder.plan(), 8, 16, kernels);
  std::vector<std::int32_t> table(8);
  std::iota(table.begin(), table.end(), 0);
  Written written;
  std::vector<float> logits(decoder.plan().vocabulary);
  for (std::int32_t position = 0; written.tokens.size() < kTokens;) {
    const auto count = static_cast<std::int32_t>(rows.size());
    const std::vector<std::int32_t> first_row{0, count}, first_position{position}, last{count - 1};
    const DecoderOutput output =
        decoder.forward({first_row, first_position, {table.data(), {1, table.size()}}}, rows, cache, last);
    kernels.read(reinterpret_cast<const std::byte*>(output.logits.data),
                 std::as_writable_bytes(std::span(logits)));
    position += count;
    const auto largest = std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x - *largest));
    for (std::size_t v = 0; v < logits.size(); v += kEvery) written.logits.push_back(logits[v]);
    written.logits.push_back(static_cast<float>(*largest + std::log(sum)));
    written.logits.push_back(*largest);
    rows = {static_cast<std::int32_t>(largest - logits.begin())};
    written.tokens.push_back(rows[0]);
    *largest = -INFINITY;
    written.logits.push_back(*std::max_element(logits.begin(), logits.end()));
  }
  return written;
}

double largest_error(const std::vector<float>& numbers, const std::vector<float>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(numbers[i] - expected[i])));
  return largest;
}

TEST(SmolLm2Texts, WritesTheGreedyTextOfTheReferenceWithItsLogits) {
  if (!std::filesystem::exists(kFolder + "/config.json"))
    GTEST_SKIP() << "no model in build/models/smollm2-135m-instruct: scripts/get_smollm2 makes it";
  const Reference reference("smollm2", DSPARK_SOURCE_DIR "/tests/executor/model/");
  const auto kernels = kernels_of(ElementType::kF32);
  auto decoder = Decoder::load(kFolder, *kernels, {.max_rows = 64, .max_logit_rows = 1, .kept_layers = {}});
  ASSERT_TRUE(decoder) << to_string(decoder.error());
  for (int prompt = 0; prompt < 4; ++prompt) {
    SCOPED_TRACE(fmt::format("prompt {}", prompt));
    const auto numbers = [&](const char* name) { return fmt::format("{}.{}", prompt, name); };
    const Written written = write_greedily(*decoder, *kernels, reference.tokens(numbers("prompt")));
    EXPECT_EQ(written.tokens, reference.tokens(numbers("greedy")));
    const std::size_t width = decoder->plan().vocabulary / kEvery + 3;
    std::vector<float> logits = reference.numbers(numbers("logits"));
    EXPECT_LT(largest_difference(written.logits, logits, width), kTolerance);
    // Else a rounding could decide a token.
    for (std::size_t end = width; end <= logits.size(); end += width)
      EXPECT_GT(logits[end - 2] - logits[end - 1], 10 * largest_error(written.logits, logits));
    logits[0] += logits[width - 2] / 1000;
    EXPECT_GT(largest_difference(written.logits, logits, width), kTolerance) << "one that is off is seen";
  }
}

}  // namespace
}  // namespace dspark
