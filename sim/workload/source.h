#pragma once

#include <cstdint>
#include <limits>

#include "sim/virtual_time.h"

namespace dspark {

constexpr std::int32_t kUnlimited = std::numeric_limits<std::int32_t>::max();

/// A request as its source describes it. (source, ordinal) is its identity, in every draw: the same users,
/// prompts and think times whatever the policy. Fields that a workload does not use keep their defaults and
/// cost nothing.
struct RequestSpec {
  VirtualTime arrival = 0;
  std::uint32_t source = 0;   // a user, or the stream of an open source
  std::uint32_t ordinal = 0;  // counts the requests of that source; a retry is a new ordinal
  std::int32_t prompt_tokens = 1;
  std::int32_t output_limit = kUnlimited;  // known beforehand: caps the blocks of the reply
  std::int32_t output_end = kUnlimited;    // hidden: where the model would end its text
  std::int32_t domain = 0;
  std::uint32_t prefix = 0;               // prompts of the same one begin alike
  std::int32_t shared_prefix_tokens = 0;  // of the prompt, with all others of that prefix; <= prompt_tokens
  std::int32_t tenant = 0;
  std::int32_t priority = 0;
  float temperature = 1;

  /// Of the shared prefix, what others may have computed: all but its last token. What drafters keep of a
  /// position may depend on the token behind it, and a prompt's last row has to be computed for its reply.
  std::int32_t reusable_prefix_tokens() const {
    return shared_prefix_tokens > 0 ? shared_prefix_tokens - 1 : 0;
  }
  std::int32_t output_tokens() const { return output_limit < output_end ? output_limit : output_end; }
};

/// Takes the arrivals that a source emits.
class ArrivalSink {
 public:
  virtual ~ArrivalSink() = default;
  /// `spec.arrival` must not lie in the past.
  virtual void emit(const RequestSpec& spec) = 0;
};

/// A run's traffic. It is told of everything that happens to its requests and may emit more: open arrivals,
/// closed loops, sessions and agents are this one hook. One object serves one run.
class Source {
 public:
  virtual ~Source() = default;
  /// Emits the first arrivals, at time 0 or later.
  virtual void start(ArrivalSink& sink) = 0;
  /// `spec` arrives now.
  virtual void arrived(const RequestSpec& spec, ArrivalSink& sink) = 0;
  virtual void finished(const RequestSpec& spec, VirtualTime now, ArrivalSink& sink) = 0;
  /// The system refused the request (it would never fit).
  virtual void lost(const RequestSpec& spec, VirtualTime now, ArrivalSink& sink) = 0;
};

}  // namespace dspark
