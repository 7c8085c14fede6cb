#include "executor/model/decoder.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

using Name = LayerBuffers::Name;

/// To so many significant bits, to nearest, ties to even.
float rounded(float number, int bits) {
  int exponent = 0;
  const float fraction = std::frexp(number, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
}

/// What an embedding of this width is multiplied by. Published models run in the type of their weights, and
/// so `transformers` rounds the factor to it (55.5 instead of 55.43 in bf16).
float embedding_scale(std::size_t width, ElementType type) {
  const float root = std::sqrt(static_cast<float>(width));
  if (type == ElementType::kF32) return root;
  return rounded(root, type == ElementType::kBf16 ? 8 : 11);
}

/// What the operators' contract leaves out (KvLayer).
std::optional<Error> check_heads(const ModelPlan& plan) {
  constexpr std::size_t kMostHeadDim = 512;
  const std::size_t widest = plan.widest([](const LayerPlan& layer) { return layer.head_dim; });
  if (widest <= kMostHeadDim) return std::nullopt;
  return Error{
      fmt::format("heads of {} numbers, more than the {} that attention is made for", widest, kMostHeadDim)};
}

View<float, 2> per_head(View<float, 3> x) { return {x.data, {x.shape[0] * x.shape[1], x.shape[2]}}; }
View<float, 2> per_row(View<float, 3> x) { return {x.data, {x.shape[0], x.shape[1] * x.shape[2]}}; }

}  // namespace

Result<Decoder> Decoder::load(const Checkpoint& checkpoint, const ModelConfig& config, Kernels& kernels,
                              const DecoderOptions& options) {
  for (const int layer : options.kept_layers) DSPARK_INVARIANT(layer >= -1 && layer < config.layers);
  return load(checkpoint, {.plan = plan_model(config), .layout = tensor_layout(checkpoint)}, kernels,
              options);
}

Result<Decoder> Decoder::load(const Checkpoint& checkpoint, const DecoderParts& parts, Kernels& kernels,
                              const DecoderOptions& options) {
  DSPARK_INVARIANT(options.max_rows > 0 && options.max_logit_rows <= options.max_rows);
  const ModelPlan& plan = parts.plan;
  const ModelUse use{.weight_type = kernels.weight_type(),
                     .cache_type = kernels.cache_type(),
                     .max_rows = options.max_rows,
                     .max_logit_rows = options.max_logit_rows,
                     .kept_layers = options.kept_layers.size(),
                     .kv_tokens = options.kv_tokens};
  if (auto error = check_heads(plan)) return *error;
  if (auto error = check_tensors(checkpoint, plan, parts.layout)) return *error;
  if (auto error = check_memory(predict_memory(plan, use, parts.layout), use, options.memory)) return *error;
  auto weights = ModelWeights::load(checkpoint, plan, parts.layout, kernels);
  if (!weights) return weights.error();
  if (parts.embedding != nullptr) weights->borrow(WeightRole::kEmbedding, *parts.embedding);
  if (parts.head != nullptr) weights->borrow(WeightRole::kHead, *parts.head);
  auto buffers =
      LayerBuffers::make(plan, options.max_rows, options.max_logit_rows, options.kept_layers.size(), kernels);
  if (!buffers) return Error{"no memory for the buffers of a step"};
  return Decoder(plan, std::move(*weights), std::move(*buffers), options, kernels);
}

Result<Decoder> Decoder::load(const std::string& folder, Kernels& kernels, const DecoderOptions& options) {
  const auto config = read_model_config(folder);
  if (!config) return config.error();
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return checkpoint.error();
  return load(*checkpoint, *config, kernels, options);
}

Decoder::Decoder(ModelPlan plan, ModelWeights weights, LayerBuffers buffers, const DecoderOptions& options,
                 Kernels& kernels)
    : plan_(std::move(plan)),
      weights_(std::move(weights)),
      buffers_(std::move(buffers)),
      kept_layers_(options.kept_layers),
      kept_(options.kept_layers.size()),
      max_logit_rows_(options.max_logit_rows),
      kernels_(&kernels) {
  for (const LayerPlan& layer : plan_.layers)
    rope_[static_cast<std::size_t>(layer.type)] = rope_frequencies(plan_.rope(layer.type), layer.head_dim);
  positions_.reserve(options.max_rows);
  slices_.reserve(options.max_rows);
}

