#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "policies/batching/batching_policy.h"
#include "policies/depth/depth_policy.h"
#include "sim/engine/engine.h"
#include "sim/event_queue.h"
#include "sim/random/random_key.h"
#include "sim/router.h"
#include "sim/trace_digest.h"
#include "sim/workload/source.h"

namespace dspark {

/// Price of a prompt that is computed elsewhere: fixed + per token, any number at once.
struct PrefillElsewherePrice {
  double fixed_seconds = 0;
  double seconds_per_token = 0;
};

/// A virtual clock, its pending events, a source of traffic and one or more replicas behind a router.
/// Everything that happens is a function of the key and the parts handed in; one thread drives it.
class Simulation final : public ArrivalSink {
 public:
  Simulation(RandomKey key, Source& source, Router& router, PrefillElsewherePrice prefill_elsewhere);
  ~Simulation() override;

  /// The parts must outlive the simulation. Before `run`.
  Engine& add_replica(const EngineOptions& options, const BatchingPolicy& batching, DepthPolicy& policy,
                      const StepCost& belief, Runner& runner);
  void watch(Watcher& watcher);

  enum class Stop { kFinished, kNothingLeft, kCancelled, kTooLong };
  /// Runs until `finished()` is true after an event, nothing is pending, `cancelled` is set, or the horizon
  /// is reached.
  Stop run(const std::function<bool()>& finished, const std::atomic<bool>* cancelled);

  VirtualTime now() const { return now_; }
  std::int64_t events() const { return events_; }
  const TraceDigest& digest() const { return digest_; }
  std::int64_t arrived() const { return arrived_; }
  std::int64_t rejected() const { return rejected_; }

  void emit(const RequestSpec& spec) override;

 private:
  struct Replica;

  void dispatch(const Event& event);
  void arrive(const RequestSpec& spec);
  void start_step(std::int32_t replica);
  void schedule_step(std::int32_t replica);

  RandomKey key_;
  Source& source_;
  Router& router_;
  PrefillElsewherePrice prefill_elsewhere_;
  EventQueue events_pending_;
  VirtualTime now_ = 0;
  std::int64_t events_ = 0;
  std::int64_t arrived_ = 0;
  std::int64_t rejected_ = 0;
  TraceDigest digest_;
  std::vector<RequestSpec> pending_arrivals_;  // slots named by kArrival events
  std::vector<std::int32_t> free_arrivals_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Watcher*> watchers_;
};

}  // namespace dspark
