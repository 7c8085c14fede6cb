#pragma once

#include <span>
#include <vector>

#include "executor/drafter/drafter.h"

namespace dspark::testing {

/// A drafter that does what another one does, but for what is overridden.
class WrappedDrafter : public Drafter {
 public:
  explicit WrappedDrafter(Drafter& inner) : inner_(inner) {}
  int block_size() const override { return inner_.block_size(); }
  bool has_confidence_head() const override { return inner_.has_confidence_head(); }
  bool is_sequential() const override { return inner_.is_sequential(); }
  std::span<const int> target_layers() const override { return inner_.target_layers(); }
  void extend(const CommittedRows& rows) override { inner_.extend(rows); }
  void left(RequestId id) override { inner_.left(id); }
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    inner_.draft(requests, blocks);
  }
  View<const float, 2> distributions() const override { return inner_.distributions(); }
  bool has_soft_distributions() const override { return inner_.has_soft_distributions(); }
  View<const float, 2> soft_distributions() const override { return inner_.soft_distributions(); }

 protected:
  Drafter& inner_;
};

/// Says of a token that was drawn how likely it was, as its confidence.
class ChosenConfidence final : public WrappedDrafter {
 public:
  using WrappedDrafter::WrappedDrafter;
  bool has_confidence_head() const override { return true; }
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    DraftBlocks with_chosen = blocks;
    with_chosen.chosen = blocks.confidence;
    std::vector<float> ignored(blocks.confidence.size());
    with_chosen.confidence = ignored;
    inner_.draft(requests, with_chosen);
  }
};

}  // namespace dspark::testing
