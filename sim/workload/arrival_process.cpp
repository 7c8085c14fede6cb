#include "sim/workload/arrival_process.h"

namespace dspark {

#define ARRIVALS(name, Class, meaning) \
  class Class;                         \
  extern template std::unique_ptr<const ArrivalProcess> construct_arrivals<Class>(Parameters&);
#include "sim/workload/arrivals/arrivals.inc"
#undef ARRIVALS

const std::vector<ArrivalEntry>& arrival_processes() {
  static const std::vector<ArrivalEntry> entries = {
#define ARRIVALS(name, Class, meaning) {#name, meaning, &construct_arrivals<Class>},
#include "sim/workload/arrivals/arrivals.inc"
#undef ARRIVALS
  };
  return entries;
}

void OpenSource::emit_next(VirtualTime after, std::uint32_t ordinal, ArrivalSink& sink) {
  RequestSpec spec;
  spec.arrival = after + to_virtual_time(gap(ordinal));
  spec.ordinal = ordinal;
  shapes_.shape(key_, spec);
  sink.emit(spec);
}

}  // namespace dspark
