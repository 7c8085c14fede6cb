#include "sim/random/random_key.h"

namespace dspark {

RandomKey make_random_key(std::uint64_t seed, std::uint32_t replication) {
  // Philox itself is the hash: a counter that no other draw uses, keyed by the seed.
  const r123::Philox4x32::key_type seed_key = {
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const auto words = r123::Philox4x32{}({{replication, 0, 0, 0}}, seed_key);
  return {words[0], words[1]};
}

}  // namespace dspark
