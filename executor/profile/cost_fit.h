#pragma once

#include <span>
#include <vector>

#include "policies/cost/step_cost.h"

namespace dspark {

/// What a step of this kind took.
struct CostPoint {
  int tokens = 0;
  int requests = 0;
  double attended_tokens = 0;
  double seconds = 0;  // > 0
};

/// Measured steps as a machine's price: a table by tokens, and linear terms on top of it.
struct CostFit {
  std::vector<CostTable::Point> table;  // by tokens, rising; never falling, and not flat
  LinearTerms terms;                    // not negative
  std::vector<double> residual;         // (points) measured / fitted - 1
  double median_residual = 0;           // of their absolute values
  double worst_residual = 0;
};

/// Least squares of relative errors over the table's seconds, one for each number of tokens, and the two
/// terms. A term that would be negative, or that the points do not show, is 0; both are, where they would
/// leave a table that is not positive. Then the table is made monotone (pooled neighbours), as a cost table
/// has to be. points: tokens in any order; at least two different numbers of them.
CostFit fit_verify_cost(std::span<const CostPoint> points);

/// The nearest seconds that never fall, by weighted least squares (pool adjacent violators); the last is
/// raised by a millionth where all were the same.
void make_monotone(std::vector<CostTable::Point>& table, std::vector<double> weights);

}  // namespace dspark
