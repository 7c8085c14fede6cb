#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "executor/drafter/draft_cache.h"
#include "executor/drafter/drafter.h"
#include "executor/drafter/soft_distributions.h"
#include "executor/drafter/target_features.h"
#include "executor/model/decoder.h"

namespace dspark {

struct ChainOptions {
  int block_size = 0;            // γ, from 1
  std::size_t max_requests = 0;  // that draft in one step
  std::size_t max_rows = 256;    // of one pass over committed text, at least max_requests
  std::size_t kv_tokens = 0;     // of all requests' texts and drafts together
  bool feeds_normed = false;     // with features: what is fed back has passed the final norm
};

/// Drafts token by token with a decoder of its own. Without features the decoder is a language model with the
/// target's vocabulary (Leviathan 2023). With features (EAGLE-3, MTP) its row p reads the target's feature of
/// position p and the token behind it; further positions read its own last output in the feature's place.
/// Either way the row that reads the anchor gives the first draft token, and is computed when the anchor is
/// told.
class ChainDrafter final : public Drafter {
 public:
  /// decoder: made with options.max_rows rows, max_requests logit rows, and its last layer as the only kept
  /// one. target_ids: the target's id of each of its tokens; empty where they are the same. Errors: memory
  /// runs out. `kernels` outlives it.
  static Result<std::unique_ptr<ChainDrafter>> make(Decoder decoder, std::optional<TargetFeatures> features,
                                                    std::vector<std::int32_t> target_ids,
                                                    std::size_t target_vocabulary, Kernels& kernels,
                                                    const ChainOptions& options);

  int block_size() const override { return options_.block_size; }
  bool has_confidence_head() const override { return false; }
  bool is_sequential() const override { return true; }
  std::span<const int> target_layers() const override;
  void extend(const CommittedRows& rows) override;
  void left(RequestId id) override;
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override;
  View<const float, 2> distributions() const override { return distributions_; }
  bool has_soft_distributions() const override { return true; }
  View<const float, 2> soft_distributions() const override { return soft_.all(); }
  /// Rows that its decoder has computed.
  std::int64_t computed_rows() const { return computed_rows_; }

 private:
  /// What is known of a request beside its keys and values.
  struct Known {
    std::int32_t slot = -1;             // of last_outputs_
    std::vector<std::int32_t> drafted;  // tokens whose rows stand behind the committed ones
  };
  /// Rows that are run together.
  struct Batch {
    std::vector<RequestId> id;
    std::vector<std::int32_t> first_row = {0}, first_position, tokens, target_rows;

    void clear();
    void open(RequestId request, std::int32_t position);
    void close() { first_row.push_back(static_cast<std::int32_t>(tokens.size())); }
  };
  /// A request that drafts in this call.
  struct Active {
    std::size_t request = 0;
    std::int32_t row = 0;  // of the last pass
  };

  ChainDrafter(Decoder decoder, DraftCache cache, std::optional<TargetFeatures> features,
               std::vector<std::int32_t> target_ids, std::size_t target_vocabulary, Kernels& kernels,
               const ChainOptions& options);

  Known& known(RequestId id);
  bool take_slot(Known& known);
  void forget(RequestId id);
  void extend_request(const CommittedRows& rows, std::size_t request);
  void add_row(RequestId id, std::int32_t position, std::int32_t token, std::int32_t target_row,
               std::span<const View<const float, 2>> kept);
  void run_committed(std::span<const View<const float, 2>> kept);
  void list_active(std::span<const DraftRequest> requests, const DraftBlocks& blocks);
  DecoderOutput first_outputs(std::span<const DraftRequest> requests);
  DecoderOutput next_outputs(std::span<const DraftRequest> requests, const DraftBlocks& blocks, int k,
                             const DecoderOutput& last);
  void choose(std::span<const DraftRequest> requests, const DraftBlocks& blocks, int k,
              View<float, 2> logits);
  void fill_signals(const DraftBlocks& blocks, int k, View<const float, 2> logits);
  void draw(std::span<const DraftRequest> requests, const DraftBlocks& blocks, int k, View<float, 2> logits);
  std::span<const std::int32_t> entries(const DraftBlocks& blocks, int k);
  bool make_distributions(std::span<const DraftRequest> requests, const DraftBlocks& blocks);

  Decoder decoder_;
  DraftCache cache_;
  std::optional<TargetFeatures> features_;
  std::vector<std::int32_t> target_ids_;
  std::size_t target_vocabulary_;
  Kernels* kernels_;
  ChainOptions options_;
  std::vector<Known> known_;  // by id
  std::vector<std::int32_t> free_slots_;
  std::size_t slots_ = 0;
  std::unique_ptr<Buffer> last_outputs_;  // (slots, width) of the last layer at each text's last row
  std::unique_ptr<Buffer> first_buffer_;  // (max requests, width) of last_outputs_, those that draft
  std::unique_ptr<Buffer> fed_;           // (max requests, width) features of the next pass
  View<const float, 2> first_;
  std::unique_ptr<Buffer> distributions_buffer_;
  View<const float, 2> distributions_;
  SoftDistributions soft_;
  Batch batch_;
  std::vector<Active> active_;
  std::vector<SamplingRule> rules_;
  std::vector<std::int32_t> rows_, chosen_;
  std::vector<DrawKey> keys_;
  std::vector<float> top1_, margin_, entropy_;
  std::int64_t computed_rows_ = 0;
};

}  // namespace dspark
