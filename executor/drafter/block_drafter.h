#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "executor/drafter/block_drafter_config.h"
#include "executor/drafter/draft_buffer.h"
#include "executor/drafter/draft_cache.h"
#include "executor/drafter/drafter_folder.h"
#include "executor/drafter/markov_head.h"
#include "executor/drafter/soft_distributions.h"
#include "executor/model/decoder.h"

namespace dspark {

/// Drafts a whole block in one pass: DFlash, and DSpark (arXiv 2607.05147, section 3.1), whose Markov head
/// lets each token know the one before it and whose confidence head says how likely it is accepted. The
/// block [anchor, mask, mask ...] attends both ways, and to keys and values that each layer computes of what
/// the target's layers gave for the text before the anchor. A block is always computed whole, whatever is
/// planned: its rows see each other.
///
/// Without a confidence head the raw confidence is 0.5.
class BlockDrafter final : public Drafter {
 public:
  /// Errors: as open_drafter.
  static Result<std::unique_ptr<Drafter>> open(std::string_view config, const std::string& folder,
                                               const DraftTarget& target, Kernels& kernels,
                                               const DrafterOptions& options);
  /// Errors: as drafter_target_layers.
  static Result<std::vector<int>> layers_of(std::string_view config, const std::string& path,
                                            const ModelConfig& target);

  int block_size() const override { return block_size_; }
  bool has_confidence_head() const override { return config_.confidence_head; }
  std::span<const int> target_layers() const override { return config_.target_layers; }
  void extend(const CommittedRows& rows) override;
  void left(RequestId id) override { cache_.forget(id); }
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override;
  View<const float, 2> distributions() const override { return distributions_; }
  bool has_soft_distributions() const override { return true; }
  View<const float, 2> soft_distributions() const override { return soft_.all(); }

 private:
  struct Buffers {
    DraftBuffer layers, joined, context, hidden, features, confidence;
    bool allocated() const;
  };
  /// A request that drafts in this step.
  struct Active {
    std::size_t request = 0;  // of the caller's
    int planned = 0;
  };

  BlockDrafter(BlockDrafterConfig config, Decoder decoder, DraftCache cache, std::size_t max_rows,
               const DrafterOptions& options, Kernels& kernels);
  void store_context(const CommittedRows& rows);
  void list_active(std::span<const DraftRequest> requests, const DraftBlocks& blocks);
  DecoderOutput run_block(std::span<const DraftRequest> requests);
  void draft_position(int k, View<const float, 2> hidden, View<float, 2> logits,
                      std::span<const DraftRequest> requests, const DraftBlocks& blocks);
  void choose(int k, View<float, 2> logits, std::span<const DraftRequest> requests,
              const DraftBlocks& blocks);
  void read_confidence(View<const float, 2> hidden, View<const float, 2> before, int k,
                       const DraftBlocks& blocks);
  View<const float, 2> hidden_rows(View<const float, 2> hidden, int block_row, std::size_t count);
  std::size_t active_at(int k) const;
  std::int32_t target_token(std::int32_t token) const {
    return target_ids_.empty() ? token : target_ids_[static_cast<std::size_t>(token)];
  }

  BlockDrafterConfig config_;
  int block_size_;
  Kernels& kernels_;
  Decoder decoder_;
  DraftCache cache_;
  std::size_t max_rows_;                  // of the decoder
  std::vector<std::int32_t> target_ids_;  // of the drafted vocabulary; empty: the same
  std::optional<MarkovHead> markov_;
  Buffers buffers_;
  DraftBuffer distribution_buffer_;
  View<const float, 2> distributions_;
  SoftDistributions soft_;

  // The step.
  std::vector<Active> active_;  // the longest plans first
  bool certain_ = true;
  std::vector<RequestId> ids_;
  std::vector<std::int32_t> first_row_, first_position_, tokens_, rows_, before_, drawn_;
  std::vector<SamplingRule> rules_;
  std::vector<DrawKey> keys_;
  std::vector<float> top1_, margin_, entropy_, numbers_;
};

}  // namespace dspark
