#include "sim/random/variates.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

class PoissonSource final : public OpenSource {
 public:
  PoissonSource(const RequestShapes& shapes, RandomKey key, double rate)
      : OpenSource(shapes, key), rate_(rate) {}

 protected:
  double gap(std::uint32_t ordinal) const override {
    return exponential_variate({key(), Stream::kArrival, 0, ordinal}) / rate_;
  }

 private:
  double rate_;
};

}  // namespace

/// Open arrivals with exponential gaps.
///
///     arrivals: {poisson: {rate: 4}}
class PoissonArrivals final : public ArrivalProcess {
 public:
  explicit PoissonArrivals(Parameters& parameters)
      : rate_(parameters.number("rate",
                                {.min = 1e-6, .max = 1e6, .unit = "requests/s", .meaning = "mean rate"})) {}

  std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const override {
    return std::make_unique<PoissonSource>(shapes, key, rate_);
  }

 private:
  double rate_;
};

template std::unique_ptr<const ArrivalProcess> construct_arrivals<PoissonArrivals>(Parameters&);

}  // namespace dspark
