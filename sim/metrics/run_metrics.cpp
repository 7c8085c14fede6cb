#include "sim/metrics/run_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "policies/invariant.h"

namespace dspark {

RunMetrics::RunMetrics(const StopRule& stop, const ServiceObjective& objective, int kv_blocks, int block_size,
                       int measured_rows)
    : stop_(stop),
      measured_rows_(measured_rows),
      objective_(objective),
      kv_blocks_(kv_blocks),
      positions_(static_cast<std::size_t>(block_size)),
      rounds_(static_cast<std::size_t>(block_size) + 1) {}

void RunMetrics::count_in_system(VirtualTime now, int change) {
  if (open()) in_system_seconds_ += static_cast<double>(in_system_) * to_seconds(now - in_system_since_);
  in_system_since_ = now;
  in_system_ += change;
}

void RunMetrics::arrived(const RequestSpec& spec) { count_in_system(spec.arrival, 1); }

void RunMetrics::rejected(const RequestSpec&) {
  if (open()) ++rejected_;
}

void RunMetrics::preempted(const RequestSpec&) {
  if (open()) ++preemptions_;
}

void RunMetrics::first_token_elsewhere(VirtualTime now, const RequestSpec&) {
  series_.add_token(now);
  if (open()) output_tokens_ += 1;
}

void RunMetrics::resumed(VirtualTime gap) {
  if (open()) itl_.add(to_seconds(gap));
}

void RunMetrics::finished(const FinishedRequest& request) {
  count_in_system(request.last_token, -1);
  const bool measured = open();
  ++finished_;
  if (!measured) {
    if (finished_ == stop_.warmup_requests) window_begin_ = request.last_token;
    return;
  }
  ++measured_;
  const double ttft = to_seconds(request.first_token - request.spec.arrival);
  ttft_.add(ttft);
  end_to_end_.add(to_seconds(request.last_token - request.spec.arrival));
  bool met = objective_.given && ttft <= objective_.ttft_seconds;
  if (request.output_tokens > 1 && request.last_token > request.first_token) {
    const double seconds = to_seconds(request.last_token - request.first_token);
    const double speed = (request.output_tokens - 1) / seconds;
    user_speed_.add(speed);
    tpot_.add(1 / speed);
    met = met && 1 / speed <= objective_.tpot_seconds;
  }
  met_objective_ += met ? 1 : 0;
  if (done()) close(request.last_token);
}

void RunMetrics::close(VirtualTime now) {
  if (closed_) return;
  count_in_system(now, 0);
  window_end_ = now;
  closed_ = true;
}

void RunMetrics::step_ended(const StepRecord& step) {
  series_.add(step);
  if (!open()) return;
  const double decode = step.decode_requests();
  const double seconds = to_seconds(step.end - std::max(step.begin, window_begin_));
  steps_ += 1;
  busy_seconds_ += seconds;
  step_seconds_.add(step.seconds);
  decode_rows_ += decode;
  prefill_rows_ += step.prefill_rows;
  drafted_ += std::accumulate(step.drafted.begin(), step.drafted.end(), 0);
  const double verified = std::accumulate(step.verified.begin(), step.verified.end(), 0);
  verified_ += verified;
  accepted_ += std::accumulate(step.accepted.begin(), step.accepted.end(), 0);
  const double rows = decode + step.draft_rows + step.prefill_rows;
  rows_ += rows;
  if (measured_rows_ > 0 && rows > measured_rows_) extrapolated_steps_ += 1;
  output_tokens_ += std::accumulate(step.delivered.begin(), step.delivered.end(), step.first_tokens);
  running_seconds_ += seconds * step.running_requests;
  waiting_seconds_ += seconds * step.waiting_requests;
  kv_seconds_ += seconds * step.kv_blocks_used;
  add_gaps(step);
  add_rounds(step);
}

void RunMetrics::add_gaps(const StepRecord& step) {
  // All who were served in the step before this one waited equally long: one weighted update serves them.
  const auto& previous_delivery = step.previous_delivery;
  if (previous_delivery.empty()) return;
  const VirtualTime common = previous_delivery.front();
  VirtualTime differs = 0;
  for (const VirtualTime previous : previous_delivery) differs |= previous ^ common;
  std::size_t together = previous_delivery.size();
  if (differs != 0) {
    for (const VirtualTime previous : previous_delivery) {
      if (previous == common) continue;
      itl_.add(to_seconds(step.end - previous));
      --together;
    }
  }
  itl_.add(to_seconds(step.end - common), static_cast<double>(together));
}

void RunMetrics::add_rounds(const StepRecord& step) {
  // Rounds by their lengths first, so that no row loops over its positions.
  const std::size_t rows = step.verified.size();
  const std::uint8_t* cut = step.cut.data();
  const int* accepted = step.accepted.data();
  const int* verified = step.verified.data();
  int whole = 0, tokens = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    const int uncut = 1 - cut[r];
    whole += uncut;
    tokens += -uncut & (accepted[r] + 1);
  }
  whole_rounds_ += whole;
  whole_round_tokens_ += tokens;
  if (step.draft_rows == 0) return;
  rounds_.assign(rounds_.size(), {});
  for (std::size_t r = 0; r < rows; ++r) {
    const int uncut = 1 - cut[r];
    rounds_[static_cast<std::size_t>(verified[r])].verified += uncut;
    rounds_[static_cast<std::size_t>(accepted[r])].accepted += uncut;
    rounds_[static_cast<std::size_t>(std::min(accepted[r] + 1, verified[r]))].reached += uncut;
  }
  RoundCounts longer;  // rounds that verified, accepted and reached position k + 1
  for (std::size_t k = positions_.size(); k-- > 0;) {
    longer.verified += rounds_[k + 1].verified;
    longer.accepted += rounds_[k + 1].accepted;
    longer.reached += rounds_[k + 1].reached;
    positions_[k].verified += longer.verified;
    positions_[k].accepted += longer.accepted;
    positions_[k].reached += longer.reached;
  }
  reliability_.add(step);
}

