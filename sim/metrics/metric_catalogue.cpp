#include "sim/scenario.h"

namespace dspark {
namespace {

void add_quantiles(std::vector<MetricInfo>& catalogue, const std::string& name, const std::string& unit,
                   const std::string& description) {
  catalogue.push_back({name + "_mean", unit, description + ", mean"});
  for (const char* percent : {"10", "50", "90", "99"}) {
    catalogue.push_back({name + "_p" + percent, unit, description + ", " + percent + " % are at most this"});
  }
}

std::vector<MetricInfo> make_catalogue() {
  std::vector<MetricInfo> c;
  c.push_back({"throughput", "tokens/s", "output tokens delivered in the measured window, per second"});
  c.push_back({"request_rate", "requests/s", "requests finished in the window, per second"});
  add_quantiles(c, "user_speed", "tokens/s",
                "(output tokens - 1) / (last token's time - first token's), by request");
  add_quantiles(c, "ttft", "s", "time from arrival to the first token");
  add_quantiles(c, "tpot", "s", "1 / user speed");
  add_quantiles(c, "itl", "s",
                "time between deliveries of a request's rounds, each of which may bring several tokens");
  add_quantiles(c, "end_to_end", "s", "time from arrival to the last token");
  c.push_back(
      {"goodput", "requests/s", "finished requests that met the TTFT and TPOT objectives, per second"});
  c.push_back({"slo_attainment", "1", "share of finished requests that met the objectives"});
  c.push_back({"accepted_length", "tokens",
               "τ: tokens per round, bonus token included, over rounds that started "
               "more than a whole block before the reply's end, so that it cannot cut them"});
  c.push_back({"verification_length", "tokens",
               "draft tokens verified per decoding request and step (anchor not "
               "counted)"});
  c.push_back({"draft_length", "tokens", "tokens drafted per decoding request and step"});
  c.push_back({"acceptance_rate", "1", "accepted / verified draft tokens"});
  c.push_back({"wasted_share", "1", "rejected / verified draft tokens"});
  c.push_back({"wasted_per_output_token", "1", "rejected draft tokens per output token"});
  c.push_back({"confidence_ece", "1",
               "expected calibration error of the conditional confidence over verified "
               "positions, 20 equal-width bins weighted by count"});
  c.push_back({"batch_tokens", "tokens", "rows of a step: anchors, draft tokens and prompt rows"});
  c.push_back({"extrapolated_steps", "1",
               "share of steps with more rows than the largest size of the verify_cost table: their price is "
               "extrapolated"});
  c.push_back({"prefill_tokens", "tokens", "prompt rows of a step"});
  c.push_back({"step_seconds_mean", "s", "duration of a step, mean"});
  c.push_back({"step_seconds_p50", "s", "duration of a step, median"});
  c.push_back({"step_seconds_p99", "s", "duration of a step, 99 % are at most this"});
  c.push_back({"running_requests", "requests", "decoding or prefilling, mean over busy time"});
  c.push_back({"waiting_requests", "requests", "waiting for admission, mean over busy time"});
  c.push_back({"kv_share", "1", "share of KV blocks in use, mean over busy time"});
  c.push_back({"busy_share", "1", "share of the window in which a step was in progress"});
  c.push_back({"requests_in_system", "requests", "arrived and not finished, mean over the window"});
  c.push_back({"preemptions", "requests", "preemptions by recompute in the window"});
  c.push_back(
      {"rejected_requests", "requests", "requests that would never fit into the KV cache, in the window"});
  c.push_back({"measured_requests", "requests", "requests that finished in the window"});
  c.push_back({"window_seconds", "s", "length of the measured window, virtual time"});
  c.push_back({"acceptance", "1",
               "share accepted at draft position k, among rounds that verified it and accepted all "
               "before it",
               true});
  c.push_back(
      {"survival", "1", "share of rounds that accepted positions 1..k, among rounds that verified k", true});
  return c;
}

}  // namespace

const std::vector<MetricInfo>& metric_catalogue() {
  static const std::vector<MetricInfo> catalogue = make_catalogue();
  return catalogue;
}

}  // namespace dspark
