#include "executor/checkpoint/rope_config.h"

#include <fmt/format.h>

#include <utility>

namespace dspark {
namespace {

constexpr double kLeastTheta = 1;
constexpr double kMostTheta = 1e15;
constexpr double kMostFactor = 65536;
constexpr int kMostPositions = 1 << 28;

/// The scaling that an object describes; theta stays. Older files say `type`.
void read_scaling(JsonFields& fields, ModelFamily family, int max_positions, Rope& rope) {
  const bool proportional = family == ModelFamily::kGemma4;
  const std::string_view key = fields.has("rope_type") || !fields.has("type") ? "rope_type" : "type";
  const std::string type = fields.text(key, "default");
  if (type == "default") {
    rope.scaling = Rope::Scaling::kNone;
  } else if (type == "linear") {
    rope.scaling = Rope::Scaling::kLinear;
    rope.factor = fields.number("factor", 1, kMostFactor);
  } else if (type == "llama3") {
    rope.scaling = Rope::Scaling::kLlama3;
    rope.factor = fields.number("factor", 1, kMostFactor);
    rope.low_frequency = fields.number("low_freq_factor", 1e-3, kMostFactor);
    rope.high_frequency = fields.number("high_freq_factor", 1e-3, kMostFactor);
    rope.trained_positions = fields.integer("original_max_position_embeddings", 1, kMostPositions);
    if (rope.high_frequency <= rope.low_frequency)
      fields.fail("high_freq_factor",
                  fmt::format("{} is not above low_freq_factor {}", rope.high_frequency, rope.low_frequency));
  } else if (type == "yarn") {
    rope.scaling = Rope::Scaling::kYarn;
    rope.factor = fields.number("factor", 1, kMostFactor);
    rope.beta_fast = fields.number("beta_fast", 1e-3, kMostFactor, 32);
    rope.beta_slow = fields.number("beta_slow", 1e-3, kMostFactor, 1);
    rope.attention_factor = fields.has("attention_factor") ? fields.number("attention_factor", 1e-3, 1e3) : 0;
    rope.trained_positions =
        fields.integer("original_max_position_embeddings", 1, kMostPositions, max_positions);
    if (rope.theta <= 1) fields.fail(key, "it divides by the logarithm of rope_theta, which must be above 1");
    if (rope.beta_fast <= rope.beta_slow)
      fields.fail("beta_fast", fmt::format("{} is not above beta_slow {}", rope.beta_fast, rope.beta_slow));
    for (const char* other :
         {"mscale", "mscale_all_dim", "truncate"})  // of other families; they change the result
      if (fields.has(other)) fields.fail(other, "it is not known for this architecture");
  } else if (type == "proportional" && proportional) {
    rope.scaling = Rope::Scaling::kProportional;
    rope.partial = fields.number("partial_rotary_factor", 1e-3, 1, 1);
    rope.factor = fields.number("factor", 1, kMostFactor, 1);
  } else {
    fields.fail(key, fmt::format("unknown scaling '{}'", type.substr(0, 100)),
                proportional ? "known: default, linear, llama3, yarn, proportional"
                             : "known: default, linear, llama3, yarn");
  }
  if (rope.scaling != Rope::Scaling::kProportional && fields.number("partial_rotary_factor", 0, 1, 1) != 1)
    fields.fail("partial_rotary_factor", "heads that turn in part are known of 'proportional' only");
}

void read_theta(JsonFields& fields, Rope& rope) {
  rope.theta = fields.number("rope_theta", kLeastTheta, kMostTheta, rope.theta);
}

}  // namespace

void read_rope(JsonFields& fields, ModelFamily family, int max_positions, Rope& full, Rope& sliding) {
  const bool gemma = family == ModelFamily::kGemma3 || family == ModelFamily::kGemma4;
  if (gemma) full.theta = 1e6;  // and sliding layers have 1e4
  if (family == ModelFamily::kGemma4) {
    full.scaling = Rope::Scaling::kProportional;
    full.partial = 0.25;
  }
  JsonFields parameters = fields.object("rope_parameters");
  if (parameters.has("full_attention") || parameters.has("sliding_attention")) {
    JsonFields of_full = parameters.object("full_attention");
    JsonFields of_sliding = parameters.object("sliding_attention");
    for (auto [layers, rope] : {std::pair(&of_full, &full), std::pair(&of_sliding, &sliding)}) {
      *rope = Rope{.theta = rope->theta};
      read_theta(*layers, *rope);
      read_scaling(*layers, family, max_positions, *rope);
    }
    return;
  }
  if (fields.has("rope_parameters")) {
    full = Rope{.theta = full.theta};
    read_theta(parameters, full);
    read_scaling(parameters, family, max_positions, full);
  } else if (family != ModelFamily::kGemma4) {
    read_theta(fields, full);
    JsonFields scaling = fields.object("rope_scaling");
    read_scaling(scaling, family, max_positions, full);
  }
  if (!gemma) sliding = full;
  if (family == ModelFamily::kGemma3)
    sliding.theta = fields.number("rope_local_base_freq", kLeastTheta, kMostTheta, sliding.theta);
}

}  // namespace dspark
