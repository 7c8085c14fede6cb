#include "sim/acceptance/text_structure.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/random/random_key.h"
#include "sim/remembered.h"

namespace dspark {
namespace {

constexpr std::uint32_t kRequests = 8192;
constexpr int kRounds = 36;  // of each request: three stretches of twelve
constexpr int kStretch = kRounds / 3;
constexpr RandomKey kKey{17, 0x0ddba11};

/// All requests, each at its own place; none ends.
struct Chains {
  Chains()
      : id(kRequests),
        source(kRequests),
        ordinal(kRequests),
        anchor(kRequests, 24),
        attempt(kRequests),
        domain(kRequests) {
    for (std::uint32_t r = 0; r < kRequests; ++r) source[r] = r;
  }
  RunnerRows rows() const { return {id, source, ordinal, anchor, attempt, domain}; }

  std::vector<RequestId> id;
  std::vector<std::uint32_t> source, ordinal;
  std::vector<std::int32_t> anchor, attempt, domain;
};

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

TextStructure structure_of_rounds(const DomainLatent& latent, const LatentSpread& spread, int depth) {
  const LatentAcceptance model({latent}, spread, {}, 0);
  Chains chains;
  DraftedBlocks blocks;
  // Mean acceptance of each request over its first and its last stretch: what they have in common is the
  // request's own, since a text forgets its difficulty on the way.
  std::vector<double> early(kRequests, 0), late(kRequests, 0);
  std::vector<std::uint8_t> accepted_before(kRequests, 0);
  double both = 0, pairs = 0, accepted = 0, rounds = 0;
  for (int round = 0; round < kRounds; ++round) {
    model.draw(kKey, chains.rows(), depth, kConfidenceOnly, blocks);
    for (std::uint32_t r = 0; r < kRequests; ++r) {
      const double probability = static_cast<double>(blocks.confidence[r]);
      if (round < kStretch) early[r] += probability / kStretch;
      if (round >= kRounds - kStretch) late[r] += probability / kStretch;
      if (round > 0) {
        both += accepted_before[r] * probability;
        pairs += 1;
      }
      accepted += probability;
      rounds += 1;
      accepted_before[r] = blocks.accepted[r] > 0;
      chains.anchor[r] += blocks.accepted[r] + 1;
    }
  }
  const double early_mean = mean_of(early), late_mean = mean_of(late), p = accepted / rounds;
  double covariance = 0;
  for (std::uint32_t r = 0; r < kRequests; ++r) {
    covariance += (early[r] - early_mean) * (late[r] - late_mean) / kRequests;
  }
  return {std::sqrt(std::max(0.0, covariance)), (both / pairs - p * p) / (p * (1 - p))};
}

namespace {

Result<SolvedStructure> solve(std::span<const double> survival, double auc, const TextStructure& wanted,
                              int text_correlation_tokens) {
  constexpr int kIterations = 14;
  constexpr double kTolerance = 0.003;
  constexpr double kMostShared = 0.98;  // a draft has some luck of its own
  const double p = survival[0];
  const double between_correlation = wanted.between_request_sd * wanted.between_request_sd / (p * (1 - p));
  SolvedStructure solved;
  solved.spread = {
      .between_request_share = 0.1, .text_share = 0.3, .text_correlation_tokens = text_correlation_tokens};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    auto domain = remembered_position_effects(survival, auc, solved.spread);
    if (!domain) return domain.error();
    solved.domain = *std::move(domain);
    solved.reached =
        structure_of_rounds(solved.domain.latent, solved.spread, static_cast<int>(survival.size()));
    const TextStructure& now = solved.reached;
    const bool all_is_shared =
        solved.spread.between_request_share + solved.spread.text_share > kMostShared - 1e-9;
    if (std::abs(now.between_request_sd - wanted.between_request_sd) < kTolerance &&
        (std::abs(now.round_correlation - wanted.round_correlation) < kTolerance ||
         (all_is_shared && now.round_correlation < wanted.round_correlation))) {
      break;
    }
    // The variance between requests is in proportion to its share; what correlates rounds beyond it is the
    // text's.
    double& between = solved.spread.between_request_share;
    double& text = solved.spread.text_share;
    const double ratio = wanted.between_request_sd / std::max(1e-3, now.between_request_sd);
    const double now_between = now.between_request_sd * now.between_request_sd / (p * (1 - p));
    const double text_ratio = std::max(0.0, wanted.round_correlation - between_correlation) /
                              std::max(1e-3, now.round_correlation - now_between);
    between = std::clamp(between * std::clamp(ratio * ratio, 0.25, 4.0), 0.0, kMostShared);
    text = std::clamp(text * std::clamp(text_ratio, 0.25, 4.0), 0.0, kMostShared - between);
  }
  return solved;
}

}  // namespace

Result<SolvedStructure> solve_text_structure(std::span<const double> survival, double auc,
                                             const TextStructure& wanted, int text_correlation_tokens) {
  static Remembered<SolvedStructure> remembered;
  std::vector<double> arguments(survival.begin(), survival.end());
  arguments.insert(arguments.end(), {auc, wanted.between_request_sd, wanted.round_correlation,
                                     static_cast<double>(text_correlation_tokens)});
  return remembered.get(std::move(arguments),
                        [&] { return solve(survival, auc, wanted, text_correlation_tokens); });
}

}  // namespace dspark
