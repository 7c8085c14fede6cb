#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dspark {

/// Recorded rounds of speculative decoding, in columns (REFERENCE.md section 7, Rounds): plain data, read
/// from files by sim/table/rounds_csv.h, fitted by sequential_temperature_scaling.h.
///
/// Per-round columns have one entry per round. Per-position columns are matrices (rounds, γ), row-major:
/// position k = 1..γ of row r is at `at(r, k)`; NaN is "not available", and so is every position past
/// `drafted`. A per-position column that no round has is empty.
///
/// An accepted end of text at position e ends the block: a recorder says drafted = verified = accepted = e,
/// since no position after it is accepted or rejected.
struct Rounds {
  int block_size = 0;  // γ: columns of the matrices; 1..kMaxRecordedBlockSize

  std::vector<std::int64_t> request = {};          // who; >= 0
  std::vector<std::int64_t> round = {};            // of this request, >= 0
  std::vector<std::int64_t> anchor_position = {};  // token position of the anchor; -1: not available
  std::vector<std::int32_t> domain = {};           // index into domain_names; -1: not available
  std::vector<std::string> domain_names = {};      // in order of first appearance
  std::vector<std::int32_t> drafted = {};          // draft tokens, 0..γ
  std::vector<std::int32_t> verified = {};         // of those, 0..drafted
  std::vector<std::int32_t> accepted = {};         // of those, 0..verified

  // Known before x_k is drawn.
  std::vector<float> confidence = {};  // head c_k: x_k is accepted, given that x_1..x_{k-1} were; 0..1
  std::vector<float> top1 = {};        // largest draft probability; 0..1
  std::vector<float> margin = {};      // top-1 minus top-2 draft logit; >= 0
  std::vector<float> entropy = {};     // of the draft distribution, nats; >= 0
  // Known only after.
  std::vector<float> chosen = {};      // draft probability of x_k; 0..1
  std::vector<float> acceptance = {};  // 1 - ½‖p_d - p_t‖₁, the true c_k; 0..1

  std::size_t size() const { return request.size(); }
  std::size_t at(std::size_t row, int k) const {
    return row * static_cast<std::size_t>(block_size) + static_cast<std::size_t>(k - 1);
  }
};

/// Longest block of a recording.
constexpr int kMaxRecordedBlockSize = 64;

/// The per-position columns, by their names in files.
struct RoundSignal {
  const char* name;
  std::vector<float> Rounds::*column;
  double max;  // values are 0 .. max
};
std::span<const RoundSignal> round_signals();

/// What is wrong with one row.
struct RoundFault {
  std::size_t row = 0;
  std::string column = {};  // as in files: `accepted`, `confidence_3`
  std::string message = {};
  std::string advice = {};
};
/// The first row that breaks what `Rounds` promises (counts in order, values in range, nothing past
/// `drafted`), or nothing. The columns' lengths must agree.
std::optional<RoundFault> find_fault(const Rounds& rounds);

}  // namespace dspark
