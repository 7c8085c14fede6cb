#pragma once

#include <cstdint>
#include <vector>

#include "executor/runner/request_texts.h"
#include "sim/workload/source.h"

namespace dspark {

/// A request whose text is known.
struct GivenRequest {
  std::vector<std::int32_t> prompt = {};  // at least one token
  std::int32_t output_limit = 1;          // tokens, at least 1
  float temperature = 0;
  std::uint32_t prefix = 0;  // as in RequestSpec
  std::int32_t shared_prefix_tokens = 0;
  std::int32_t domain = 0;  // likewise
};

/// Requests that all arrive at once: their traffic and their prompts. Request i is source 0, ordinal i.
class GivenRequests final : public Source, public PromptSource {
 public:
  explicit GivenRequests(std::vector<GivenRequest> requests) : requests_(std::move(requests)) {}

  void start(ArrivalSink& sink) override {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      sink.emit({.ordinal = static_cast<std::uint32_t>(i),
                 .prompt_tokens = static_cast<std::int32_t>(requests_[i].prompt.size()),
                 .output_limit = requests_[i].output_limit,
                 .domain = requests_[i].domain,
                 .prefix = requests_[i].prefix,
                 .shared_prefix_tokens = requests_[i].shared_prefix_tokens,
                 .temperature = requests_[i].temperature});
    }
  }
  void arrived(const RequestSpec&, ArrivalSink&) override {}
  void finished(const RequestSpec&, VirtualTime, ArrivalSink&) override { ++finished_; }
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override { ++lost_; }
  std::vector<std::int32_t> prompt(const RequestSpec& spec) override {
    return requests_[spec.ordinal].prompt;
  }

  std::size_t finished() const { return finished_; }
  /// That would not fit into the KV cache.
  std::size_t lost() const { return lost_; }
  bool all_done() const { return finished_ + lost_ == requests_.size(); }

 private:
  std::vector<GivenRequest> requests_;
  std::size_t finished_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace dspark
