#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/random/random_key.h"
#include "sim/workload/request_shapes.h"
#include "sim/workload/source.h"

namespace dspark {

/// When requests arrive. Immutable and shared; `start` makes the source of one run, which refers to the
/// process and the shapes.
class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;
  virtual std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const = 0;
  /// True where the arrivals bring their own lengths (a trace).
  virtual bool brings_lengths() const { return false; }
  /// Users of a closed loop, for the default warm-up; 0 for open arrivals.
  virtual int users() const { return 0; }
  /// Mean requests/s of a trace as it was recorded; 0 of anything else.
  virtual double recorded_rate() const { return 0; }
};

template <class Process>
std::unique_ptr<const ArrivalProcess> construct_arrivals(Parameters& parameters) {
  return std::make_unique<const Process>(parameters);
}

struct ArrivalEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<const ArrivalProcess> (*construct)(Parameters&);
};
/// All of arrivals/arrivals.inc.
const std::vector<ArrivalEntry>& arrival_processes();

/// Open arrivals with independent gaps; `gap` gives the seconds before arrival `ordinal`.
class OpenSource : public Source {
 public:
  OpenSource(const RequestShapes& shapes, RandomKey key) : shapes_(shapes), key_(key) {}
  void start(ArrivalSink& sink) override { emit_next(0, 0, sink); }
  void arrived(const RequestSpec& spec, ArrivalSink& sink) override {
    emit_next(spec.arrival, spec.ordinal + 1, sink);
  }
  void finished(const RequestSpec&, VirtualTime, ArrivalSink&) override {}
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override {}

 protected:
  virtual double gap(std::uint32_t ordinal) const = 0;
  RandomKey key() const { return key_; }

 private:
  void emit_next(VirtualTime after, std::uint32_t ordinal, ArrivalSink& sink);

  const RequestShapes& shapes_;
  RandomKey key_;
};

}  // namespace dspark
