#include "sim/acceptance/accepted_lengths.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

/// The curve by one ratio per piece: piece i ends at k_i, and survival falls by ratio_i per position inside
/// it.
class PieceWise {
 public:
  /// Starts at `ratio` in every piece, or without one where each piece meets its length or comes nearest.
  PieceWise(const std::vector<AcceptedLength>& lengths, std::optional<double> ratio)
      : lengths_(lengths), ratios_(lengths.size(), ratio.value_or(0)) {
    for (std::size_t i = 0; i < lengths.size() && !ratio; ++i) solve_piece(i);
  }

  /// Sum of squared misses with ratio_i replaced; the pieces before it stand.
  double squares() const {
    double sum = 0;
    walk([&](std::size_t i, double tokens) {
      const double miss = tokens - lengths_[i].tokens;
      sum += miss * miss;
    });
    return sum;
  }
  /// One sweep of coordinate descent; returns how much the squares fell.
  double improve() {
    const double before = squares();
    for (double& ratio : ratios_) minimise(ratio);
    return before - squares();
  }
  NearestSurvival result(int block_size) const {
    NearestSurvival found;
    double survival = 1;
    std::size_t piece = 0;
    for (int k = 1; k <= block_size; ++k) {
      if (k > lengths_[piece].k && piece + 1 < ratios_.size()) ++piece;
      found.survival.push_back(survival *= ratios_[piece]);
    }
    walk([&](std::size_t i, double tokens) {
      found.reached.push_back({lengths_[i].k, tokens});
      found.largest_residual = std::max(found.largest_residual, std::abs(tokens - lengths_[i].tokens));
    });
    return found;
  }

 private:
  template <class Visit>
  void walk(const Visit& visit) const {
    double survival = 1, tokens = 1;
    int k = 0;
    for (std::size_t i = 0; i < ratios_.size(); ++i) {
      for (; k < lengths_[i].k; ++k) tokens += survival *= ratios_[i];
      visit(i, tokens);
    }
  }
  double tokens_at(std::size_t piece) const {
    double found = 0;
    walk([&](std::size_t i, double tokens) {
      if (i == piece) found = tokens;
    });
    return found;
  }
  /// The ratio with which the curve meets length i, or the end of 0..1 that comes nearest: tokens rise with
  /// it.
  void solve_piece(std::size_t i) {
    double low = 0, high = 1;
    for (int step = 0; step < 100; ++step) {
      ratios_[i] = (low + high) / 2;
      (tokens_at(i) < lengths_[i].tokens ? low : high) = ratios_[i];
    }
    ratios_[i] = high;
  }
  /// Golden-section search on 0..1; keeps the ratio where nothing better is found.
  void minimise(double& ratio) {
    const double kept = ratio, best = squares();
    constexpr double kGolden = 0.6180339887498949;
    const auto at = [&](double value) {
      ratio = value;
      return squares();
    };
    double low = 0, high = 1;
    double left = high - kGolden, right = low + kGolden;
    double at_left = at(left), at_right = at(right);
    for (int step = 0; step < 80; ++step) {
      if (at_left <= at_right) {
        high = right, right = left, at_right = at_left;
        at_left = at(left = high - kGolden * (high - low));
      } else {
        low = left, left = right, at_left = at_right;
        at_right = at(right = low + kGolden * (high - low));
      }
    }
    if (at((low + high) / 2) >= best) ratio = kept;
  }

  const std::vector<AcceptedLength>& lengths_;
  std::vector<double> ratios_;
};

}  // namespace

NearestSurvival nearest_survival(const std::vector<AcceptedLength>& lengths, int block_size) {
  DSPARK_INVARIANT(!lengths.empty() && lengths.front().k >= 1 && lengths.back().k <= block_size);
  constexpr double kSmallestGain = 1e-15;
  // Coordinate descent rests where a ratio of 0 hides those behind it, so it starts from several places.
  std::optional<PieceWise> best;
  for (const std::optional<double> start : {std::optional<double>(), {0.9}, {0.5}, {0.1}}) {
    PieceWise curve(lengths, start);
    for (int sweep = 0; sweep < 300 && curve.squares() > kSmallestGain; ++sweep) {
      if (curve.improve() < kSmallestGain) break;
    }
    if (!best || curve.squares() < best->squares()) best.emplace(std::move(curve));
    if (best->squares() < kSmallestGain) break;
  }
  return best->result(block_size);
}

}  // namespace dspark
