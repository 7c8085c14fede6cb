#include "sim/hardware/single_user_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/nearest_name.h"
#include "sim/remembered.h"

namespace dspark {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

std::string speed_name(int k) { return k == 0 ? "none" : fmt::format("k{}", k); }

double round_seconds(const StepCost& cost, double overhead, int k) {
  return cost.draft_seconds(k > 0 ? 1 : 0, k) + cost.verify_seconds(1, 1 + k) + cost.terms_seconds(1, 0) +
         overhead;
}

}  // namespace

Result<std::vector<SingleUserSpeed>> read_single_user_speeds(const CsvTable& table,
                                                             const std::vector<std::string>& fitted) {
  const auto policy = table.column("policy");
  if (!policy) return policy.error();
  const auto concurrency = table.numbers("concurrency", 1);
  if (!concurrency) return concurrency.error();
  const auto speed = table.numbers("user_tokens_per_s", 1e-6);
  if (!speed) return speed.error();
  std::vector<SingleUserSpeed> speeds;
  std::vector<std::string> names;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string name(table.field(row, *policy));
    const auto k = name == "none" ? std::optional<std::int64_t>(0)
                                  : parse_integer(name.starts_with('k') ? name.substr(1) : "");
    if (!k || *k < 0 || *k > 64)
      return table.error(row, *policy, fmt::format("'{}' is not none, k1, k2, …", name));
    if ((*concurrency)[row] != 1)
      return table.error(row, *policy, "a speed at more than one user cannot be fitted here");
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return table.error(row, *policy, fmt::format("'{}' appears twice", name));
    }
    names.push_back(name);
    const bool is_fitted = std::find(fitted.begin(), fitted.end(), name) != fitted.end();
    speeds.push_back({static_cast<int>(*k), (*speed)[row], is_fitted});
  }
  for (const std::string& name : fitted) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Error{
          fmt::format("no speed '{}' in {}", name, table.path()), {}, known_names_advice(name, names)};
    }
  }
  std::sort(speeds.begin(), speeds.end(), [](const auto& a, const auto& b) { return a.k < b.k; });
  return speeds;
}

namespace {

/// The latent whose back-to-back rounds at each k show the accepted length measured there, or where no
/// acceptance has these lengths the nearest that one has.
Result<SolvedDomain> fit_lengths_at_their_depths(const std::vector<AcceptedLength>& published, int block_size,
                                                 double auc, const LatentSpread& spread) {
  constexpr int kIterations = 12;
  constexpr double kTolerance = 0.002;
  const std::vector<AcceptedLength> measured = nearest_survival(published, block_size).reached;
  std::vector<AcceptedLength> wanted = measured;  // at depth block_size
  PositionEffectsSolver solver(static_cast<std::size_t>(block_size), auc, spread);
  std::vector<RoundLaw> laws;  // at the measured depths
  for (const AcceptedLength& length : measured) laws.emplace_back(spread, static_cast<std::size_t>(length.k));
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const NearestSurvival nearest = nearest_survival(wanted, block_size);
    auto solved = solver.solve(nearest.survival);
    if (!solved) return solved;
    double miss = 0;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      laws[i].settle(solved->latent);
      const double shown = laws[i].accepted_length();
      miss = std::max(miss, std::abs(shown - measured[i].tokens));
      wanted[i].tokens += measured[i].tokens - shown;
    }
    if (miss < kTolerance) return solved;
  }
  return Error{"no acceptance of this kind shows all fitted speeds",
               {},
               "leave a k out of fitted to predict it instead"};
}

const char* role_of(int position, const std::vector<AcceptedLength>& lengths) {
  int before = 0;
  for (const AcceptedLength& length : lengths) {
    if (position <= length.k) return length.k - before == 1 ? "solved" : "interpolated";
    before = length.k;
  }
  return "extrapolated";
}

/// The fit, given `seconds`: T_k of each speed.
Result<SingleUserFit> fit_rounds(const std::vector<SingleUserSpeed>& speeds,
                                 const std::vector<double>& seconds, double overhead_seconds, int block_size,
                                 double auc, const LatentSpread& spread) {
  std::vector<AcceptedLength> lengths;
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    if (speeds[i].k > 0 && speeds[i].fitted)
      lengths.push_back({speeds[i].k, speeds[i].tokens_per_second * seconds[i]});
  }
  if (lengths.empty()) return Error{"survival needs the fitted speed of at least one k"};
  if (lengths.back().k > block_size) {
    return Error{fmt::format("fitted k{} is larger than block_size {}", lengths.back().k, block_size)};
  }
  auto solved = fit_lengths_at_their_depths(lengths, block_size, auc, spread);
  if (!solved) return solved.error();
  SingleUserFit fit;
  fit.overhead_seconds = overhead_seconds;
  fit.domain = *std::move(solved);
  fit.survival = fit.domain.survival;
  fit.lines.push_back({"step overhead", "solved", "s", kNotMeasured, overhead_seconds});
  for (int k = 1; k <= block_size; ++k) {
    fit.lines.push_back({fmt::format("survival.{}", k), role_of(k, lengths), "1", kNotMeasured,
                         fit.survival[static_cast<std::size_t>(k - 1)]});
  }
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    const SingleUserSpeed& speed = speeds[i];
    if (speed.k > block_size) continue;
    const double tokens = speed.k == 0 ? 1 : accepted_length_at_depth(fit.domain.latent, spread, speed.k);
    fit.lines.push_back({"user speed of " + speed_name(speed.k), speed.fitted ? "fitted" : "predicted",
                         "tokens/s", speed.tokens_per_second, tokens / seconds[i]});
  }
  fit.lines.push_back({"auc of the confidence's survival", "fitted", "1", auc, fit.domain.auc});
  return fit;
}

}  // namespace

Result<SingleUserFit> fit_single_user(const std::vector<SingleUserSpeed>& speeds, const StepCost& cost,
                                      int block_size, double auc, const LatentSpread& spread) {
  if (speeds.empty() || speeds[0].k != 0 || !speeds[0].fitted) {
    return Error{"the overhead needs the fitted speed of 'none'", {}, "add none to fitted"};
  }
  const double overhead_seconds =
      1 / speeds[0].tokens_per_second - cost.verify_seconds(1, 1) - cost.terms_seconds(1, 0);
  if (overhead_seconds < 0)
    return Error{"one token without speculation takes less than its measured step cost"};
  std::vector<double> seconds;
  std::vector<double> arguments = {static_cast<double>(block_size), auc, spread.between_request_share,
                                   spread.text_share, static_cast<double>(spread.text_correlation_tokens)};
  for (const SingleUserSpeed& speed : speeds) {
    seconds.push_back(round_seconds(cost, overhead_seconds, speed.k));
    arguments.insert(arguments.end(), {static_cast<double>(speed.k), speed.tokens_per_second, seconds.back(),
                                       speed.fitted ? 1.0 : 0.0});
  }
  static Remembered<SingleUserFit> remembered;
  return remembered.get(std::move(arguments), [&] {
    return fit_rounds(speeds, seconds, overhead_seconds, block_size, auc, spread);
  });
}

}  // namespace dspark
