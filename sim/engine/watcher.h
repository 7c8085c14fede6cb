#pragma once

#include <cstdint>
#include <span>

#include "policies/depth/signals.h"
#include "sim/virtual_time.h"
#include "sim/workload/source.h"

namespace dspark {

/// A finished step. Columns hold one row per decoding request that took part, as they stood when the step
/// began.
struct StepRecord {
  VirtualTime begin = 0;
  VirtualTime end = 0;
  double seconds = 0;  // the duration as the runner gave it
  int prefill_rows = 0;
  int waiting_requests = 0;
  int running_requests = 0;  // decoding and prefilling
  int kv_blocks_used = 0;
  std::span<const int> block_size = {};  // drafted at most
  std::span<const int> drafted = {};
  std::span<const int> verified = {};  // admitted by the policy
  std::span<const int> accepted = {};
  int draft_rows =
      0;  // draft tokens that the target computed: the verified ones, with cap-accept all drafted
  std::span<const std::int32_t> delivered = {};  // output tokens the user received, 1..accepted + 1
  std::span<const std::uint8_t> cut =
      {};  // 1: the reply's end lay within reach of a whole block, so it may cut this round
  std::span<const VirtualTime> previous_delivery = {};  // when the request's last tokens were delivered
  int first_tokens = 0;      // replies that began with this step (their prompt is done)
  DraftColumns drafts = {};  // confidences empty where nothing was drafted

  int decode_requests() const { return static_cast<int>(verified.size()); }
};

struct FinishedRequest {
  const RequestSpec& spec;
  VirtualTime first_token = 0;
  VirtualTime last_token = 0;
  std::int32_t output_tokens = 0;
  std::int32_t preemptions = 0;
};

/// Sees what happens in the system. A new metric is a new watcher; the engine does not change.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void arrived(const RequestSpec&) {}
  virtual void rejected(const RequestSpec&) {}
  virtual void preempted(const RequestSpec&) {}
  virtual void first_token_elsewhere(VirtualTime, const RequestSpec&) {}
  /// A preempted request's next token, `gap` after its last one.
  virtual void resumed(VirtualTime gap) { static_cast<void>(gap); }
  virtual void finished(const FinishedRequest&) {}
  virtual void step_ended(const StepRecord&) {}
};

}  // namespace dspark
