#include "executor/profile/cost_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "policies/invariant.h"

namespace dspark {
namespace {

/// Weighted means of the points with one number of tokens.
struct Means {
  double weight = 0, requests = 0, attended = 0, seconds = 0;
};

double weight_of(const CostPoint& point) { return 1 / (point.seconds * point.seconds); }

std::map<int, Means> means_by_tokens(std::span<const CostPoint> points) {
  std::map<int, Means> means;
  for (const CostPoint& point : points) {
    Means& m = means[point.tokens];
    const double weight = weight_of(point);
    m.weight += weight;
    m.requests += weight * point.requests;
    m.attended += weight * point.attended_tokens;
    m.seconds += weight * point.seconds;
  }
  for (auto& [tokens, m] : means) {
    m.requests /= m.weight;
    m.attended /= m.weight;
    m.seconds /= m.weight;
  }
  return means;
}

/// Sums of squares and products around the means of each number of tokens: the table's own seconds drop out
/// of the normal equations.
struct Moments {
  double rr = 0, aa = 0, ra = 0, ry = 0, ay = 0;

  /// What the terms explain of the squared relative errors.
  double explained(const LinearTerms& t) const {
    const double r = t.seconds_per_request, a = t.seconds_per_context_token;
    return 2 * (r * ry + a * ay) - (r * r * rr + 2 * r * a * ra + a * a * aa);
  }
};

Moments moments(std::span<const CostPoint> points, const std::map<int, Means>& means) {
  Moments sum;
  for (const CostPoint& point : points) {
    const Means& m = means.at(point.tokens);
    const double w = weight_of(point);
    const double r = point.requests - m.requests, a = point.attended_tokens - m.attended,
                 y = point.seconds - m.seconds;
    sum.rr += w * r * r;
    sum.aa += w * a * a;
    sum.ra += w * r * a;
    sum.ry += w * r * y;
    sum.ay += w * a * y;
  }
  return sum;
}

LinearTerms solve(const Moments& m) {
  constexpr double kLeast = 1e-9;  // relative to its scale: below it the points do not tell the terms apart
  std::array<LinearTerms, 4> candidates;
  if (m.rr > 0) candidates[1].seconds_per_request = m.ry / m.rr;
  if (m.aa > 0) candidates[2].seconds_per_context_token = m.ay / m.aa;
  const double determinant = m.rr * m.aa - m.ra * m.ra;
  if (determinant > kLeast * m.rr * m.aa) {
    candidates[3] = {(m.ry * m.aa - m.ay * m.ra) / determinant, (m.ay * m.rr - m.ry * m.ra) / determinant};
  }
  LinearTerms best;
  for (const LinearTerms& terms : candidates) {
    const bool possible = terms.seconds_per_request >= 0 && terms.seconds_per_context_token >= 0;
    if (possible && m.explained(terms) > m.explained(best)) best = terms;
  }
  return best;
}

std::vector<CostTable::Point> table_beside(const LinearTerms& terms, const std::map<int, Means>& means) {
  std::vector<CostTable::Point> table;
  for (const auto& [tokens, m] : means) {
    table.push_back({static_cast<double>(tokens), m.seconds - terms.seconds_per_request * m.requests -
                                                      terms.seconds_per_context_token * m.attended});
  }
  return table;
}

void add_residuals(CostFit& fit, std::span<const CostPoint> points) {
  std::map<int, double> seconds;
  for (const CostTable::Point& point : fit.table) seconds[static_cast<int>(point.size)] = point.seconds;
  std::vector<double> sizes;
  for (const CostPoint& point : points) {
    const double fitted = seconds.at(point.tokens) + fit.terms.seconds_per_request * point.requests +
                          fit.terms.seconds_per_context_token * point.attended_tokens;
    fit.residual.push_back(point.seconds / fitted - 1);
    sizes.push_back(std::abs(fit.residual.back()));
  }
  std::sort(sizes.begin(), sizes.end());
  fit.median_residual = sizes[sizes.size() / 2];
  fit.worst_residual = sizes.back();
}

}  // namespace

void make_monotone(std::vector<CostTable::Point>& table, std::vector<double> weights) {
  DSPARK_INVARIANT(table.size() == weights.size() && !table.empty());
  struct Pool {
    double seconds, weight;
    std::size_t end;  // of the table's points in it
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < table.size(); ++i) {
    pools.push_back({table[i].seconds, weights[i], i + 1});
    while (pools.size() > 1 && pools[pools.size() - 2].seconds > pools.back().seconds) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& before = pools.back();
      before.seconds =
          (before.seconds * before.weight + last.seconds * last.weight) / (before.weight + last.weight);
      before.weight += last.weight;
      before.end = last.end;
    }
  }
  std::size_t i = 0;
  for (const Pool& pool : pools) {
    for (; i < pool.end; ++i) table[i].seconds = pool.seconds;
  }
  // A flat table would mean: verify everything, always (CostTable refuses it).
  if (table.front().seconds == table.back().seconds) table.back().seconds *= 1 + 1e-6;
}

CostFit fit_verify_cost(std::span<const CostPoint> points) {
  const std::map<int, Means> means = means_by_tokens(points);
  CostFit fit;
  fit.terms = solve(moments(points, means));
  fit.table = table_beside(fit.terms, means);
  if (std::any_of(fit.table.begin(), fit.table.end(), [](const auto& point) { return point.seconds <= 0; })) {
    fit.terms = {};
    fit.table = table_beside(fit.terms, means);
  }
  std::vector<double> weights;
  for (const auto& [tokens, m] : means) weights.push_back(m.weight);
  make_monotone(fit.table, std::move(weights));
  add_residuals(fit, points);
  return fit;
}

}  // namespace dspark
