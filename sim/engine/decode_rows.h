#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/request_table.h"
#include "sim/engine/runner.h"

namespace dspark {

/// The decoding requests as dense columns, one row each; a removed row is replaced by the last. What every
/// step touches lives here, the rest in RequestTable.
struct DecodeRows {
  std::vector<RequestId> id;
  std::vector<std::uint32_t> source;
  std::vector<std::uint32_t> ordinal;
  std::vector<std::int32_t> domain;
  std::vector<float> temperature;
  std::vector<std::int32_t> anchor_position;  // tokens before the anchor: prompt + produced - 1
  std::vector<std::int32_t> attempt;
  std::vector<std::int32_t> rounds;      // since it joined the batch
  std::vector<std::int32_t> all_rounds;  // before a preemption too
  std::vector<std::int32_t> produced;
  std::vector<std::int32_t> output_limit;
  std::vector<std::int32_t> output_tokens;  // where the reply really ends
  std::vector<std::int32_t> block_cap;
  std::vector<std::int32_t> held_tokens;  // KV slots of the blocks held
  std::vector<VirtualTime> last_delivery;
  std::vector<float> decoding_seconds;  // since the first token; empty unless the policy asks
  std::vector<int> planned;             // this step's block size

  std::size_t size() const { return id.size(); }

  void push(RequestId request_id, const LiveRequest& request, int block_tokens) {
    id.push_back(request_id);
    source.push_back(request.spec.source);
    ordinal.push_back(request.spec.ordinal);
    domain.push_back(request.spec.domain);
    temperature.push_back(request.spec.temperature);
    anchor_position.push_back(request.text_tokens() - 1);
    attempt.push_back(0);
    rounds.push_back(0);
    all_rounds.push_back(request.rounds);
    produced.push_back(request.produced);
    output_limit.push_back(request.spec.output_limit);
    output_tokens.push_back(request.spec.output_tokens());
    block_cap.push_back(0);
    held_tokens.push_back(static_cast<std::int32_t>(request.blocks.size()) * block_tokens);
    last_delivery.push_back(request.last_token);
    planned.push_back(0);
  }

  void swap_remove(std::size_t row) {
    const auto remove = [row](auto&... column) { ((column[row] = column.back(), column.pop_back()), ...); };
    if (!decoding_seconds.empty()) remove(decoding_seconds);
    remove(id, source, ordinal, domain, temperature, anchor_position, attempt, rounds, all_rounds, produced,
           output_limit, output_tokens, block_cap, held_tokens, last_delivery, planned);
  }

  /// A step has ended: every row is given its tokens. Column by column, so that the loops vectorise.
  void deliver(std::span<const std::int32_t> tokens, VirtualTime now) {
    const std::size_t rows = tokens.size();
    for (std::size_t r = 0; r < rows; ++r) produced[r] += tokens[r];
    for (std::size_t r = 0; r < rows; ++r) anchor_position[r] += tokens[r];
    for (std::size_t r = 0; r < rows; ++r) ++rounds[r];
    for (std::size_t r = 0; r < rows; ++r) ++all_rounds[r];
    for (std::size_t r = 0; r < rows; ++r) attempt[r] = 0;
    for (std::size_t r = 0; r < rows; ++r) last_delivery[r] = now;
  }

  RunnerRows for_runner() const {
    return {id, source, ordinal, anchor_position, attempt, domain, temperature, produced, all_rounds};
  }
  RequestColumns for_policy() const {
    return {id, rounds, anchor_position, produced, block_cap, decoding_seconds};
  }
};

}  // namespace dspark
