#include "sim/planning/sequential_test.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace dspark {
namespace {

/// Upper point of Student's t, rounded so that plans do not depend on the maths library's last bits.
double upper_point(double level, int degrees_of_freedom) {
  const boost::math::students_t distribution(degrees_of_freedom);
  return std::round(quantile(complement(distribution, level)) * 1e6) / 1e6;
}

}  // namespace

std::size_t TestOutcome::binding() const {
  std::size_t worst = 0;
  const auto ratio = [](const MarginEstimate& m) {
    return m.standard_error > 0 ? m.mean / m.standard_error : (m.mean < 0 ? -HUGE_VAL : HUGE_VAL);
  };
  for (std::size_t i = 1; i < margins.size(); ++i) {
    const double here = ratio(margins[i]), before = ratio(margins[worst]);
    if (here < before || (here == before && margins[i].mean < margins[worst].mean)) worst = i;
  }
  return worst;
}

std::optional<Verdict> judge(const SequentialTest& test, std::span<const MarginEstimate> margins,
                             int replications) {
  const double reject = upper_point(test.false_rejection, replications - 1);
  for (const MarginEstimate& m : margins) {
    if (m.mean + reject * m.standard_error < 0) return Verdict::kNotMet;
  }
  if (replications >= 4) {
    const double accept = upper_point(test.false_acceptance / test.looks(), replications - 1);
    const bool all = std::all_of(margins.begin(), margins.end(), [&](const MarginEstimate& m) {
      return m.mean - accept * m.standard_error > 0;
    });
    if (all) return Verdict::kMet;
  }
  if (replications >= test.most) return Verdict::kUndecided;
  return std::nullopt;
}

std::vector<MarginEstimate> estimate_margins(std::span<const ReplicaObservation> observations) {
  std::vector<MarginEstimate> margins;
  if (observations.empty()) return margins;
  const auto n = static_cast<double>(observations.size());
  for (std::size_t i = 0; i < observations[0].limits.size(); ++i) {
    MarginEstimate m;
    double least = 0;
    for (const ReplicaObservation& o : observations) {
      m.mean += o.limits[i].margin / n;
      m.value += o.limits[i].value / n;
      least = std::max(least, o.limits[i].least_deviation);
    }
    double squares = 0;
    for (const ReplicaObservation& o : observations) {
      const double off = o.limits[i].margin - m.mean;
      squares += off * off;
    }
    m.standard_error = std::max(least, std::sqrt(squares / (n - 1))) / std::sqrt(n);
    margins.push_back(m);
  }
  return margins;
}

std::optional<TestOutcome> run_test(const SequentialTest& test, const Observe& observe) {
  TestOutcome outcome;
  std::vector<ReplicaObservation> observations;
  while (true) {
    for (int pair = 0; pair < 2; ++pair) {
      auto observation = observe(outcome.replications);
      if (!observation) return std::nullopt;
      ++outcome.replications;
      if (!observation->error.empty()) {
        outcome.verdict = Verdict::kNotMet;
        outcome.error = observation->error;
        return outcome;
      }
      observations.push_back(*std::move(observation));
    }
    outcome.margins = estimate_margins(observations);
    if (const auto verdict = judge(test, outcome.margins, outcome.replications)) {
      outcome.verdict = *verdict;
      break;
    }
  }
  const auto n = static_cast<double>(observations.size());
  for (const ReplicaObservation& o : observations) {
    outcome.busy_share += o.busy_share / n;
    outcome.user_speed += o.user_speed / n;
  }
  return outcome;
}

}  // namespace dspark