DecoderOutput Decoder::forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                               const KvCache& cache, std::span<const std::int32_t> logit_rows,
                               View<const float, 2> features) {
  begin(rows);
  DSPARK_INVARIANT(tokens.size() == rows_ && logit_rows.size() <= max_logit_rows_);
  embed(tokens);
  if (plan_.features != FeatureUse::kNone) begin_from(features);
  keep(-1);
  for (std::size_t layer = 0; layer < plan_.layers.size(); ++layer) {
    run_layer(rows, layer, cache.layer(layer));
    keep(static_cast<int>(layer));
  }
  const auto hidden = buffers_.matrix(Name::kHidden, rows_, plan_.hidden);
  normalise(buffers_.matrix(Name::kStream, rows_, plan_.hidden),
            weights_.model().vector(WeightRole::kFinalNorm), hidden);
  const auto logits = buffers_.matrix(Name::kLogits, logit_rows.size(), plan_.logits());
  if (!logit_rows.empty()) {
    const auto chosen = buffers_.matrix(Name::kLogitRows, logit_rows.size(), plan_.hidden);
    kernels_->gather(hidden, logit_rows, chosen);
    multiply_by_head(chosen, logits);
  }
  return {hidden, logits, kept_};
}

DecoderOutput Decoder::read_out(View<const float, 2> outputs) {
  DSPARK_INVARIANT(outputs.shape[0] <= max_logit_rows_ && outputs.shape[1] == plan_.hidden);
  const auto hidden = buffers_.matrix(Name::kLogitRows, outputs.shape[0], plan_.hidden);
  const auto logits = buffers_.matrix(Name::kLogits, outputs.shape[0], plan_.logits());
  normalise(outputs, weights_.model().vector(WeightRole::kFinalNorm), hidden);
  multiply_by_head(hidden, logits);
  return {hidden, logits, {}};
}

void Decoder::multiply_by_head(View<const float, 2> hidden, View<float, 2> logits) {
  kernels_->multiply(hidden, weights_.head(), {}, false, logits);
  if (plan_.logit_soft_cap > 0) kernels_->soft_cap(logits, plan_.logit_soft_cap);
}

void Decoder::store_context(const RaggedRows& rows, View<const float, 2> context, const KvCache& cache) {
  begin(rows);
  const View<const float, 2> parts[] = {context};
  kernels_->concatenate(parts, buffers_.matrix(Name::kNormed, rows_, plan_.hidden));
  for (std::size_t layer = 0; layer < plan_.layers.size(); ++layer)
    store_keys_and_values(rows, layer, cache.layer(layer));
}

void Decoder::begin(const RaggedRows& rows) {
  rows_ = rows.rows();
  DSPARK_INVARIANT(rows_ > 0 && rows_ <= buffers_.max_rows());
  positions_.clear();
  for (std::size_t request = 0; request < rows.requests(); ++request)
    for (int row = rows.first_row[request]; row < rows.first_row[request + 1]; ++row)
      positions_.push_back(rows.first_position[request] + row - rows.first_row[request]);
  turn(positions_);
}

void Decoder::turn(std::span<const std::int32_t> positions) {
  const std::pair<Name, Name> buffers[] = {{Name::kFullCosine, Name::kFullSine},
                                           {Name::kSlidingCosine, Name::kSlidingSine}};
  for (const LayerType type : {LayerType::kFull, LayerType::kSliding}) {
    const RopeFrequencies& rope = rope_[static_cast<std::size_t>(type)];
    if (rope.inverse.empty()) continue;  // no layer of this type
    const auto [cosine, sine] = buffers[type == LayerType::kFull ? 0 : 1];
    kernels_->rope_angles(positions, rope.inverse, rope.scale,
                          buffers_.matrix(cosine, rows_, rope.inverse.size()),
                          buffers_.matrix(sine, rows_, rope.inverse.size()));
  }
}

void Decoder::embed(std::span<const std::int32_t> tokens) {
  const float scale = plan_.scaled_embedding ? embedding_scale(plan_.hidden, kernels_->weight_type()) : 1.0F;
  const Name place = plan_.features == FeatureUse::kNone ? Name::kStream : Name::kEmbedded;
  kernels_->embed(tokens, weights_.model().matrix(WeightRole::kEmbedding), scale,
                  buffers_.matrix(place, rows_, plan_.hidden));
  if (plan_.per_layer_width > 0) embed_per_layer(tokens);
}

/// (norm(embedding · wᵀ / √width) + a token's own embedding of all layers) / √2.
void Decoder::embed_per_layer(std::span<const std::int32_t> tokens) {
  const std::size_t layers = plan_.layers.size();
  const std::size_t width = plan_.per_layer_width;
  const auto own = buffers_.matrix(Name::kPerLayer, rows_, layers * width);
  const auto projected = buffers_.heads(Name::kPerLayerModel, rows_, layers, width);
  kernels_->embed(tokens, weights_.model().matrix(WeightRole::kPerLayerEmbedding),
                  embedding_scale(width, kernels_->weight_type()), own);
  kernels_->multiply(buffers_.matrix(Name::kStream, rows_, plan_.hidden),
                     weights_.model().matrix(WeightRole::kPerLayerModelProjection), {}, false,
                     per_row(projected));
  kernels_->scale(per_row(projected), 1 / std::sqrt(static_cast<float>(plan_.hidden)));
  normalise(per_head(projected), weights_.model().vector(WeightRole::kPerLayerModelNorm),
            per_head(projected));
  kernels_->add(own, per_row(projected));
  kernels_->scale(own, std::sqrt(0.5F));
}

