#include "sim/simulation.h"

#include <numeric>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

/// Policy coins: a stream of their own, keyed by replica and step.
class StepCoins final : public CoinStream {
 public:
  StepCoins(RandomKey key, std::uint32_t replica) : key_(key), replica_(replica) {}
  void start_step(std::int64_t step) {
    step_ = static_cast<std::uint32_t>(step);
    used_ = 0;
  }
  double uniform() override {
    const std::uint32_t group = used_ / 4;
    const RandomWords words = draw_words(key_, Stream::kPolicyCoin, replica_, step_, 0, 0, group);
    return uniform_from_bits(words[used_++ % 4]);
  }

 private:
  RandomKey key_;
  std::uint32_t replica_;
  std::uint32_t step_ = 0;
  std::uint32_t used_ = 0;
};

}  // namespace

struct Simulation::Replica final : EngineHost {
  Replica(Simulation& owner, std::int32_t own_index, const EngineOptions& options,
          const BatchingPolicy& batching, DepthPolicy& policy, const StepCost& belief, Runner& runner)
      : simulation(owner),
        index(own_index),
        coins(owner.key_, static_cast<std::uint32_t>(own_index)),
        engine(options, batching, policy, belief, runner, *this, coins) {}

  void prefill_elsewhere(RequestId id, int tokens) override {
    const PrefillElsewherePrice& price = simulation.prefill_elsewhere_;
    const double seconds = price.fixed_seconds + price.seconds_per_token * tokens;
    simulation.events_pending_.push(simulation.now_ + to_virtual_time(seconds), EventKind::kPrefillDone,
                                    index, static_cast<std::int32_t>(id));
  }
  void request_finished(const RequestSpec& spec) override {
    simulation.source_.finished(spec, simulation.now_, simulation);
  }

  Simulation& simulation;
  std::int32_t index;
  StepCoins coins;
  Engine engine;
  bool step_scheduled = false;
};

Simulation::Simulation(RandomKey key, Source& source, Router& router, PrefillElsewherePrice prefill_elsewhere)
    : key_(key), source_(source), router_(router), prefill_elsewhere_(prefill_elsewhere) {}
Simulation::~Simulation() = default;

Engine& Simulation::add_replica(const EngineOptions& options, const BatchingPolicy& batching,
                                DepthPolicy& policy, const StepCost& belief, Runner& runner) {
  const auto index = static_cast<std::int32_t>(replicas_.size());
  replicas_.push_back(std::make_unique<Replica>(*this, index, options, batching, policy, belief, runner));
  return replicas_.back()->engine;
}

void Simulation::watch(Watcher& watcher) {
  watchers_.push_back(&watcher);
  for (const auto& replica : replicas_) replica->engine.watch(watcher);
}

void Simulation::emit(const RequestSpec& spec) {
  DSPARK_INVARIANT(spec.arrival >= now_ && spec.prompt_tokens >= 1 && spec.output_tokens() >= 1);
  if (free_arrivals_.empty()) {
    free_arrivals_.push_back(static_cast<std::int32_t>(pending_arrivals_.size()));
    pending_arrivals_.emplace_back();
  }
  const std::int32_t slot = free_arrivals_.back();
  free_arrivals_.pop_back();
  pending_arrivals_[static_cast<std::size_t>(slot)] = spec;
  events_pending_.push(spec.arrival, EventKind::kArrival, slot);
}

Simulation::Stop Simulation::run(const std::function<bool()>& finished, const std::atomic<bool>* cancelled) {
  source_.start(*this);
  while (const auto event = events_pending_.next()) {
    DSPARK_INVARIANT(event->time >= now_);
    if (event->time >= kHorizon) return Stop::kTooLong;
    now_ = event->time;
    invariant_context().nanoseconds = now_;
    ++events_;
    dispatch(*event);
    if (finished()) return Stop::kFinished;
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return Stop::kCancelled;
  }
  return Stop::kNothingLeft;
}

void Simulation::dispatch(const Event& event) {
  digest_.add(std::array<std::int64_t, 3>{event.time, static_cast<std::int64_t>(event.kind), event.a});
  switch (event.kind) {
    case EventKind::kArrival: {
      const RequestSpec spec = pending_arrivals_[static_cast<std::size_t>(event.a)];
      free_arrivals_.push_back(event.a);
      arrive(spec);
      break;
    }
    case EventKind::kPrefillDone: {
      const auto replica = event.a;
      replicas_[static_cast<std::size_t>(replica)]->engine.prefill_done(RequestId{event.b}, now_);
      schedule_step(replica);
      break;
    }
    case EventKind::kStepStart:
      start_step(event.a);
      break;
    case EventKind::kStepEnd:
      replicas_[static_cast<std::size_t>(event.a)]->engine.end_step(now_);
      schedule_step(event.a);
      break;
  }
}

void Simulation::arrive(const RequestSpec& spec) {
  ++arrived_;
  source_.arrived(spec, *this);
  const std::size_t target = router_.route(spec, replicas_.size());
  Engine& engine = replicas_[target]->engine;
  digest_.add(std::array<std::int64_t, 3>{spec.source, spec.ordinal, spec.prompt_tokens});
  if (!engine.fits(spec)) {
    ++rejected_;
    for (Watcher* watcher : watchers_) watcher->rejected(spec);
    source_.lost(spec, now_, *this);
    return;
  }
  engine.submit(spec);
  schedule_step(static_cast<std::int32_t>(target));
}

void Simulation::schedule_step(std::int32_t index) {
  Replica& replica = *replicas_[static_cast<std::size_t>(index)];
  if (replica.step_scheduled || replica.engine.step_in_progress() || !replica.engine.has_work()) return;
  replica.step_scheduled = true;
  events_pending_.push(now_, EventKind::kStepStart, index);
}

void Simulation::start_step(std::int32_t index) {
  Replica& replica = *replicas_[static_cast<std::size_t>(index)];
  replica.step_scheduled = false;
  replica.coins.start_step(replica.engine.steps());
  const auto seconds = replica.engine.begin_step(now_);
  if (!seconds) return;
  digest_.add(replica.engine.step_trace());
  events_pending_.push(now_ + std::max<VirtualTime>(1, to_virtual_time(*seconds)), EventKind::kStepEnd,
                       index);
}

}  // namespace dspark
