#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/random/random_key.h"
#include "sim/simd/simd_target.h"

namespace dspark {

/// Whom a group of four words is drawn for, in columns of one value per request.
struct DrawColumns {
  std::size_t rows = 0;
  const std::uint32_t* source = nullptr;
  const std::uint32_t* ordinal = nullptr;
  const std::uint32_t* position_and_attempt = nullptr;  // the third counter word: position | attempt << 24
};

/// One draft position of the batch, on its way to a logit.
struct LogitColumns {
  std::size_t rows = 0;
  const std::uint32_t* bits = nullptr;  // (rows) of the draft's own luck
  float own_scale = 0;
  const float* deviation = nullptr;      // (domains)
  const float* effect = nullptr;         // (domains) of this position
  const std::int32_t* domain = nullptr;  // (rows); nullptr: all are of domain 0
  float* latent_to_logit = nullptr;      // (rows) in: the text field; out: the logit
};

/// The latent acceptance model's loops over the requests of a step, compiled once per instruction set.
/// Columns of one call do not overlap.
struct LatentColumns {
  /// `words` (4, rows): draw_words of every row.
  void (*draw_words)(RandomKey key, Stream stream, std::uint32_t group, const DrawColumns& columns,
                     std::uint32_t* words);
  /// logit = effect + deviation · (text field + own_scale · normal_from_bits(bits)).
  void (*logits)(const LogitColumns& columns);
  /// probability[i] = logistic(logit[i]).
  void (*logistic)(const float* logit, float* probability, std::size_t count);
  /// Adds one to `accepted` where the first `position` draft tokens were accepted and the coin, the upper 24
  /// of `bits`, accepts the next one too.
  void (*accept)(int position, const std::uint32_t* bits, const float* probability, int* accepted,
                 std::size_t rows);
};

/// The loops for one of `simd_targets()`.
const LatentColumns& latent_columns(SimdTarget target);

}  // namespace dspark
