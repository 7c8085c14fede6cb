#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "executor/model/kv_cache.h"
#include "executor/model/layer_buffers.h"
#include "executor/model/model_memory.h"
#include "executor/model/model_plan.h"
#include "executor/model/model_weights.h"
#include "executor/model/rope_frequencies.h"
#include "policies/error.h"

namespace dspark {

/// For what a decoder's buffers are made.
struct DecoderOptions {
  std::size_t max_rows = 0;        // of one step, all requests together; from 1
  std::size_t max_logit_rows = 0;  // of them, those whose logits are asked for
  std::vector<int> kept_layers;    // whose outputs drafters read: -1 the embedding, i the output of layer i
  std::size_t kv_tokens = 0;       // of the caches that will be made for it: counted before it is loaded
  std::optional<AvailableMemory> memory = available_memory();  // that all of it may take; nothing: no limit
};

/// What a step gives, in the backend's memory. Stays until the next step of the decoder.
struct DecoderOutput {
  View<const float, 2> hidden;  // (rows, width), behind the final norm
  View<float, 2> logits;        // (logit rows, vocabulary), soft-capped where the model does it
  std::span<const View<const float, 2>> kept;  // of each kept layer (rows, width), in the order asked for
};

/// What a decoder is made of where it is not a model of its own, as the stack of a drafter.
struct DecoderParts {
  ModelPlan plan;
  TensorLayout layout;
  const Matrix* embedding = nullptr;  // where the layout has none; they outlive the decoder
  const Matrix* head = nullptr;
};

/// A decoder-only transformer of any known family: its weights and the buffers of a step. The same row at the
/// same position after the same tokens gives the same bits, whatever else is in the step (kernels.h).
class Decoder {
 public:
  /// Errors: heads of more than 512 numbers; it needs more memory than there is, which is found before
  /// anything is loaded; as ModelWeights::load. `kernels` outlives the decoder.
  static Result<Decoder> load(const Checkpoint& checkpoint, const ModelConfig& config, Kernels& kernels,
                              const DecoderOptions& options);
  /// Of a checkpoint that holds other tensors beside the layers, or lacks some.
  static Result<Decoder> load(const Checkpoint& checkpoint, const DecoderParts& parts, Kernels& kernels,
                              const DecoderOptions& options);
  /// Of a model's folder. Errors: those of its config and checkpoint too.
  static Result<Decoder> load(const std::string& folder, Kernels& kernels, const DecoderOptions& options);

  const ModelPlan& plan() const { return plan_; }
  const ModelWeights& weights() const { return weights_; }
  /// Of the step's buffers.
  std::size_t buffer_bytes() const { return buffers_.bytes(); }

  /// Runs the rows of a step, prompt chunks and blocks to verify side by side: stores their keys and values
  /// in `cache` and gives their hidden states. `tokens`: host, (rows), each below the vocabulary.
  /// `logit_rows`: host, those whose logits are wanted. Allocates nothing. All that is not as said here is a
  /// broken invariant. `features`: (rows, width), where the plan reads them; what the last step gave is no
  /// such.
  DecoderOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens, const KvCache& cache,
                        std::span<const std::int32_t> logit_rows, View<const float, 2> features = {});
  /// Final norm and logits of outputs of the last layer: (rows, width), at most max_logit_rows of them.
  DecoderOutput read_out(View<const float, 2> outputs);

  /// Stores the keys and values that each layer computes of these rows of `context` (rows, width), as they
  /// are, instead of a normed residual stream: what block drafters know of the text before their block.
  void store_context(const RaggedRows& rows, View<const float, 2> context, const KvCache& cache);

 private:
  Decoder(ModelPlan plan, ModelWeights weights, LayerBuffers buffers, const DecoderOptions& options,
          Kernels& kernels);

  void embed(std::span<const std::int32_t> tokens);
  void begin_from(View<const float, 2> features);
  void embed_per_layer(std::span<const std::int32_t> tokens);
  void begin(const RaggedRows& rows);
  void turn(std::span<const std::int32_t> positions);
  void multiply_by_head(View<const float, 2> hidden, View<float, 2> logits);
  void run_layer(const RaggedRows& rows, std::size_t layer, const KvLayer& cache);
  void compute_queries(std::size_t layer);
  void store_keys_and_values(const RaggedRows& rows, std::size_t layer, const KvLayer& cache);
  void add_feed_forward(std::size_t layer);
  void add_per_layer_input(std::size_t layer);
  /// x += norm(input · wᵀ + bias); without a norm where the layer has none of that role.
  void add_projection(std::size_t layer, View<const float, 2> input, WeightRole matrix,
                      View<const float, 1> bias, WeightRole norm);
  void normalise(View<const float, 2> x, View<const float, 1> weight, View<float, 2> out);
  void keep(int layer);

  ModelPlan plan_;
  ModelWeights weights_;
  LayerBuffers buffers_;
  RopeFrequencies rope_[2];  // by LayerType
  std::vector<int> kept_layers_;
  std::vector<View<const float, 2>> kept_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> slices_;  // rows of the per-layer embeddings, which one layer reads
  std::size_t max_logit_rows_ = 0;
  std::size_t rows_ = 0;  // of this step
  Kernels* kernels_;
};

}  // namespace dspark
