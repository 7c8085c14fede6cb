#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/random/random_key.h"
#include "sim/workload/drift.h"
#include "sim/workload/source.h"

namespace dspark {

/// Lengths of prompts or replies. Immutable; a length is a function of the key alone.
class LengthDistribution {
 public:
  virtual ~LengthDistribution() = default;
  /// Tokens, at least 1.
  virtual std::int32_t sample(RandomKey key, Stream stream, std::uint32_t source,
                              std::uint32_t ordinal) const = 0;
  /// A length known beforehand (a benchmark that ignores the end of text) limits the reply; others end it
  /// unforeseen.
  virtual bool known_beforehand() const { return false; }
};

template <class Lengths>
std::unique_ptr<const LengthDistribution> construct_lengths(Parameters& parameters) {
  return std::make_unique<const Lengths>(parameters);
}

struct LengthsEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<const LengthDistribution> (*construct)(Parameters&);
};
/// All of lengths/lengths.inc.
const std::vector<LengthsEntry>& length_distributions();

/// What requests look like: lengths, domain and temperature, a function of (source, ordinal), and where the
/// workload drifts of the time of arrival too: the coins stay the same, what they mean moves.
class RequestShapes {
 public:
  /// Reads prompt_tokens, output_tokens, max_output_tokens, shared_prefix, domains, temperature and drift
  /// from the workload's map; lengths only where `own_lengths` (a trace brings its own).
  RequestShapes(Parameters& workload, bool own_lengths);

  /// Fills lengths (where they are ours), prefix, domain and temperature; `spec.arrival` is set.
  void shape(RandomKey key, RequestSpec& spec) const;
  const std::vector<std::string>& domains() const { return domains_; }

 private:
  std::unique_ptr<const LengthDistribution> prompt_;
  std::unique_ptr<const LengthDistribution> output_;
  std::int32_t max_output_tokens_ = kUnlimited;
  std::int32_t shared_prefix_tokens_ = 0;
  std::uint32_t prefixes_ = 1;
  std::vector<std::string> domains_;
  std::optional<WorkloadDrift> drift_;
};

}  // namespace dspark