/// The stream from embeddings and features, and what the first layer attends from where that is both.
void Decoder::begin_from(View<const float, 2> features) {
  DSPARK_INVARIANT(features.shape[0] == rows_ && features.shape[1] == plan_.hidden);
  const bool projected = plan_.features == FeatureUse::kProjected;
  const WeightSet& model = weights_.model();
  const auto embedded = buffers_.matrix(Name::kEmbedded, rows_, plan_.hidden);
  const auto normed = buffers_.matrix(Name::kBranch, rows_, plan_.hidden);
  const auto both = buffers_.matrix(Name::kNormed, rows_, 2 * plan_.hidden);
  const auto stream = buffers_.matrix(Name::kStream, rows_, plan_.hidden);
  normalise(
      embedded,
      projected ? model.vector(WeightRole::kEmbeddingNorm) : weights_.layer(0).vector(WeightRole::kInputNorm),
      embedded);
  normalise(features, model.vector(WeightRole::kFeatureNorm), normed);
  const View<const float, 2> parts[] = {embedded, normed};
  kernels_->concatenate(parts, both);
  if (projected)
    return kernels_->multiply(both, model.matrix(WeightRole::kFeatureProjection), {}, false, stream);
  const View<const float, 2> residual[] = {plan_.normed_residual ? View<const float, 2>(normed) : features};
  kernels_->concatenate(residual, stream);
}

void Decoder::run_layer(const RaggedRows& rows, std::size_t index, const KvLayer& cache) {
  const LayerPlan& layer = plan_.layers[index];
  const WeightSet& weights = weights_.layer(index);
  const auto stream = buffers_.matrix(Name::kStream, rows_, plan_.hidden);
  if (plan_.attention_input(index) == plan_.hidden)  // else begin_from has made it
    normalise(stream, weights.vector(WeightRole::kInputNorm),
              buffers_.matrix(Name::kNormed, rows_, plan_.hidden));
  compute_queries(index);
  if (layer.owns_kv) store_keys_and_values(rows, index, cache);
  const auto attended = buffers_.heads(Name::kAttended, rows_, layer.heads, layer.head_dim);
  kernels_->attend(rows, buffers_.heads(Name::kQueries, rows_, layer.heads, layer.head_dim), cache,
                   layer.attention, attended);
  add_projection(index, per_row(attended), WeightRole::kOutput, weights.vector(WeightRole::kOutputBias),
                 WeightRole::kAfterAttentionNorm);
  add_feed_forward(index);
  if (plan_.per_layer_width > 0) add_per_layer_input(index);
  if (plan_.layer_scalars) kernels_->scale(stream, weights.layer_scalar());
}

void Decoder::compute_queries(std::size_t index) {
  const LayerPlan& layer = plan_.layers[index];
  const WeightSet& weights = weights_.layer(index);
  const bool full = layer.type == LayerType::kFull;
  const auto queries = buffers_.heads(Name::kQueries, rows_, layer.heads, layer.head_dim);
  kernels_->multiply(buffers_.matrix(Name::kNormed, rows_, plan_.attention_input(index)),
                     weights.matrix(WeightRole::kQuery), weights.vector(WeightRole::kQueryBias), false,
                     per_row(queries));
  if (plan_.head_norms)
    normalise(per_head(queries), weights.vector(WeightRole::kQueryNorm), per_head(queries));
  kernels_->rotate(
      queries, buffers_.matrix(full ? Name::kFullCosine : Name::kSlidingCosine, rows_, layer.head_dim / 2),
      buffers_.matrix(full ? Name::kFullSine : Name::kSlidingSine, rows_, layer.head_dim / 2));
}

