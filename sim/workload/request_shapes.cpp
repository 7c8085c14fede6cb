#include "sim/workload/request_shapes.h"

#include <algorithm>

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
  const Value* weights =
      workload.raw("domains", "map of weights", "names and weights of the domains that requests mix");
  if (weights == nullptr) return;
  if (weights->map() == nullptr || weights->map()->empty()) {
    workload.add_error("'domains' must be a map of weights", weights->position,
                       "for example {math: 1, chat: 2}");
    return;
  }
  double total = 0;
  for (const Value::Entry& entry : *weights->map()) {
    const auto weight = entry.value.scalar() ? parse_number(*entry.value.scalar()) : std::nullopt;
    if (!weight || *weight <= 0 || *weight > 1e6) {
      workload.add_error("the weight of domain '" + entry.key + "' must be a number above 0",
                         entry.value.position);
      return;
    }
    domains_.push_back(entry.key);
    domain_upper_.push_back(total += *weight);
  }
  for (double& upper : domain_upper_) upper /= total;
  domain_upper_.back() = 1;
}

void RequestShapes::shape(RandomKey key, RequestSpec& spec) const {
  if (prompt_) spec.prompt_tokens = prompt_->sample(key, Stream::kPromptLength, spec.source, spec.ordinal);
  if (output_) {
    const std::int32_t length = output_->sample(key, Stream::kOutputLength, spec.source, spec.ordinal);
    (output_->known_beforehand() ? spec.output_limit : spec.output_end) = length;
  }
  spec.output_limit = std::min(spec.output_limit, max_output_tokens_);
  if (domain_upper_.size() > 1) {
    const double u = uniform_variate({key, Stream::kDomain, spec.source, spec.ordinal});
    const auto found = std::upper_bound(domain_upper_.begin(), domain_upper_.end() - 1, u);
    spec.domain = static_cast<std::int32_t>(found - domain_upper_.begin());
  }
}

}  // namespace dspark
