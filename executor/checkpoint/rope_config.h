#pragma once

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/model_config.h"

namespace dspark {

/// Reads the rotary embeddings of both layer types, in either published form: `rope_theta` and
/// `rope_scaling`, or `rope_parameters`, by layer type where these differ. What is wrong is kept by `fields`.
/// `max_positions` stands in where YaRN does not say how long the trained context was.
void read_rope(JsonFields& fields, ModelFamily family, int max_positions, Rope& full, Rope& sliding);

}  // namespace dspark
