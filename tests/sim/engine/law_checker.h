#pragma once

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "sim/engine/engine.h"

namespace dspark {

/// The laws of an engine, in the words in which a violation is reported.
inline constexpr std::string_view kTimeRunsBack = "the clock runs back";
inline constexpr std::string_view kArrivedTwice = "a request arrived twice";
inline constexpr std::string_view kFinishedOutside = "finished without being in the system";
inline constexpr std::string_view kWrongLength = "a reply of the wrong length";
inline constexpr std::string_view kReplyRunsBack =
    "a reply ends before it begins, or begins before it was asked";
inline constexpr std::string_view kStepsOverlap = "steps overlap";
inline constexpr std::string_view kStepWithoutTime = "a step takes no time";
inline constexpr std::string_view kEmptyStep = "an empty step";
inline constexpr std::string_view kOverPlanned = "drafted more than planned";
inline constexpr std::string_view kOverDrafted = "verified more than drafted";
inline constexpr std::string_view kOverVerified = "accepted more than verified";
inline constexpr std::string_view kOverAccepted = "delivered more than accepted + 1";
inline constexpr std::string_view kNothingDelivered = "a round delivered nothing";
inline constexpr std::string_view kTokensLost = "a round far from the end lost tokens";
inline constexpr std::string_view kOverBudget = "more rows than the token budget";
inline constexpr std::string_view kOverSequences = "more requests run than max_num_seqs";
inline constexpr std::string_view kBlocksLeak = "KV blocks leak";
inline constexpr std::string_view kRequestsLeak = "requests leak";

inline constexpr std::array kLaws = {
    kTimeRunsBack,     kArrivedTwice, kFinishedOutside, kWrongLength,   kReplyRunsBack, kStepsOverlap,
    kStepWithoutTime,  kEmptyStep,    kOverPlanned,     kOverDrafted,   kOverVerified,  kOverAccepted,
    kNothingDelivered, kTokensLost,   kOverBudget,      kOverSequences, kBlocksLeak,    kRequestsLeak};

/// What an engine holds after an event.
struct Holdings {
  int blocks_used = 0;            // as the cache counts them
  int blocks_held = 0;            // as the requests hold them
  std::size_t live_requests = 0;  // as the engine's table counts them
};

inline Holdings holdings_of(const Engine& engine) {
  return {engine.kv().used(), engine.count_held_blocks(), engine.requests().live()};
}

/// Checks every law of the engine as things happen, and keeps which ones were broken.
class LawChecker final : public Watcher {
 public:
  explicit LawChecker(const EngineOptions& options)
      : most_rows_(options.max_num_batched_tokens), most_running_(options.max_num_seqs) {}

  /// To be called after every event.
  void event_passed(VirtualTime now, const Holdings& holdings) {
    ++events_;
    require(now >= now_, kTimeRunsBack);
    now_ = now;
    require(holdings.blocks_used == holdings.blocks_held, kBlocksLeak);
    require(holdings.live_requests == in_system_.size(), kRequestsLeak);
  }

  void arrived(const RequestSpec& spec) override {
    ++arrived_;
    require(in_system_.insert({spec.source, spec.ordinal}).second, kArrivedTwice);
  }
  void finished(const FinishedRequest& request) override {
    ++finished_;
    require(in_system_.erase({request.spec.source, request.spec.ordinal}) == 1, kFinishedOutside);
    require(request.output_tokens == request.spec.output_tokens(), kWrongLength);
    require(request.spec.arrival <= request.first_token && request.first_token <= request.last_token,
            kReplyRunsBack);
  }
  void preempted(const RequestSpec&) override { ++preempted_; }
  void step_ended(const StepRecord& step) override {
    require(step.begin >= last_end_, kStepsOverlap);
    require(step.end > step.begin, kStepWithoutTime);
    last_end_ = std::max(last_end_, step.end);
    int rows = step.prefill_rows + step.decode_requests();
    for (std::size_t r = 0; r < step.verified.size(); ++r) {
      rows += step.verified[r];
      require(step.drafted[r] <= step.block_size[r], kOverPlanned);
      require(0 <= step.verified[r] && step.verified[r] <= step.drafted[r], kOverDrafted);
      require(0 <= step.accepted[r] && step.accepted[r] <= step.verified[r], kOverVerified);
      require(step.delivered[r] <= step.accepted[r] + 1, kOverAccepted);
      require(step.delivered[r] >= 1, kNothingDelivered);
      require(step.cut[r] || step.delivered[r] > step.accepted[r], kTokensLost);
    }
    require(rows <= most_rows_, kOverBudget);
    require(rows > 0, kEmptyStep);
    require(step.running_requests <= most_running_, kOverSequences);
  }

  /// Each broken law once, in the order of the words.
  const std::set<std::string_view>& violations() const { return violations_; }
  std::int64_t events() const { return events_; }
  std::int64_t arrived() const { return arrived_; }
  std::int64_t finished() const { return finished_; }
  std::int64_t preempted() const { return preempted_; }

 private:
  void require(bool holds, std::string_view law) {
    if (!holds) violations_.insert(law);
  }

  std::set<std::pair<std::uint32_t, std::uint32_t>> in_system_;
  std::set<std::string_view> violations_;
  std::int64_t events_ = 0, arrived_ = 0, finished_ = 0, preempted_ = 0;
  VirtualTime now_ = 0, last_end_ = 0;
  int most_rows_, most_running_;
};

}  // namespace dspark
