#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "executor/drafter/chain_folder.h"
#include "executor/model/decoder_target.h"
#include "tests/executor/model/decoder_steps.h"
#include "tests/executor/runner/served_texts.h"

namespace dspark::testing {

/// A model of the tests in the real engine: its own text, and its text with a drafter.
struct ServedModel {
  static constexpr std::size_t kBlocks = 256, kBlockTokens = 8;

  /// max_rows: of a step.
  ServedModel(const std::string& name, ElementType type, std::vector<int> kept_layers = {},
              std::optional<InstructionSet> instruction_set = {}, std::size_t max_rows = 96)
      : folder(model_data() + name),
        kernels(kernels_of(type, 1, instruction_set)),
        config(*read_model_config(folder)),
        decoder(*Decoder::load(
            folder, *kernels,
            {.max_rows = max_rows, .max_logit_rows = max_rows, .kept_layers = std::move(kept_layers)})),
        cache(*KvCache::make(decoder.plan(), kBlocks, kBlockTokens, *kernels)),
        target(decoder, cache),
        rows(max_rows) {}

  ServedTexts served(Drafter* drafter, int depth) {
    ServedTexts served;
    served.own_target = &target;
    served.own_drafter = drafter;
    served.own_kernels = kernels.get();
    served.engine = {.max_num_seqs = 16,
                     .max_num_batched_tokens = static_cast<int>(rows),
                     .kv_blocks = static_cast<int>(kBlocks),
                     .block_tokens = static_cast<int>(kBlockTokens)};
    if (drafter == nullptr) return served;
    served.policy = "fixed";
    served.policy_parameters = written_map({{"k", written(std::to_string(depth))}});
    return served;
  }

  DraftTarget draft_target() const { return {config, decoder.weights()}; }

  std::string folder;
  std::unique_ptr<Kernels> kernels;
  ModelConfig config;
  Decoder decoder;
  KvCache cache;
  DecoderTarget target;
  std::size_t rows;  // of a step, at most
};

}  // namespace dspark::testing