ReplicationResult RunMetrics::result() const {
  DSPARK_INVARIANT(closed_ && measured_ > 0);
  ReplicationResult result;
  const auto add = [&result](std::string name, double value) {
    if (std::isfinite(value)) result.metrics.push_back({std::move(name), value});
  };
  const auto add_quantiles = [&add](const std::string& name, const QuantileSketch& sketch) {
    if (sketch.weight() == 0) return;
    add(name + "_mean", sketch.mean());
    for (const int percent : {10, 50, 90, 99})
      add(fmt::format("{}_p{}", name, percent), sketch.quantile(percent / 100.0));
  };
  const double window = to_seconds(window_end_ - window_begin_);
  add("throughput", output_tokens_ / window);
  add("request_rate", static_cast<double>(measured_) / window);
  add_quantiles("user_speed", user_speed_);
  add_quantiles("ttft", ttft_);
  add_quantiles("tpot", tpot_);
  add_quantiles("itl", itl_);
  add_quantiles("end_to_end", end_to_end_);
  if (objective_.given) {
    add("goodput", met_objective_ / window);
    add("slo_attainment", met_objective_ / static_cast<double>(measured_));
  }
  if (whole_rounds_ > 0) add("accepted_length", whole_round_tokens_ / whole_rounds_);
  if (decode_rows_ > 0) {
    add("verification_length", verified_ / decode_rows_);
    add("draft_length", drafted_ / decode_rows_);
  }
  if (verified_ > 0) {
    add("acceptance_rate", accepted_ / verified_);
    add("wasted_share", (verified_ - accepted_) / verified_);
    add("wasted_per_output_token", (verified_ - accepted_) / output_tokens_);
  }
  if (reliability_.labels() > 0) add("confidence_ece", reliability_.expected_calibration_error());
  result.reliability = reliability_.bins();
  if (steps_ > 0) {
    add("batch_tokens", rows_ / steps_);
    add("extrapolated_steps", extrapolated_steps_ / steps_);
    add("prefill_tokens", prefill_rows_ / steps_);
    add("step_seconds_mean", step_seconds_.mean());
    add("step_seconds_p50", step_seconds_.quantile(0.5));
    add("step_seconds_p99", step_seconds_.quantile(0.99));
    add("running_requests", running_seconds_ / busy_seconds_);
    add("waiting_requests", waiting_seconds_ / busy_seconds_);
    add("kv_share", kv_seconds_ / busy_seconds_ / kv_blocks_);
  }
  add("busy_share", busy_seconds_ / window);
  add("requests_in_system", in_system_seconds_ / window);
  add("preemptions", static_cast<double>(preemptions_));
  add("rejected_requests", static_cast<double>(rejected_));
  add("measured_requests", static_cast<double>(measured_));
  add("window_seconds", window);
  for (std::size_t k = 0; k < positions_.size(); ++k) {
    const Position& p = positions_[k];
    if (p.reached > 0) add(fmt::format("acceptance.{}", k + 1), p.accepted / p.reached);
    if (p.verified > 0) add(fmt::format("survival.{}", k + 1), p.accepted / p.verified);
  }
  result.series = series_.windows(window_end_);
  return result;
}

}  // namespace dspark
