#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/error.h"
#include "sim/demand/market.h"
#include "sim/demand/uncertain_value.h"

namespace dspark {

constexpr std::size_t kMostUncertainValues = 64;

/// A value of a market file that is written as a distribution.
struct UncertainKey {
  std::string name = {};  // its path: "segments.chat.elasticity"
  std::vector<std::string> path = {};
  Position position = {};
  UncertainValue value = {};
  double cut_off = 0;  // share of the distribution outside of what the key may be
};

/// Takes the distributions out of a market: each is replaced by its median, so that whoever reads a number
/// need not know. A map of one key that names a distribution is one, wherever it stands, except that
/// `willingness_to_pay` and `tolerable_latency` are themselves laws of a crowd (their numbers may be
/// distributions), and `segments` are named freely. Values are independent of each other, also where an
/// anchor repeats them.
/// `wrong`: where distributions stand that are none; they stay in `root`, and what a reader says of them is
/// not news.
std::vector<UncertainKey> take_distributions(Value& root, std::vector<Position>& wrong, Errors& errors);

/// Cuts each distribution to what its key may be, as `records` of a reading at the medians say, and puts the
/// new medians into `root`. Errors: bounds of uniform and triangular outside of that; distributions of which
/// less than half would be left.
void fit_to_ranges(Value& root, std::vector<UncertainKey>& keys, const std::vector<ParameterRecord>& records,
                   Errors& errors);

/// The market's text with every uncertain value at the quantile of its uniform number in (0, 1).
Value market_at(const Value& root, const std::vector<UncertainKey>& keys, std::span<const double> uniforms);

}  // namespace dspark
