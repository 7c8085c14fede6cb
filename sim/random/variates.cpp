#include "sim/random/variates.h"

#include <cmath>

#include "policies/elementary.h"

namespace dspark {
namespace {

RandomWords words(const VariateKey& k, std::uint32_t group) {
  return draw_words(k.key, k.stream, k.source, k.ordinal, 0, 0, group);
}

}  // namespace

double uniform_variate(const VariateKey& key) { return uniform_from_bits(words(key, 0)[0]); }

double exponential_variate(const VariateKey& key) { return -log_portable(uniform_variate(key)); }

double normal_variate(const VariateKey& key) { return normal_quantile(uniform_variate(key)); }

double gamma_variate(const VariateKey& key, double shape) {
  // Shapes below 1: gamma(a) = gamma(a + 1) · U^(1/a).
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (std::uint32_t group = 0;; ++group) {
    const RandomWords w = words(key, group);
    const double x = normal_quantile(uniform_from_bits(w[0]));
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log_portable(uniform_from_bits(w[1])) >= 0.5 * x * x + d - d * v + d * log_portable(v)) continue;
    const double boost = shape < 1 ? exp_portable(log_portable(uniform_from_bits(w[2])) / shape) : 1;
    return d * v * boost / shape;
  }
}

}  // namespace dspark
