#include "sim/demand/growth/diffusion.h"

#include <algorithm>

#include "policies/elementary.h"

namespace dspark {
namespace {

double logistic(double x) { return 1 / (1 + exp_portable(-x)); }

double read_from(Parameters& parameters) {
  return parameters.number(
      "from", {.min = 0, .max = 1000, .default_value = 0, .unit = "years", .meaning = "when it begins"});
}

}  // namespace

Diffusion::Diffusion(Parameters& parameters, std::string_view name, std::string_view meaning) {
  Selection kind = parameters.one_of(name, {"at_once", "logistic", "bass"}, meaning, "at_once");
  Parameters& p = kind.parameters;
  if (kind.name == "logistic") {
    kind_ = Kind::kLogistic;
    from_ = read_from(p);
    half_after_ =
        p.number("half_after",
                 {.min = 0.01, .max = 1000, .unit = "years", .meaning = "from its beginning to one half"});
    years_ = p.number("years",
                      {.min = 0.01, .max = 1000, .unit = "years", .meaning = "from a tenth to nine tenths"});
  } else if (kind.name == "bass") {
    kind_ = Kind::kBass;
    from_ = read_from(p);
    innovation_ = p.number(
        "innovation",
        {.min = 1e-6, .max = 100, .unit = "1/year", .meaning = "p: adopters whom nobody had to convince"});
    imitation_ =
        p.number("imitation",
                 {.min = 0, .max = 100, .unit = "1/year", .meaning = "q: adopters whom adopters convince"});
  } else {
    from_ = read_from(p);
  }
}

double Diffusion::share(double years) const {
  const double t = years - from_;
  if (t < 0) return 0;
  if (kind_ == Kind::kLogistic) {
    const double steepness = 2 * log_portable(9.0) / years_;  // from 1/10 to 9/10
    const double at_start = logistic(-steepness * half_after_);
    return std::max(0.0, (logistic(steepness * (t - half_after_)) - at_start) / (1 - at_start));
  }
  if (kind_ == Kind::kBass) {
    const double left = exp_portable(-(innovation_ + imitation_) * t);
    return (1 - left) / (1 + imitation_ / innovation_ * left);
  }
  return 1;
}

}  // namespace dspark
