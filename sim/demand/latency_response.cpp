#include "sim/demand/latency_response.h"

namespace dspark {

#define LATENCY_RESPONSE(name, Class, meaning)                                              \
  class Class;                                                                              \
  extern template std::unique_ptr<const LatencyResponse> construct_latency_response<Class>( \
      Parameters&, const SegmentContext&);
#include "sim/demand/latency_responses.inc"
#undef LATENCY_RESPONSE

const std::vector<LatencyResponseEntry>& latency_responses() {
  static const std::vector<LatencyResponseEntry> entries = {
#define LATENCY_RESPONSE(name, Class, meaning) {#name, meaning, &construct_latency_response<Class>},
#include "sim/demand/latency_responses.inc"
#undef LATENCY_RESPONSE
  };
  return entries;
}

}  // namespace dspark
