// What a verdict rests on before any policy is looked at: the verifier and the frontier.
#include <boost/multiprecision/cpp_int.hpp>

#include "policies/depth/survival_frontier.h"
#include "sim/lossless/arbitrary_words.h"
#include "sim/lossless/lossless_check.h"
#include "sim/lossless/speculative_sampling.h"

namespace dspark {
namespace {

/// Of any size, so that no sum overflows. (boost::rational's comparisons recurse for ever in C++20.)
using Rational = boost::multiprecision::number<boost::multiprecision::cpp_rational::backend_type,
                                               boost::multiprecision::et_off>;

/// Shares of quarters; every third distribution is certain of one token.
Distribution<Rational> random_distribution(int vocabulary, int depth, ArbitraryWords& coins) {
  Distribution<Rational> model(vocabulary, depth);
  for (auto& next : model.nodes()) {
    next = {};
    if (coins() % 3 == 0) {
      next[coins() % static_cast<unsigned>(vocabulary)] = 1;
      continue;
    }
    int left = 4;
    for (int t = 0; t + 1 < vocabulary; ++t) {
      const int share = static_cast<int>(coins() % static_cast<unsigned>(left + 1));
      next[static_cast<std::size_t>(t)] = Rational(share, 4);
      left -= share;
    }
    next[static_cast<std::size_t>(vocabulary - 1)] = Rational(left, 4);
  }
  return model;
}

/// Identities of one pair of models; false where one fails.
bool keeps_the_target(const Distribution<Rational>& p, const Distribution<Rational>& q, std::int64_t& count) {
  const int depth = p.depth();
  const std::int64_t texts = power(p.vocabulary(), depth);
  std::vector<int> draft(static_cast<std::size_t>(depth)), text(draft);
  for (int submitted = 0; submitted <= depth; ++submitted) {
    for (std::int64_t y = 0; y < texts; ++y, ++count) {
      write_tokens(y, p.vocabulary(), text);
      Rational output = 0;
      for (std::int64_t x = 0; x < texts; ++x) {
        write_tokens(x, p.vocabulary(), draft);
        const Rational drawn = probability(q, std::span<const int>(draft));
        if (drawn == 0) continue;
        output += drawn * output_probability<Rational>(p, q, draft, submitted, text);
      }
      if (output != probability(p, std::span<const int>(text))) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::int64_t> prove_verifier() {
  ArbitraryWords coins(7);
  std::int64_t count = 0;
  for (int pair = 0; pair < 24; ++pair) {
    const int vocabulary = 2 + pair % 2, depth = 1 + pair % 3;
    const auto p = random_distribution(vocabulary, depth, coins);
    const auto q = random_distribution(vocabulary, depth, coins);
    if (!keeps_the_target(p, q, count)) return std::nullopt;
  }
  return count;
}

FrontierProof prove_frontier() {
  FrontierProof all;
  ArbitraryWords coins(11);
  const auto prove = [&](const SystemSize& size, DraftModels models, bool ends) {
    if (all.leak) return;
    FrontierProof proof = FrontierStrategies<OwnedFrontier>(size, std::move(models), ends).prove();
    all.states += proof.states;
    all.leak = std::move(proof.leak);
  };
  for (const SystemSize& size : {SystemSize{2, 2, 1}, SystemSize{2, 3, 1}, SystemSize{2, 2, 2}}) {
    for (const bool ends : {false, true}) {
      for (int i = 0; i < 4; ++i) prove(size, random_models(size, coins), ends);
    }
  }
  return all;
}

}  // namespace dspark
