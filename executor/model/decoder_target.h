#pragma once

#include "executor/model/decoder.h"
#include "executor/model/kv_cache.h"
#include "executor/model/target_model.h"

namespace dspark {

/// A decoder and its cache as a runner's target. Both outlive it.
class DecoderTarget final : public TargetModel {
 public:
  DecoderTarget(Decoder& decoder, const KvCache& cache) : decoder_(decoder), cache_(cache) {}

  std::size_t vocab_size() const override { return decoder_.plan().vocabulary; }
  TargetOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> logit_rows) override {
    const DecoderOutput output = decoder_.forward(rows, tokens, cache_, logit_rows);
    return {.logits = output.logits, .kept = output.kept};
  }

 private:
  Decoder& decoder_;
  const KvCache& cache_;
};

}  // namespace dspark
