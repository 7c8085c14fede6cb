#include <algorithm>
#include <cmath>

#include "sim/random/variates.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

class ClosedLoopSource final : public Source {
 public:
  ClosedLoopSource(const RequestShapes& shapes, RandomKey key, int users, double think_seconds)
      : shapes_(shapes), key_(key), users_(users), think_seconds_(think_seconds) {}

  void start(ArrivalSink& sink) override {
    for (int user = 0; user < users_; ++user) {
      RequestSpec spec = request(static_cast<std::uint32_t>(user), 0, 0);
      // First replies have random residual lengths, or equal replies that start together end together for
      // ever.
      const double share = uniform_variate({key_, Stream::kInitialPhase, spec.source, 0});
      for (std::int32_t* length : {&spec.output_limit, &spec.output_end}) {
        if (*length != kUnlimited)
          *length = std::max(1, static_cast<std::int32_t>(std::ceil(share * *length)));
      }
      sink.emit(spec);
    }
  }
  void arrived(const RequestSpec&, ArrivalSink&) override {}
  void finished(const RequestSpec& spec, VirtualTime now, ArrivalSink& sink) override {
    emit_next(spec, now, sink);
  }
  void lost(const RequestSpec& spec, VirtualTime now, ArrivalSink& sink) override {
    emit_next(spec, now, sink);
  }

 private:
  RequestSpec request(std::uint32_t user, std::uint32_t ordinal, VirtualTime arrival) const {
    RequestSpec spec;
    spec.source = user;
    spec.ordinal = ordinal;
    spec.arrival = arrival;
    shapes_.shape(key_, spec);
    return spec;
  }
  void emit_next(const RequestSpec& last, VirtualTime now, ArrivalSink& sink) {
    const std::uint32_t ordinal = last.ordinal + 1;
    VirtualTime think = 0;
    if (think_seconds_ > 0) {
      think = to_virtual_time(think_seconds_ *
                              exponential_variate({key_, Stream::kArrival, last.source, ordinal}));
    }
    sink.emit(request(last.source, ordinal, now + think));
  }

  const RequestShapes& shapes_;
  RandomKey key_;
  int users_;
  double think_seconds_;
};

}  // namespace

/// N users who each have one request in the system or think. With `think_seconds: 0` the concurrency is N.
///
///     arrivals: {closed_loop: {users: 32}}
class ClosedLoop final : public ArrivalProcess {
 public:
  explicit ClosedLoop(Parameters& parameters)
      : users_(static_cast<int>(
            parameters.integer("users", {.min = 1, .max = 1 << 20, .unit = "users", .meaning = "users"}))),
        think_seconds_(
            parameters.number("think_seconds", {.min = 0,
                                                .max = 1e6,
                                                .default_value = 0,
                                                .unit = "s",
                                                .meaning = "mean time between a reply's end and the "
                                                           "user's next request, exponential"})) {}

  std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const override {
    return std::make_unique<ClosedLoopSource>(shapes, key, users_, think_seconds_);
  }
  int users() const override { return users_; }

 private:
  int users_;
  double think_seconds_;
};

template std::unique_ptr<const ArrivalProcess> construct_arrivals<ClosedLoop>(Parameters&);

}  // namespace dspark
