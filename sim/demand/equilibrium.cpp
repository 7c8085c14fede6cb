#include "sim/demand/equilibrium.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "sim/demand/power.h"

namespace dspark {
namespace {

constexpr double kSearchedLogRange = 13.815510557964274;  // ln 10^6 on either side of the baseline
constexpr int kCells = 1200;
constexpr double kSolved = 1e-9;  // excess of a root: below it demand crosses, above it it jumps
constexpr int kBranchSteps = 16;
constexpr double kFarthestStep = 4.2;  // ln 64: a branch that moves further in one step has jumped

struct Crossing {
  double log_tokens = 0;
  double low = 0;  // the bracket that remained
  double high = 0;
  bool jumps = false;
};

/// Between low and high, where the excess has different signs.
Crossing close_in(const DemandLoop& loop, double low, double high, double at_low, double at_high) {
  if (at_low == 0) return {low, low, low};
  if (at_high == 0) return {high, high, high};
  std::uintmax_t most = 200;
  const auto excess = [&](double x) { return loop.excess(x); };
  const auto [a, b] = boost::math::tools::toms748_solve(excess, low, high, at_low, at_high,
                                                        boost::math::tools::eps_tolerance<double>(52), most);
  const double of_a = std::abs(loop.excess(a)), of_b = std::abs(loop.excess(b));
  return {of_a <= of_b ? a : b, a, b, std::min(of_a, of_b) > kSolved};
}

FixedPoint fixed_point(const DemandLoop& loop, double log_tokens) {
  return {loop.answer(exp_portable(log_tokens)), loop.slope(log_tokens)};
}

double log_baseline(const DemandLoop& loop) {
  return log_portable(loop.market().baseline.load.tokens_per_second);
}

Equilibria scan(const DemandLoop& loop) {
  Equilibria result;
  const double low = log_baseline(loop) - kSearchedLogRange;
  const double high = std::min(log_baseline(loop) + kSearchedLogRange, loop.log_largest_load());
  double last = low, at_last = loop.excess(low);
  bool jumped = false;
  for (int i = 1; i <= kCells; ++i) {
    const double x = low + (high - low) * i / kCells;
    const double at = loop.excess(x);
    if ((at_last > 0) != (at > 0)) {
      const Crossing crossing = close_in(loop, last, x, at_last, at);
      if (!crossing.jumps) {
        result.found.push_back(fixed_point(loop, crossing.log_tokens));
      } else if (at_last > 0 && !jumped) {
        jumped = true;
        result.fewer_gpus = loop.answer(exp_portable(crossing.low)).point.gpus;
        result.more_gpus = loop.answer(exp_portable(crossing.high)).point.gpus;
      }
    }
    last = x, at_last = at;
  }
  if (!result.found.empty()) {
    result.existence = Existence::kFound;
  } else if (jumped) {
    result.existence = Existence::kAlternates;
  } else if (at_last > 0) {
    result.existence = std::isfinite(loop.log_largest_load()) ? Existence::kRationed : Existence::kRunsAway;
    if (result.existence == Existence::kRationed) result.at_limit = loop.answer(loop.largest_load());
  }
  return result;
}

/// Damped iteration in ln tokens and ln requests; true where it settles.
bool settle(const DemandLoop& loop, double& log_tokens) {
  const double limit = loop.largest_load();
  double tokens = exp_portable(log_tokens), damping = 0.7, last = HUGE_VAL;
  double requests = tokens / loop.market().baseline.load.typical_tokens;
  for (int i = 0; i < 2000; ++i) {
    const MarketState state = loop.answer(tokens, requests);
    if (state.demand.tokens_per_second <= 0) return false;
    const double more_tokens = state.demand.tokens_per_second / tokens;
    const double more_requests = state.demand.requests_per_second / requests;
    const double distance = std::abs(log_portable(more_tokens)) + std::abs(log_portable(more_requests));
    if (distance < 1e-12) {
      log_tokens = log_portable(tokens);
      return true;
    }
    if (distance > last) damping = std::max(0.02, 0.7 * damping);
    last = distance;
    tokens = std::min(tokens * power(more_tokens, damping), limit);
    requests *= power(more_requests, damping);
  }
  return false;
}

Equilibria multistart(const DemandLoop& loop) {
  Equilibria result;
  std::vector<double> settled;
  for (int i = -6; i <= 6; ++i) {
    double x = std::min(log_baseline(loop) + i, loop.log_largest_load());
    if (settle(loop, x)) settled.push_back(x);
  }
  std::sort(settled.begin(), settled.end());
  for (std::size_t i = 0; i < settled.size(); ++i) {
    if (i == 0 || settled[i] - settled[i - 1] > 1e-8) result.found.push_back(fixed_point(loop, settled[i]));
  }
  if (result.found.empty()) return scan(loop);
  result.existence = Existence::kFound;
  return result;
}

}  // namespace

Equilibria find_equilibria(const DemandLoop& loop) {
  return loop.market().segments.size() == 1 ? scan(loop) : multistart(loop);
}

Branch nearest_equilibrium(const DemandLoop& loop, double log_tokens) {
  const double limit = loop.log_largest_load();
  double x = std::min(log_tokens, limit), at = loop.excess(x);
  const bool up = at > 0;
  for (double step = 0.02; at != 0; step *= 1.5) {
    const double next = std::min(x + (up ? step : -step), limit);
    const double at_next = loop.excess(next);
    if ((at_next > 0) != up) {
      const Crossing crossing =
          up ? close_in(loop, x, next, at, at_next) : close_in(loop, next, x, at_next, at);
      if (crossing.jumps)
        return {false, {}, "demand jumps across the load between two numbers of whole chips"};
      x = crossing.log_tokens;
      break;
    }
    if (next == limit) return {false, {}, "demand meets the most that the chips serve"};
    if (std::abs(next - log_tokens) > kFarthestStep) return {false, {}, "demand moves away from the load"};
    x = next, at = at_next;
  }
  Branch branch{true, fixed_point(loop, x), {}};
  if (branch.end.tips()) {
    branch.whole = false;
    branch.reason = fmt::format("the equilibrium tips (slope {:.3g} round the loop)", branch.end.slope);
  }
  return branch;
}

Branch follow_branch(const DemandLoop& loop) {
  Branch branch;
  double x = log_baseline(loop);
  for (int i = 0; i <= kBranchSteps; ++i) {
    const double strength = static_cast<double>(i) / kBranchSteps;
    branch = nearest_equilibrium(loop.with_strength(strength), x);
    if (!branch.whole) return branch;
    x = log_portable(branch.end.state.load.tokens_per_second);
  }
  return branch;
}

}  // namespace dspark
