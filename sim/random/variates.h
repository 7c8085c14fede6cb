#pragma once

#include "sim/random/random_key.h"

namespace dspark {

/// Names the draws of one random variable: variate `index` is a function of this and the key alone.
struct VariateKey {
  RandomKey key;
  Stream stream;
  std::uint32_t source = 0;
  std::uint32_t ordinal = 0;
};

double uniform_variate(const VariateKey& key);      // (0, 1)
double exponential_variate(const VariateKey& key);  // mean 1
double normal_variate(const VariateKey& key);
/// Gamma with the given shape > 0 and mean 1 (Marsaglia and Tsang 2000; rejections take further groups of the
/// key).
double gamma_variate(const VariateKey& key, double shape);

}  // namespace dspark