void Decoder::store_keys_and_values(const RaggedRows& rows, std::size_t index, const KvLayer& cache) {
  const LayerPlan& layer = plan_.layers[index];
  const WeightSet& weights = weights_.layer(index);
  const bool full = layer.type == LayerType::kFull;
  const auto normed = buffers_.matrix(Name::kNormed, rows_, plan_.attention_input(index));
  const auto keys = buffers_.heads(Name::kKeys, rows_, layer.kv_heads, layer.head_dim);
  const auto values = buffers_.heads(Name::kValues, rows_, layer.kv_heads, layer.head_dim);
  kernels_->multiply(normed, weights.matrix(WeightRole::kKey), weights.vector(WeightRole::kKeyBias), false,
                     per_row(keys));
  if (layer.projects_values)
    kernels_->multiply(normed, weights.matrix(WeightRole::kValue), weights.vector(WeightRole::kValueBias),
                       false, per_row(values));
  // Where the key projection gives the values too, they are taken from it before its own norm.
  if (plan_.value_norms)
    kernels_->rms_norm(per_head(layer.projects_values ? values : keys), {}, 0, plan_.epsilon,
                       per_head(values));
  if (plan_.head_norms) normalise(per_head(keys), weights.vector(WeightRole::kKeyNorm), per_head(keys));
  kernels_->rotate(
      keys, buffers_.matrix(full ? Name::kFullCosine : Name::kSlidingCosine, rows_, layer.head_dim / 2),
      buffers_.matrix(full ? Name::kFullSine : Name::kSlidingSine, rows_, layer.head_dim / 2));
  kernels_->store(rows, keys, values, cache);
}

void Decoder::add_feed_forward(std::size_t index) {
  const LayerPlan& layer = plan_.layers[index];
  const WeightSet& weights = weights_.layer(index);
  const auto normed = buffers_.matrix(Name::kNormed, rows_, plan_.hidden);
  const auto gate = buffers_.matrix(Name::kGate, rows_, layer.intermediate);
  const auto up = buffers_.matrix(Name::kUp, rows_, layer.intermediate);
  normalise(buffers_.matrix(Name::kStream, rows_, plan_.hidden), weights.vector(WeightRole::kFeedForwardNorm),
            normed);
  kernels_->multiply(normed, weights.matrix(WeightRole::kGate), weights.vector(WeightRole::kGateBias), false,
                     gate);
  kernels_->multiply(normed, weights.matrix(WeightRole::kUp), weights.vector(WeightRole::kUpBias), false, up);
  kernels_->gate(gate, up, plan_.activation, gate);
  add_projection(index, gate, WeightRole::kDown, weights.vector(WeightRole::kDownBias),
                 WeightRole::kAfterFeedForwardNorm);
}

void Decoder::add_per_layer_input(std::size_t index) {
  const WeightSet& weights = weights_.layer(index);
  const std::size_t layers = plan_.layers.size();
  const std::size_t width = plan_.per_layer_width;
  const auto input = buffers_.matrix(Name::kPerLayerInput, rows_, width);
  const auto gate = buffers_.matrix(Name::kPerLayerGate, rows_, width);
  slices_.clear();
  for (std::size_t row = 0; row < rows_; ++row)
    slices_.push_back(static_cast<std::int32_t>(row * layers + index));
  kernels_->gather(buffers_.matrix(Name::kPerLayer, rows_ * layers, width), slices_, input);
  kernels_->multiply(buffers_.matrix(Name::kStream, rows_, plan_.hidden),
                     weights.matrix(WeightRole::kPerLayerGate), {}, false, gate);
  kernels_->gate(gate, input, plan_.activation, gate);
  add_projection(index, gate, WeightRole::kPerLayerProjection, {}, WeightRole::kAfterPerLayerNorm);
}

void Decoder::add_projection(std::size_t index, View<const float, 2> input, WeightRole matrix,
                             View<const float, 1> bias, WeightRole norm) {
  const WeightSet& weights = weights_.layer(index);
  const auto stream = buffers_.matrix(Name::kStream, rows_, plan_.hidden);
  if (!weights.has(norm)) return kernels_->multiply(input, weights.matrix(matrix), bias, true, stream);
  const auto branch = buffers_.matrix(Name::kBranch, rows_, plan_.hidden);
  kernels_->multiply(input, weights.matrix(matrix), bias, false, branch);
  normalise(branch, weights.vector(norm), branch);
  kernels_->add(stream, branch);
}

void Decoder::normalise(View<const float, 2> x, View<const float, 1> weight, View<float, 2> out) {
  kernels_->rms_norm(x, weight, plan_.norm_offset, plan_.epsilon, out);
}

void Decoder::keep(int layer) {
  const View<const float, 2> stream[] = {buffers_.matrix(Name::kStream, rows_, plan_.hidden)};
  for (std::size_t i = 0; i < kept_layers_.size(); ++i) {
    if (kept_layers_[i] != layer) continue;
    View<float, 2> place = buffers_.matrix(Name::kKept, rows_, plan_.hidden);
    place.data += i * buffers_.max_rows() * plan_.hidden;
    kernels_->concatenate(stream, place);
    kept_[i] = place;
  }
}

}  // namespace dspark
