#include "sim/demand/latency_response.h"

namespace dspark {

/// Usage that does not depend on waiting: batch jobs, and chat within a session as far as a controlled study
/// of waiting times up to 20 s saw (Tan et al., CHI 2026, arXiv 2604.06183).
class NoLatencyResponse final : public LatencyResponse {
 public:
  NoLatencyResponse(Parameters&, const SegmentContext&) {}
  double relative_volume(const Conditions&, const Conditions&) const override { return 1; }
};

template std::unique_ptr<const LatencyResponse> construct_latency_response<NoLatencyResponse>(
    Parameters&, const SegmentContext&);

}  // namespace dspark
