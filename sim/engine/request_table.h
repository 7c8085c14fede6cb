#pragma once

#include <cstdint>
#include <vector>

#include "policies/depth/depth_policy.h"
#include "sim/engine/kv_blocks.h"
#include "sim/workload/source.h"

namespace dspark {

/// A request in the system, from its arrival to its last token.
struct LiveRequest {
  RequestSpec spec;
  std::uint64_t sequence = 0;  // order of arrival: first come, first served; the youngest is preempted first
  std::int32_t produced = 0;   // output tokens so far
  std::int32_t computed = 0;   // tokens of its text whose KV is computed, while it prefills
  std::int32_t rounds = 0;
  std::int32_t preemptions = 0;
  VirtualTime first_token = kNever;
  VirtualTime last_token = kNever;
  std::vector<BlockId> blocks;
  bool live = false;

  /// Prompt and reply so far.
  std::int32_t text_tokens() const { return spec.prompt_tokens + produced; }
};

/// All live requests of a replica; slots are used again, so an id is dense.
class RequestTable {
 public:
  RequestId add(const RequestSpec& spec, std::uint64_t sequence) {
    if (free_.empty()) {
      free_.push_back(RequestId{static_cast<std::int32_t>(requests_.size())});
      requests_.emplace_back();
    }
    const RequestId id = free_.back();
    free_.pop_back();
    LiveRequest& request = (*this)[id];
    std::vector<BlockId> blocks = std::move(request.blocks);
    blocks.clear();
    request = LiveRequest{.spec = spec, .sequence = sequence, .blocks = std::move(blocks), .live = true};
    return id;
  }
  void remove(RequestId id) {
    (*this)[id].live = false;
    free_.push_back(id);
  }

  LiveRequest& operator[](RequestId id) { return requests_[static_cast<std::size_t>(id)]; }
  const LiveRequest& operator[](RequestId id) const { return requests_[static_cast<std::size_t>(id)]; }
  std::size_t live() const { return requests_.size() - free_.size(); }

 private:
  std::vector<LiveRequest> requests_;
  std::vector<RequestId> free_;
};

}  // namespace dspark
