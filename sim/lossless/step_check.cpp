#include "sim/lossless/step_check.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "sim/lossless/speculative_sampling.h"

namespace dspark {
namespace {

std::span<const int> block(std::span<const int> tokens, int request, int block_size) {
  return tokens.subspan(static_cast<std::size_t>(request * block_size), static_cast<std::size_t>(block_size));
}

double joint_probability(const std::vector<Distribution<double>>& models, std::span<const int> tokens) {
  double product = 1;
  for (std::size_t r = 0; r < models.size(); ++r) {
    product *= probability(models[r], block(tokens, static_cast<int>(r), models[r].depth()));
  }
  return product;
}

DecidedDraw decide(const StepQuestion& question, std::vector<int> tokens, std::vector<int> accepted,
                   StepDecisions& decisions) {
  const auto policy = question.make();
  PlayedSystem system(question.system, *policy);
  for (const auto& round : question.history) system.play(*round);
  const auto lengths = system.decide(question.models, tokens, accepted);
  decisions.chose |= system.chose();
  decisions.stopped |= system.stopped();
  return {std::move(tokens), std::move(accepted), {lengths.begin(), lengths.end()}};
}

/// `other` has the tokens that `draw` submitted.
bool agrees_on_submitted(const DecidedDraw& draw, const DecidedDraw& other, int block_size) {
  for (std::size_t r = 0; r < draw.lengths.size(); ++r) {
    const auto first = static_cast<std::ptrdiff_t>(r) * block_size;
    if (!std::equal(draw.tokens.begin() + first, draw.tokens.begin() + first + draw.lengths[r],
                    other.tokens.begin() + first)) {
      return false;
    }
  }
  return true;
}

/// Probability of the outcomes beside which a decision was made, given its draw.
double outcome_probability(const DecidedDraw& draw, const std::vector<Distribution<double>>& target,
                           const std::vector<Distribution<double>>& drawn, int block_size) {
  double product = 1;
  for (std::size_t r = 0; r < target.size(); ++r) {
    product *= first_rejection(target[r], drawn[r], block(draw.tokens, static_cast<int>(r), block_size),
                               draw.accepted[r] + 1);
  }
  return product;
}

}  // namespace

StepDecisions decide_all(const StepQuestion& question) {
  const SystemSize& size = question.system.size;
  std::vector<Distribution<double>> drawn;
  for (const DraftModel& model : question.models) drawn.push_back(drawn_from(model, question.system.source));
  StepDecisions decisions;
  std::set<std::vector<int>> different;
  std::vector<int> tokens(static_cast<std::size_t>(size.requests * size.block_size));
  std::vector<int> accepted(static_cast<std::size_t>(size.requests), size.block_size);
  const std::int64_t outcomes = question.every_outcome ? power(size.block_size + 1, size.requests) : 1;
  for (std::int64_t number = 0; number < size.draws(); ++number) {
    write_tokens(number, size.vocabulary, tokens);
    if (joint_probability(drawn, tokens) == 0) continue;
    for (std::int64_t outcome = 0; outcome < outcomes; ++outcome) {
      if (question.every_outcome) {  // from "all accepted" down
        write_tokens(outcome, size.block_size + 1, accepted);
        for (int& a : accepted) a = size.block_size - a;
      }
      decisions.draws.push_back(decide(question, tokens, accepted, decisions));
      different.insert(decisions.draws.back().lengths);
    }
  }
  decisions.different = static_cast<int>(different.size());
  return decisions;
}

std::optional<TwoDecisions> broken_stopping_set(const StepDecisions& decisions, const SystemSize& size) {
  if (decisions.different <= 1) return std::nullopt;
  for (std::size_t a = 0; a < decisions.draws.size(); ++a) {
    for (std::size_t b = 0; b < decisions.draws.size(); ++b) {
      const DecidedDraw &draw = decisions.draws[a], &other = decisions.draws[b];
      if (draw.lengths != other.lengths && agrees_on_submitted(draw, other, size.block_size)) {
        return TwoDecisions{a, b};
      }
    }
  }
  return std::nullopt;
}

ChangedLaw changed_law(const StepDecisions& decisions, const SystemSize& size,
                       const std::vector<Distribution<double>>& target,
                       const std::vector<Distribution<double>>& drawn) {
  constexpr double kRounding = 1e-9;
  const bool by_outcome = std::any_of(decisions.draws.begin(), decisions.draws.end(), [&](const auto& draw) {
    return std::any_of(draw.accepted.begin(), draw.accepted.end(),
                       [&](int a) { return a < size.block_size; });
  });
  ChangedLaw law;
  const auto texts = static_cast<std::size_t>(power(size.vocabulary, size.block_size));
  // marginal[r][text of request r]: change of its law
  std::vector<std::vector<double>> marginal(static_cast<std::size_t>(size.requests),
                                            std::vector<double>(texts, 0.0));
  std::vector<int> text(static_cast<std::size_t>(size.requests * size.block_size));
  double largest = 0;
  for (std::int64_t number = 0; number < size.draws(); ++number) {
    write_tokens(number, size.vocabulary, text);
    double output = 0;
    for (const DecidedDraw& draw : decisions.draws) {
      double product = joint_probability(drawn, draw.tokens);
      if (by_outcome) product *= outcome_probability(draw, target, drawn, size.block_size);
      for (int r = 0; r < size.requests && product > 0; ++r) {
        const auto row = static_cast<std::size_t>(r);
        const auto drafted = block(draw.tokens, r, size.block_size),
                   output_text = block(text, r, size.block_size);
        product *= by_outcome
                       ? output_given_rejection(target[row], drawn[row], drafted, draw.lengths[row],
                                                draw.accepted[row] + 1, output_text)
                       : output_probability(target[row], drawn[row], drafted, draw.lengths[row], output_text);
      }
      output += product;
    }
    const double wanted = joint_probability(target, text);
    const double change = output - wanted;
    law.total_variation += std::abs(change) / 2;
    std::int64_t rest = number;
    for (std::size_t r = marginal.size(); r-- > 0; rest /= static_cast<std::int64_t>(texts)) {
      marginal[r][static_cast<std::size_t>(rest) % texts] += change;
    }
    if (std::abs(change) > largest) {
      largest = std::abs(change);
      law.text = text;
      law.probability = output;
      law.target = wanted;
    }
  }
  law.joint_only = law.total_variation > kRounding &&
                   std::all_of(marginal.begin(), marginal.end(), [&](const std::vector<double>& changes) {
                     return std::all_of(changes.begin(), changes.end(),
                                        [&](double change) { return std::abs(change) < kRounding; });
                   });
  if (law.total_variation < kRounding) law.total_variation = 0;
  return law;
}

}  // namespace dspark
