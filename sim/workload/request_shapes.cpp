#include "sim/workload/request_shapes.h"

#include <algorithm>
#include <cmath>

#include "sim/random/variates.h"

namespace dspark {

#define LENGTHS(name, Class, meaning) \
  class Class;                        \
  extern template std::unique_ptr<const LengthDistribution> construct_lengths<Class>(Parameters&);
#include "sim/workload/lengths/lengths.inc"
#undef LENGTHS

const std::vector<LengthsEntry>& length_distributions() {
  static const std::vector<LengthsEntry> entries = {
#define LENGTHS(name, Class, meaning) {#name, meaning, &construct_lengths<Class>},
#include "sim/workload/lengths/lengths.inc"
#undef LENGTHS
  };
  return entries;
}

namespace {

constexpr double kLongestPrompt = 1 << 30;

std::unique_ptr<const LengthDistribution> read_lengths(Parameters& workload, const char* name,
                                                       const char* meaning) {
  std::vector<std::string> names;
  for (const LengthsEntry& entry : length_distributions()) names.push_back(entry.name);
  Selection selection = workload.one_of(name, names, meaning);
  for (const LengthsEntry& entry : length_distributions()) {
    if (entry.name == selection.name) return entry.construct(selection.parameters);
  }
  return nullptr;
}

}  // namespace

RequestShapes::RequestShapes(Parameters& workload, bool own_lengths) {
  if (own_lengths) {
    prompt_ = read_lengths(workload, "prompt_tokens", "lengths of prompts");
    output_ = read_lengths(workload, "output_tokens", "lengths of replies");
  }
  max_output_tokens_ = static_cast<std::int32_t>(
      workload.integer("max_output_tokens", {.min = 1,
                                             .max = kUnlimited,
                                             .default_value = kUnlimited,
                                             .unit = "tokens",
                                             .meaning = "known limit of every reply"}));
  if (workload.given("shared_prefix") || workload.is_describing()) {
    Parameters shared =
        workload.group("shared_prefix", "beginning that prompts have in common, as a system prompt");
    shared_prefix_tokens_ = static_cast<std::int32_t>(
        shared.integer("tokens", {.min = 1,
                                  .max = 1 << 30,
                                  .unit = "tokens",
                                  .meaning = "of each prompt; a shorter prompt is the beginning of it"}));
    prefixes_ = static_cast<std::uint32_t>(shared.integer(
        "prefixes",
        {.min = 1, .max = 1 << 20, .default_value = 1, .meaning = "so many different ones, each as likely"}));
  }
  DomainWeights mix =
      read_domain_weights(workload, "domains", "names and weights of the domains that requests mix");
  const double temperature = workload.number(
      "temperature",
      {.min = 0, .max = 10, .default_value = 1, .meaning = "sampling temperature of requests"});
  domains_ = std::move(mix.names);
  drift_.emplace(workload, domains_, std::move(mix.weights), temperature, own_lengths);
}

void RequestShapes::shape(RandomKey key, RequestSpec& spec) const {
  if (prompt_) {
    const double length = prompt_->sample(key, Stream::kPromptLength, spec.source, spec.ordinal) *
                          drift_->prompt_factor(spec.arrival);
    spec.prompt_tokens = static_cast<std::int32_t>(std::clamp(std::round(length), 1.0, kLongestPrompt));
  }
  if (output_) {
    const std::int32_t length = output_->sample(key, Stream::kOutputLength, spec.source, spec.ordinal);
    (output_->known_beforehand() ? spec.output_limit : spec.output_end) = length;
  }
  spec.output_limit = std::min(spec.output_limit, max_output_tokens_);
  if (shared_prefix_tokens_ > 0) {
    const double u = uniform_variate({key, Stream::kPrefix, spec.source, spec.ordinal});
    spec.prefix = std::min(prefixes_ - 1, static_cast<std::uint32_t>(u * prefixes_));
    spec.shared_prefix_tokens = std::min(shared_prefix_tokens_, spec.prompt_tokens);
  }
  if (domains_.size() > 1) {
    const double u = uniform_variate({key, Stream::kDomain, spec.source, spec.ordinal});
    spec.domain = drift_->domain(spec.arrival, u);
  }
  spec.temperature = static_cast<float>(drift_->temperature(spec.arrival));
}

}  // namespace dspark
