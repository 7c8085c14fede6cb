#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/demand/demand_form.h"

namespace dspark {

/// How the number of requests answers to waiting and to user speed: a factor on the volume that its form
/// gives for the price. Immutable.
class LatencyResponse {
 public:
  virtual ~LatencyResponse() = default;
  /// 1 where `now` equals `base`, never negative.
  virtual double relative_volume(const Conditions& now, const Conditions& base) const = 0;
  /// The user speed in tokens/s below which there are no requests; 0 where there is no such speed.
  virtual double least_user_speed() const { return 0; }
};

template <class Response>
std::unique_ptr<const LatencyResponse> construct_latency_response(Parameters& parameters,
                                                                  const SegmentContext& context) {
  return std::make_unique<const Response>(parameters, context);
}

struct LatencyResponseEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<const LatencyResponse> (*construct)(Parameters&, const SegmentContext&);
};
/// All of latency_responses.inc.
const std::vector<LatencyResponseEntry>& latency_responses();

}  // namespace dspark
