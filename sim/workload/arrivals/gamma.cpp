#include "sim/random/variates.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

class GammaSource final : public OpenSource {
 public:
  GammaSource(const RequestShapes& shapes, RandomKey key, double rate, double shape)
      : OpenSource(shapes, key), rate_(rate), shape_(shape) {}

 protected:
  double gap(std::uint32_t ordinal) const override {
    return gamma_variate({key(), Stream::kArrival, 0, ordinal}, shape_) / rate_;
  }

 private:
  double rate_;
  double shape_;
};

}  // namespace

/// Open arrivals with gamma gaps: cv 1 is Poisson, above 1 bursts, below 1 more regular.
///
///     arrivals: {gamma: {rate: 4, cv: 3}}
class GammaArrivals final : public ArrivalProcess {
 public:
  explicit GammaArrivals(Parameters& parameters)
      : rate_(parameters.number("rate",
                                {.min = 1e-6, .max = 1e6, .unit = "requests/s", .meaning = "mean rate"})),
        cv_(parameters.number("cv",
                              {.min = 0.05, .max = 20, .meaning = "coefficient of variation of the gaps"})) {}

  std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const override {
    return std::make_unique<GammaSource>(shapes, key, rate_, 1 / (cv_ * cv_));
  }

 private:
  double rate_;
  double cv_;
};

template std::unique_ptr<const ArrivalProcess> construct_arrivals<GammaArrivals>(Parameters&);

}  // namespace dspark
