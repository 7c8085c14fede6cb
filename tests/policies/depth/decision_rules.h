#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/policies/depth/scene.h"

namespace dspark::testing {

/// One step of a few requests whose confidences are random: c_1 by the anchor, c_{k+1} by the token drawn at
/// k, each of `values` as likely as the others. Nothing but time is spent: T(n) seconds to verify n draft
/// tokens.
struct SmallStep {
  int requests = 1;
  int block_size = 1;
  std::vector<float> values;
  StepCost cost;

  double seconds(int admitted) const { return cost.verify_seconds(requests, requests + admitted); }
};

/// What a rule gets on average over everything that can be drawn.
struct Worth {
  double rate = 0;     // of one step: mean of tokens / seconds
  double tokens = 0;   // mean
  double seconds = 0;  // mean
  double long_run() const { return tokens / seconds; }
};

/// The best decision rule by backward induction over all of them. A rule sees the next confidence of each
/// request, admits a token of one of them, sees what the draw reveals, and stops whenever it likes: these are
/// all rules whose submitted tokens are a stopping set (LOSSLESS condition, lemma 1). `reward(tokens,
/// admitted)` is what stopping is worth.
template <typename Reward>
class BestRule {
 public:
  BestRule(const SmallStep& step, Reward reward) : step_(step), reward_(reward) {}

  /// `rate` is the mean reward.
  Worth best() {
    Edge edge{std::vector<int>(static_cast<std::size_t>(step_.requests), 0),
              std::vector<double>(static_cast<std::size_t>(step_.requests), 1)};
    return reveal(edge, 0, step_.requests, step_.requests);
  }

 private:
  struct Edge {
    std::vector<int> admitted;     // (requests)
    std::vector<double> survival;  // (requests) of the next token, which is visible
  };

  /// Mean over what requests first..end-1 show next.
  Worth reveal(const Edge& edge, int first, int end, double tokens) {
    if (first == end) return choose(edge, tokens);
    const auto r = static_cast<std::size_t>(first);
    if (edge.admitted[r] == step_.block_size) return reveal(edge, first + 1, end, tokens);
    Worth mean;
    for (const float c : step_.values) {
      Edge shown = edge;
      shown.survival[r] *= static_cast<double>(c);
      const Worth one = reveal(shown, first + 1, end, tokens);
      const double share = 1 / static_cast<double>(step_.values.size());
      mean = {mean.rate + share * one.rate, mean.tokens + share * one.tokens,
              mean.seconds + share * one.seconds};
    }
    return mean;
  }
  Worth choose(const Edge& edge, double tokens) {
    int admitted = 0;
    for (const int count : edge.admitted) admitted += count;
    Worth best{reward_(tokens, admitted), tokens, step_.seconds(admitted)};
    for (int r = 0; r < step_.requests; ++r) {
      const auto row = static_cast<std::size_t>(r);
      if (edge.admitted[row] == step_.block_size) continue;
      Edge next = edge;
      ++next.admitted[row];
      const Worth more = reveal(next, r, r + 1, tokens + edge.survival[row]);
      if (more.rate > best.rate) best = more;
    }
    return best;
  }

  const SmallStep& step_;
  Reward reward_;
};

/// The largest mean of tokens / seconds that a rule can have in one step.
inline double best_one_step_rate(const SmallStep& step) {
  return BestRule(step, [&](double tokens, int n) { return tokens / step.seconds(n); }).best().rate;
}

/// The largest ratio of mean tokens to mean seconds, which is what a long run gives, by Dinkelbach's
/// iteration: the best rule for tokens - λ·seconds, and λ anew from what that rule gives, until nothing is
/// gained. Rules are finite in number and λ rises, so it ends.
inline double best_long_run_rate(const SmallStep& step) {
  for (double rate = 0;;) {
    const auto gain = [&](double tokens, int n) { return tokens - rate * step.seconds(n); };
    const double better = BestRule(step, gain).best().long_run();
    if (better <= rate * (1 + 1e-14)) return rate;
    rate = better;
  }
}

/// Every rule for one request, listed: its mean of rate, tokens and seconds. From the state where `survival`
/// of the next token is visible.
inline std::vector<Worth> every_rule(const SmallStep& step, int admitted, double tokens, double survival) {
  const double seconds = step.seconds(admitted);
  std::vector<Worth> rules{{tokens / seconds, tokens, seconds}};
  if (admitted == step.block_size) return rules;
  std::vector<Worth> after{{}};
  const bool last = admitted + 1 == step.block_size;
  const std::vector<float> shown = last ? std::vector<float>{1} : step.values;
  for (const float c : shown) {
    std::vector<Worth> combined;
    for (const Worth& worth : after) {
      for (const Worth& then :
           every_rule(step, admitted + 1, tokens + survival, survival * static_cast<double>(c))) {
        const auto share = 1 / static_cast<double>(shown.size());
        combined.push_back({worth.rate + share * then.rate, worth.tokens + share * then.tokens,
                            worth.seconds + share * then.seconds});
      }
    }
    after = std::move(combined);
  }
  rules.insert(rules.end(), after.begin(), after.end());
  return rules;
}

/// What a policy gets, played on every table of confidences and every outcome.
inline Worth played(DepthPolicy& policy, const SmallStep& step) {
  const int cells = step.requests * step.block_size;
  const int base = static_cast<int>(step.values.size());
  const int tables = static_cast<int>(std::lround(std::pow(base, cells)));
  const int outcomes = static_cast<int>(std::lround(std::pow(step.block_size + 1, step.requests)));
  Worth worth;
  for (int table = 0; table < tables; ++table) {
    for (int outcome = 0; outcome < outcomes; ++outcome) {
      Blocks blocks(step.requests, step.block_size);
      int code = table;
      for (float& c : blocks.confidence) c = step.values[static_cast<std::size_t>(code % base)], code /= base;
      double probability = 1.0 / tables;
      code = outcome;
      for (int r = 0; r < step.requests; ++r) {
        const int accepted = code % (step.block_size + 1);
        code /= step.block_size + 1;
        blocks.accepted[static_cast<std::size_t>(r)] = accepted;
        probability *= static_cast<double>(blocks.survival(r, accepted));
        if (accepted < step.block_size)
          probability *= 1 - static_cast<double>(blocks.confidence[blocks.cell(r, accepted + 1)]);
      }
      if (probability == 0) continue;
      Scene scene(step.requests, step.block_size, step.cost);
      const std::vector<int> accepted = blocks.accepted;  // `decide` cuts it to what is drafted
      const std::vector<int> lengths = scene.decide(policy, blocks);
      double tokens = step.requests;
      int admitted = 0;
      for (std::size_t r = 0; r < lengths.size(); ++r) {
        admitted += lengths[r];
        tokens += std::min(accepted[r], lengths[r]);
      }
      const double seconds = step.seconds(admitted);
      worth.rate += probability * tokens / seconds;
      worth.tokens += probability * tokens;
      worth.seconds += probability * seconds;
    }
  }
  return worth;
}

}  // namespace dspark::testing
