#pragma once

#include <cstdint>
#include <span>

#include "kernels/kernels.h"
#include "policies/depth/depth_policy.h"
#include "policies/depth/signals.h"

namespace dspark {

class DraftChoice;

/// One request that drafts.
struct DraftRequest {
  RequestId id = {};
  std::span<const std::int32_t> text = {};  // prompt and reply so far; the last token is the anchor
  int planned = 0;                          // draft tokens asked for, 0 .. the drafter's block size
  SamplingRule rule = {};
  std::span<const DrawKey> keys = {};  // (planned), one for each drafted token's draw
  DraftChoice* choice = nullptr;       // chooses in the drafter's place (draft_choice.h); null: nobody does
};

/// The blocks of one step, which the drafter fills. Columns as in DraftColumns: position k of request r at
/// (k - 1) * stride + r; they hold block_size positions.
struct DraftBlocks {
  std::size_t stride = 0;               // (requests)
  std::span<int> drafted = {};          // (requests) 0 .. planned
  std::span<std::int32_t> tokens = {};  // (block_size, stride)
  std::span<float> confidence = {};     // (block_size, stride) raw, 0 .. 1
  std::span<float> top1 = {};           // likewise; these four are empty where nobody asked
  std::span<float> margin = {};
  std::span<float> entropy = {};
  std::span<float> chosen = {};
  bool soft_distributions = false;  // whether somebody asks for Drafter::soft_distributions
};

/// How a request's text begins: as all others of that prefix, as far as they may share what is computed of it
/// (RequestSpec::reusable_prefix_tokens).
struct SharedPrefix {
  std::uint32_t prefix = 0;
  std::int32_t tokens = 0;  // 0: with no other
};

/// Rows that the target has computed of text that is committed, request by request: what drafters with a
/// state of their own learn of a text. A request's rows follow on those of its earlier steps. They begin
/// (anew after a preemption) at position 0, or at one of its shared prefix up to which the target has found
/// the rows of another request in its cache; its last position is never among these.
struct CommittedRows {
  std::span<const RequestId> id = {};                 // (requests)
  std::span<const std::int32_t> first_row = {};       // (requests + 1) of the columns below, from 0
  std::span<const std::int32_t> first_position = {};  // (requests) in the text
  std::span<const SharedPrefix> shared = {};          // (requests); empty: none begins like another
  std::span<const std::int32_t> tokens = {};          // (rows) of the text
  std::span<const std::int32_t> next_tokens = {};     // (rows) that stand behind them
  std::span<const std::int32_t> target_rows = {};     // (rows) of `kept`
  std::span<const View<const float, 2>> kept = {};  // outputs of target_layers(), (target's rows, width) each

  std::size_t requests() const { return id.size(); }
  std::size_t rows() const { return tokens.size(); }
  SharedPrefix shared_of(std::size_t request) const {
    return shared.empty() ? SharedPrefix{} : shared[request];
  }
};

/// Proposes blocks of tokens. One object serves one runner; calls come in order.
class Drafter {
 public:
  virtual ~Drafter() = default;
  /// γ: no block is larger.
  virtual int block_size() const = 0;
  /// True where a confidence head says how likely a token is accepted. Without one the confidence is a
  /// constant, and MarginEstimator learns a better one from the margin.
  virtual bool has_confidence_head() const = 0;
  /// True where each position of a block is a pass of its own, so that a block costs by its length.
  virtual bool is_sequential() const { return false; }
  /// The target's layers whose outputs it reads: -1 the embedding, i the output of layer i.
  virtual std::span<const int> target_layers() const { return {}; }
  /// The target has computed these rows; told after every step, before the next `draft`.
  virtual void extend(const CommittedRows&) {}
  /// The request will not be seen again; its number may name another one.
  virtual void left(RequestId) {}
  /// Drafts blocks, of requests whose text before the anchor was told to `extend`. A request may get fewer
  /// tokens than planned, for reasons known before they are drawn.
  virtual void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) = 0;
  /// The distributions that the last `draft` drew from: (block_size · stride, vocabulary), row as in the
  /// columns, of the kernels' memory until the next call. Empty where all drafts were certain (p_d = 1).
  virtual View<const float, 2> distributions() const = 0;
  /// Whether it can say with what probabilities it expects all tokens, also where it drafts greedily.
  virtual bool has_soft_distributions() const { return false; }
  /// Those of the last `draft`'s positions, where they were asked for: by soft_rule of the request's, rows as
  /// above. Empty where not.
  virtual View<const float, 2> soft_distributions() const { return {}; }
};

}  // namespace dspark
