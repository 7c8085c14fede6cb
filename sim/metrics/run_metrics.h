#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/watcher.h"
#include "sim/metrics/confidence_reliability.h"
#include "sim/metrics/quantile_sketch.h"
#include "sim/metrics/time_series.h"
#include "sim/scenario.h"

namespace dspark {

/// When measuring starts and stops, in finished requests.
struct StopRule {
  std::int64_t requests = 2000;        // measured
  std::int64_t warmup_requests = 200;  // finished before measuring starts
};

/// Latency targets of a reply; goodput counts the requests that meet both.
struct ServiceObjective {
  bool given = false;
  double ttft_seconds = 0;
  double tpot_seconds = 0;
};

/// All metrics of docs/metrics.md over the measured window, which opens when the last warm-up request
/// finishes and closes when the last measured one does. Constant memory.
class RunMetrics final : public Watcher {
 public:
  /// `measured_rows`: rows up to which step costs were measured; 0: there is no such limit.
  RunMetrics(const StopRule& stop, const ServiceObjective& objective, int kv_blocks, int block_size,
             int measured_rows = 0);

  bool done() const { return finished_ >= stop_.warmup_requests + stop_.requests; }
  std::int64_t finished_requests() const { return finished_; }
  std::int64_t measured_requests() const { return measured_; }
  /// Closes the window where the workload ended before the stop rule did.
  void close(VirtualTime now);
  /// False where the window begins and ends at the same instant.
  bool has_width() const { return window_end_ > window_begin_; }
  /// Metrics, series and reliability; digest and events are the caller's. At least one request must be
  /// measured.
  ReplicationResult result() const;

  void arrived(const RequestSpec& spec) override;
  void rejected(const RequestSpec& spec) override;
  void preempted(const RequestSpec& spec) override;
  void first_token_elsewhere(VirtualTime now, const RequestSpec& spec) override;
  void resumed(VirtualTime gap) override;
  void finished(const FinishedRequest& request) override;
  void step_ended(const StepRecord& step) override;

 private:
  template <class Count>
  struct Counts {
    Count verified = 0;  // rounds that verified this position
    Count accepted = 0;  // and accepted it, with all before it
    Count reached = 0;   // verified it with all before it accepted
  };
  using Position = Counts<double>;
  using RoundCounts = Counts<int>;  // of one step, by the number of positions: not yet summed up

  bool open() const { return finished_ >= stop_.warmup_requests && !closed_; }
  void count_in_system(VirtualTime now, int change);
  void add_rounds(const StepRecord& step);
  void add_gaps(const StepRecord& step);

  StopRule stop_;
  double measured_rows_ = 0;
  double extrapolated_steps_ = 0;
  ServiceObjective objective_;
  int kv_blocks_;

  std::int64_t finished_ = 0;
  std::int64_t measured_ = 0;
  bool closed_ = false;
  VirtualTime window_begin_ = 0;
  VirtualTime window_end_ = 0;

  double output_tokens_ = 0;
  double met_objective_ = 0;
  std::int64_t preemptions_ = 0;
  std::int64_t rejected_ = 0;
  std::int64_t in_system_ = 0;
  VirtualTime in_system_since_ = 0;
  double in_system_seconds_ = 0;  // ∫ requests in the system over the window

  double steps_ = 0;
  double busy_seconds_ = 0;
  double rows_ = 0;
  double prefill_rows_ = 0;
  double decode_rows_ = 0;  // decoding requests, summed over steps
  double drafted_ = 0;
  double verified_ = 0;
  double accepted_ = 0;
  double running_seconds_ = 0;
  double waiting_seconds_ = 0;
  double kv_seconds_ = 0;
  double whole_rounds_ = 0;  // rounds that the end of a reply cannot cut
  double whole_round_tokens_ = 0;
  std::vector<Position> positions_;
  std::vector<RoundCounts> rounds_;  // (γ + 1), of the step at hand
  ConfidenceReliability reliability_;

  QuantileSketch user_speed_, ttft_, tpot_, itl_, end_to_end_, step_seconds_;
  TimeSeries series_;
};

}  // namespace dspark
