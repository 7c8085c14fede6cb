#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/engine/watcher.h"

namespace dspark {

/// One promise to users: "95 % of the requests have their first token within 0.3 s". A quantile of a
/// latency stays below its limit exactly when the share of requests within the limit is at least the
/// quantile; shares are means, so replications of any length estimate them without bias.
struct ServiceLimit {
  enum class Quantity { kTtft, kTpot, kEndToEnd, kUserSpeed };
  std::string name = {};  // as the file writes it: ttft_p95_ms
  Quantity quantity = Quantity::kTtft;
  double limit = 0;  // seconds, or tokens/s for kUserSpeed
  double required =
      0;  // share of requests within the limit, 0 < required < 1; 0: the mean user speed instead

  bool of_mean() const { return required == 0; }
};

/// What one replication says of one limit.
struct LimitReading {
  double margin = 0;  // share within the limit - required, or mean speed / limit - 1: positive where it holds
  double value = 0;   // the quantile or mean itself, in the limit's unit
  /// Standard deviation of the margin between replications that independent requests would have at the limit;
  /// requests of one replica that wait for each other have no smaller one. 0 where no such bound is known.
  double least_deviation = 0;
};

/// What one replication of a replica at one load says.
struct ReplicaObservation {
  std::vector<LimitReading> limits = {};  // in the order of the limits
  double busy_share = 0;                  // of the replica's time
  double user_speed = 0;                  // mean, tokens/s
  std::string error = {};                 // not empty: it could not be served, and why
};

/// Measures limits over the requests that finish after the warm-up. A request that the KV cache rejects
/// misses every limit of a share.
class LimitWatcher final : public Watcher {
 public:
  LimitWatcher(std::span<const ServiceLimit> limits, std::int64_t warmup_requests, std::int64_t requests);
  void rejected(const RequestSpec& spec) override;
  void finished(const FinishedRequest& request) override;
  /// One reading for each limit. A limit that no request can say anything of (TPOT of replies of one token)
  /// holds.
  std::vector<LimitReading> readings() const;

 private:
  std::span<const ServiceLimit> limits_;
  std::int64_t warmup_;
  std::int64_t requests_;
  std::int64_t finished_ = 0;
  std::int64_t rejected_ = 0;
  std::vector<std::vector<double>> values_;  // by limit, of every measured request that has one
};

}  // namespace dspark
