#include "policies/calibration/rounds.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "policies/parameters.h"

namespace dspark {
namespace {

std::optional<RoundFault> fault_of_counts(const Rounds& rounds, std::size_t row) {
  const auto wrong = [row](const char* column, std::int64_t value, const char* bound, std::int64_t most) {
    return RoundFault{row, column, fmt::format("{} = {} is out of range", column, value),
                      fmt::format("0 .. {} = {}", bound, most)};
  };
  const std::int32_t drafted = rounds.drafted[row];
  const std::int32_t verified = rounds.verified[row];
  const std::int32_t accepted = rounds.accepted[row];
  if (drafted < 0 || drafted > rounds.block_size) return wrong("drafted", drafted, "γ", rounds.block_size);
  if (verified < 0 || verified > drafted) return wrong("verified", verified, "drafted", drafted);
  if (accepted < 0 || accepted > verified) return wrong("accepted", accepted, "verified", verified);
  return std::nullopt;
}

std::optional<RoundFault> fault_of_signal(const Rounds& rounds, const RoundSignal& signal, std::size_t row) {
  const std::vector<float>& column = rounds.*signal.column;
  if (column.empty()) return std::nullopt;
  for (int k = 1; k <= rounds.block_size; ++k) {
    const auto value = static_cast<double>(column[rounds.at(row, k)]);
    if (std::isnan(value)) continue;
    const std::string name = fmt::format("{}_{}", signal.name, k);
    if (!(value >= 0 && value <= signal.max)) {
      return RoundFault{row, name, fmt::format("{} = {} is out of range", name, number_text(value)),
                        fmt::format("0 .. {}", number_text(signal.max))};
    }
    if (k > rounds.drafted[row]) {
      return RoundFault{
          row, name,
          fmt::format("{} has a value where only {} tokens were drafted", name, rounds.drafted[row]),
          "leave it empty"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const RoundSignal> round_signals() {
  static constexpr std::array<RoundSignal, 6> kSignals{{
      {"confidence", &Rounds::confidence, 1},
      {"top1", &Rounds::top1, 1},
      {"margin", &Rounds::margin, 1e6},
      {"entropy", &Rounds::entropy, 1e3},
      {"chosen", &Rounds::chosen, 1},
      {"acceptance", &Rounds::acceptance, 1},
  }};
  return kSignals;
}

std::optional<RoundFault> find_fault(const Rounds& rounds) {
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (auto fault = fault_of_counts(rounds, row)) return fault;
    for (const RoundSignal& signal : round_signals()) {
      if (auto fault = fault_of_signal(rounds, signal, row)) return fault;
    }
  }
  return std::nullopt;
}

}  // namespace dspark
