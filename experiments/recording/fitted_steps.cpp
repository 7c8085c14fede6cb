#include "experiments/recording/fitted_steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "executor/profile/cost_fit.h"

namespace dspark {
namespace {

constexpr std::size_t kTerms = 3;       // constant, decoding requests, rows
constexpr double kLeastSeconds = 1e-9;  // of constant and row, as experiments ask for
using Terms = std::array<double, kTerms>;

Terms terms_of(const RecordedStep& step) {
  return {1, static_cast<double>(step.decode_requests),
          static_cast<double>(step.decode_requests + step.verified_tokens + step.prefill_rows)};
}

/// Sums of squares and products of relative terms; the measured side is 1.
struct NormalEquations {
  std::array<Terms, kTerms> matrix = {};
  Terms right = {};

  void add(const RecordedStep& step) {
    const Terms terms = terms_of(step);
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t j = 0; j < kTerms; ++j)
        matrix[i][j] += terms[i] * terms[j] / (step.seconds.verify * step.seconds.verify);
      right[i] += terms[i] / step.seconds.verify;
    }
  }
  /// What the solution explains of the squared relative errors.
  double explained(const Terms& solution) const {
    double sum = 0;
    for (std::size_t i = 0; i < kTerms; ++i) {
      sum += 2 * solution[i] * right[i];
      for (std::size_t j = 0; j < kTerms; ++j) sum -= solution[i] * solution[j] * matrix[i][j];
    }
    return sum;
  }
};

/// With the terms of `subset` (bits) alone, the others 0; nothing where the steps do not tell them apart.
std::optional<Terms> solve(const NormalEquations& equations, unsigned subset) {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < kTerms; ++i) {
    if (subset >> i & 1) used.push_back(i);
  }
  std::vector<std::vector<double>> rows;
  for (const std::size_t i : used) {
    std::vector<double> row;
    for (const std::size_t j : used) row.push_back(equations.matrix[i][j]);
    row.push_back(equations.right[i]);
    rows.push_back(std::move(row));
  }
  const std::size_t n = used.size();
  for (std::size_t p = 0; p < n; ++p) {  // symmetric and not negative: the diagonal is the pivot
    if (rows[p][p] <= 1e-9 * equations.matrix[used[p]][used[p]]) return std::nullopt;
    for (std::size_t r = 0; r < n; ++r) {
      if (r == p) continue;
      const double factor = rows[r][p] / rows[p][p];
      for (std::size_t c = p; c <= n; ++c) rows[r][c] -= factor * rows[p][c];
    }
  }
  Terms solution = {};
  for (std::size_t p = 0; p < n; ++p) solution[used[p]] = rows[p][n] / rows[p][p];
  return solution;
}

AffineCost best_line(const NormalEquations& equations) {
  Terms best = {};
  for (unsigned subset = 1; subset < 1u << kTerms; ++subset) {
    const auto solution = solve(equations, subset);
    if (!solution || std::any_of(solution->begin(), solution->end(), [](double term) { return term < 0; }))
      continue;
    if (equations.explained(*solution) > equations.explained(best)) best = *solution;
  }
  return {std::max(best[0], kLeastSeconds), best[1], std::max(best[2], kLeastSeconds)};
}

/// Of at least one value; the upper of two in the middle.
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<CostTable::Point> median_drafting(std::span<const RecordedStep> steps) {
  std::map<int, std::vector<double>> seconds;
  for (const RecordedStep& step : steps) {
    if (step.drafting_requests > 0 && step.seconds.draft > 0)
      seconds[step.drafting_requests].push_back(step.seconds.draft);
  }
  std::vector<CostTable::Point> table;
  std::vector<double> weights;
  for (const auto& [requests, values] : seconds) {
    table.push_back({static_cast<double>(requests), std::max(median(values), kLeastSeconds)});
    weights.push_back(static_cast<double>(values.size()));
  }
  if (table.size() == 1) {  // a table has two sizes: as dear for twice as many requests
    table.push_back({2 * table[0].size, 2 * table[0].seconds});
    weights.push_back(weights[0]);
  }
  if (!table.empty()) make_monotone(table, std::move(weights));
  return table;
}

void add_residuals(FittedSteps& fitted, std::span<const RecordedStep> steps) {
  std::vector<double> sizes;
  for (const RecordedStep& step : steps) {
    if (!(step.seconds.verify > 0)) continue;
    const Terms terms = terms_of(step);
    const double seconds = fitted.verify.bias_seconds + fitted.verify.seconds_per_request * terms[1] +
                           fitted.verify.seconds_per_token * terms[2];
    sizes.push_back(std::abs(step.seconds.verify / seconds - 1));
  }
  fitted.worst_residual = *std::max_element(sizes.begin(), sizes.end());
  fitted.median_residual = median(std::move(sizes));
}

}  // namespace

Result<FittedSteps> fit_steps(std::span<const RecordedStep> steps) {
  NormalEquations equations;
  std::size_t used = 0;
  for (const RecordedStep& step : steps) {
    if (!(step.seconds.verify > 0)) continue;
    equations.add(step);
    ++used;
  }
  if (used == 0) return Error{"no recorded step took time to verify"};
  FittedSteps fitted{.verify = best_line(equations), .draft = median_drafting(steps)};
  std::vector<double> overhead;
  for (const RecordedStep& step : steps) overhead.push_back(step.seconds.overhead);
  fitted.overhead_seconds = median(std::move(overhead));
  add_residuals(fitted, steps);
  return fitted;
}

}  // namespace dspark
