#pragma once

#include <vector>

#include "policies/error.h"

namespace dspark {

/// A published mean accepted length: tokens per round of k draft tokens, bonus token included.
struct AcceptedLength {
  int k = 0;
  double tokens = 0;
};

/// Survival by position, and the accepted lengths it gives.
struct NearestSurvival {
  std::vector<double> survival;         // (block_size), non-increasing
  std::vector<AcceptedLength> reached;  // at the given k
  double largest_residual = 0;          // tokens; 0 (to rounding) where the lengths can be met
};

/// The survival at positions 1..block_size that is nearest to published accepted lengths in the least-squares
/// sense, among curves whose logarithm is linear between the given k (conditional acceptance constant there,
/// at most 1) and goes on with the last slope behind them. One length gives the geometric curve. Only a sum
/// over a single position identifies a survival; the rest is interpolated. Lengths that no acceptance can
/// have (they fall with k, or rise faster than one token per position) leave a residual: published sets do
/// that, from noise and from depths past the trained block. `lengths`: k ascending from 1 to at most
/// block_size, at least one.
NearestSurvival nearest_survival(const std::vector<AcceptedLength>& lengths, int block_size);

}  // namespace dspark
