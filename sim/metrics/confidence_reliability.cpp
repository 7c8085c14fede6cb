#include "sim/metrics/confidence_reliability.h"

#include <algorithm>
#include <cmath>

namespace dspark {
namespace {

constexpr int kConfidenceBits = 24;
constexpr std::size_t kBlockRows = 64;       // rows taken together, so that a bin's sums fit into one word:
constexpr std::size_t kBlockPositions = 64;  // 4096 labels at most
constexpr std::size_t kTables = 4;
// That word: sum of confidences (37 bits), count (13), accepted (13).
constexpr int kCountShift = 37, kAcceptedShift = 50;
constexpr std::uint64_t kConfidenceMask = (std::uint64_t{1} << kCountShift) - 1;
constexpr std::uint64_t kCountMask = (std::uint64_t{1} << (kAcceptedShift - kCountShift)) - 1;

double as_confidence(std::int64_t sum) { return std::ldexp(static_cast<double>(sum), -kConfidenceBits); }

}  // namespace

void ConfidenceReliability::add(const StepRecord& step) {
  const std::size_t rows = step.verified.size(), stride = step.drafts.stride;
  const std::size_t longest = stride == 0 ? 0 : step.drafts.confidence.size() / stride;
  for (std::size_t row = 0; row < rows; row += kBlockRows) {
    for (std::size_t k = 0; k < longest; k += kBlockPositions) {
      add_block(step, row, std::min(kBlockRows, rows - row), k, std::min(kBlockPositions, longest - k));
    }
  }
}

void ConfidenceReliability::add_block(const StepRecord& step, std::size_t first_row, std::size_t rows,
                                      std::size_t first_position, std::size_t positions) {
  // Every cell adds a word to its bin, cells without a label a word of 0: how many labels a row has is a coin
  // that a branch would guess wrong. Neighbours often share a bin and would wait for each other, so tables
  // take turns.
  std::array<std::array<std::uint64_t, kBins>, kTables> sums = {};
  std::array<std::int32_t, kBlockRows> bin = {}, labelled = {};
  std::array<std::uint64_t, kBlockRows> word;
  for (std::size_t r = rows; r % kTables != 0; ++r) word[r] = 0;
  const int* accepted = step.accepted.data() + first_row;
  const int* verified = step.verified.data() + first_row;
  const std::uint8_t* cut = step.cut.data() + first_row;
  for (std::size_t r = 0; r < rows; ++r) {
    labelled[r] = (static_cast<int>(cut[r]) - 1) & std::min(accepted[r] + 1, verified[r]);
  }
  for (std::size_t k = first_position; k < first_position + positions; ++k) {
    const float* confidence = step.drafts.confidence.data() + k * step.drafts.stride + first_row;
    const auto position = static_cast<std::int32_t>(k);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto fixed = std::min(static_cast<std::int32_t>(confidence[r] * (1 << kConfidenceBits)),
                                  (1 << kConfidenceBits) - 1);
      bin[r] = (fixed * kBins) >> kConfidenceBits;
      const std::uint32_t is_label = position < labelled[r] ? ~0u : 0u;
      const std::uint32_t counts =
          (1u << (kCountShift - 32)) | (position < accepted[r] ? 1u << (kAcceptedShift - 32) : 0u);
      word[r] = std::uint64_t{counts & is_label} << 32 | (static_cast<std::uint32_t>(fixed) & is_label);
    }
    for (std::size_t r = 0; r < rows; r += kTables) {
      for (std::size_t t = 0; t < kTables; ++t) sums[t][static_cast<std::size_t>(bin[r + t])] += word[r + t];
    }
  }
  for (std::size_t b = 0; b < bins_.size(); ++b) {
    std::uint64_t sum = 0;
    for (const auto& table : sums) sum += table[b];
    bins_[b].confidence += static_cast<std::int64_t>(sum & kConfidenceMask);
    bins_[b].count += static_cast<std::int64_t>(sum >> kCountShift & kCountMask);
    bins_[b].accepted += static_cast<std::int64_t>(sum >> kAcceptedShift);
  }
}

std::int64_t ConfidenceReliability::labels() const {
  std::int64_t labels = 0;
  for (const Bin& bin : bins_) labels += bin.count;
  return labels;
}

double ConfidenceReliability::expected_calibration_error() const {
  double error = 0;
  for (const Bin& bin : bins_) {
    error += std::abs(as_confidence(bin.confidence) - static_cast<double>(bin.accepted));
  }
  const std::int64_t labels = this->labels();
  return labels > 0 ? error / static_cast<double>(labels) : 0;
}

std::vector<ReliabilityBin> ConfidenceReliability::bins() const {
  std::vector<ReliabilityBin> bins;
  for (int b = 0; b < kBins; ++b) {
    const Bin& bin = bins_[static_cast<std::size_t>(b)];
    if (bin.count == 0) continue;
    const auto count = static_cast<double>(bin.count);
    bins.push_back(
        {b, count, as_confidence(bin.confidence) / count, static_cast<double>(bin.accepted) / count});
  }
  return bins;
}

}  // namespace dspark
