#include "executor/drafter/block_drafter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "executor/drafter/draft_choice.h"
#include "executor/drafter/draft_vocabulary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr std::size_t kChunkRows = 256;  // of a long prompt's context, at least so many at once
constexpr float kUnknownConfidence = 0.5F;

/// A column's entry of request r at position k.
std::size_t entry(const DraftBlocks& blocks, int k, std::size_t request) {
  return static_cast<std::size_t>(k - 1) * blocks.stride + request;
}

}  // namespace

bool BlockDrafter::Buffers::allocated() const {
  for (const DraftBuffer* buffer : {&layers, &joined, &context, &hidden, &features, &confidence})
    if (!buffer->allocated()) return false;
  return true;
}

BlockDrafter::BlockDrafter(BlockDrafterConfig config, Decoder decoder, DraftCache cache, std::size_t max_rows,
                           const DrafterOptions& options, Kernels& kernels)
    : config_(std::move(config)),
      block_size_(options.block_size == 0 ? config_.block_size() : options.block_size),
      kernels_(kernels),
      decoder_(std::move(decoder)),
      cache_(std::move(cache)),
      max_rows_(max_rows) {
  const std::size_t width = decoder_.plan().hidden;
  const std::size_t read = config_.target_layers.size() * width;
  const auto rank = static_cast<std::size_t>(config_.markov_rank);
  buffers_.layers = DraftBuffer(kernels, max_rows * read);
  buffers_.joined = DraftBuffer(kernels, max_rows * read);
  buffers_.context = DraftBuffer(kernels, max_rows * width);
  buffers_.hidden = DraftBuffer(kernels, options.max_requests * width);
  buffers_.features = DraftBuffer(kernels, options.max_requests * (width + rank));
  buffers_.confidence = DraftBuffer(kernels, options.max_requests);
}

Result<std::vector<int>> BlockDrafter::layers_of(std::string_view text, const std::string& path,
                                                 const ModelConfig& target) {
  const auto config = parse_block_drafter_config(text, path);
  if (!config) return config.error();
  const auto misfit = [&](std::string_view key, int own, std::string_view of_target, int number) {
    return Error{fmt::format("{}: {} does not fit the target, whose {} is {}", key, own, of_target, number),
                 {std::make_shared<const std::string>(path), 0, 0}};
  };
  const ModelConfig& stack = config->stack;
  if (stack.hidden_size != target.hidden_size)
    return misfit("hidden_size", stack.hidden_size, "hidden_size", target.hidden_size);
  if (stack.vocab_size != target.vocab_size)
    return misfit("vocab_size", stack.vocab_size, "vocab_size", target.vocab_size);
  // The target's depth; some trainers write how many of its layers are read.
  const int count = config->target_layer_count;
  if (count != 0 && count != target.layers && count != static_cast<int>(config->target_layers.size()))
    return misfit("num_target_layers", count, "num_hidden_layers", target.layers);
  const int most = target.layers - (config->own_embedding ? 2 : 1);
  for (const int layer : config->target_layers)
    if (layer > most)
      return misfit(config->layers_key, layer + config->first_layer_id + 1, "num_hidden_layers",
                    target.layers);
  return config->target_layers;
}

Result<std::unique_ptr<Drafter>> BlockDrafter::open(std::string_view text, const std::string& folder,
                                                    const DraftTarget& target, Kernels& kernels,
                                                    const DrafterOptions& options) {
  DSPARK_INVARIANT(options.max_requests > 0);
  const std::string path = folder + "/config.json";
  const auto layers = layers_of(text, path, target.config);
  if (!layers) return layers.error();
  auto config = parse_block_drafter_config(text, path);
  if (!config) return config.error();
  if (options.block_size < 0 || options.block_size > config->block_size())
    return Error{"the drafter of " + folder + " drafts blocks of 1 to " +
                     std::to_string(config->block_size()) + " tokens, not of " +
                     std::to_string(options.block_size),
                 {},
                 "--block-size " + std::to_string(config->block_size()) + ", in an experiment block_size"};
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return checkpoint.error();
  std::vector<std::int32_t> target_ids;
  if (config->draft_vocabulary > 0) {
    auto ids = read_draft_vocabulary(*checkpoint, config->draft_vocabulary, config->stack.vocab_size);
    if (!ids) return ids.error();
    target_ids = std::move(*ids);
  }
  const WeightSet& of_target = target.weights.model();
  const std::size_t block_rows = options.max_requests * static_cast<std::size_t>(config->block_rows);
  const std::size_t max_rows = std::max(block_rows, kChunkRows);
  auto decoder =
      Decoder::load(*checkpoint,
                    {.plan = plan_block_drafter(*config),
                     .layout = block_drafter_layout(*config),
                     .embedding = config->own_embedding ? nullptr : &of_target.matrix(WeightRole::kEmbedding),
                     .head = config->own_head ? nullptr : &target.weights.head()},
                    kernels,
                    {.max_rows = max_rows,
                     .max_logit_rows = block_rows,
                     .kept_layers = {},
                     .kv_tokens = options.kv_tokens});
  if (!decoder) return decoder.error();
  auto cache = DraftCache::make(decoder->plan(), options.kv_tokens, kernels);
  if (!cache) return cache.error();
  std::unique_ptr<BlockDrafter> drafter(new BlockDrafter(std::move(*config), std::move(*decoder),
                                                         std::move(*cache), max_rows, options, kernels));
  drafter->target_ids_ = std::move(target_ids);
  if (drafter->config_.markov != MarkovHeadType::kNone)
    drafter->markov_ = MarkovHead::make(drafter->config_, options.max_requests,
                                        drafter->decoder_.weights().model(), kernels);
  const bool whole = drafter->markov_.has_value() == (drafter->config_.markov != MarkovHeadType::kNone);
  if (!whole || !drafter->buffers_.allocated()) return Error{"no memory for the drafter's buffers"};
  return std::unique_ptr<Drafter>(std::move(drafter));
}

void BlockDrafter::extend(const CommittedRows& rows) {
  ids_.clear();
  first_row_.assign(1, 0);
  first_position_.clear();
  rows_.clear();
  for (std::size_t r = 0; r < rows.requests(); ++r) {
    const std::int32_t count = rows.first_row[r + 1] - rows.first_row[r];
    if (count == 0 || !cache_.extend(rows.id[r], rows.first_position[r], count, rows.shared_of(r))) continue;
    for (std::int32_t done = 0; done < count;) {
      const std::int32_t room = static_cast<std::int32_t>(max_rows_) - first_row_.back();
      const std::int32_t part = std::min(room, count - done);
      ids_.push_back(rows.id[r]);
      first_position_.push_back(rows.first_position[r] + done);
      first_row_.push_back(first_row_.back() + part);
      for (std::int32_t i = 0; i < part; ++i)
        rows_.push_back(rows.target_rows[static_cast<std::size_t>(rows.first_row[r] + done + i)]);
      done += part;
      if (part == room) store_context(rows);
    }
  }
  store_context(rows);
}

/// Projects what the target's layers gave for the rows listed, and begins a new list.
void BlockDrafter::store_context(const CommittedRows& rows) {
  const std::size_t count = rows_.size();
  if (count == 0) return;
  const std::size_t width = decoder_.plan().hidden;
  const std::size_t layers = config_.target_layers.size();
  const WeightSet& weights = decoder_.weights().model();
  DSPARK_INVARIANT(rows.kept.size() == layers);
  std::vector<View<const float, 2>> parts;
  const auto gathered = buffers_.layers.matrix(layers * count, width);
  for (std::size_t i = 0; i < layers; ++i) {
    kernels_.gather(rows.kept[i], rows_, gathered.rows(i * count, count));
    parts.push_back(gathered.rows(i * count, count));
  }
  const auto joined = buffers_.joined.matrix(count, layers * width);
  const auto context = buffers_.context.matrix(count, width);
  kernels_.concatenate(parts, joined);
  kernels_.multiply(joined, weights.matrix(WeightRole::kContext), {}, false, context);
  kernels_.rms_norm(context, weights.vector(WeightRole::kContextNorm), decoder_.plan().norm_offset,
                    decoder_.plan().epsilon, context);
  decoder_.store_context(cache_.rows(ids_, first_row_, first_position_), context, cache_.kv());
  ids_.clear();
  first_row_.assign(1, 0);
  first_position_.clear();
  rows_.clear();
}

void BlockDrafter::draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  distributions_ = {};
  list_active(requests, blocks);
  if (active_.empty()) return;
  const std::size_t vocabulary = decoder_.plan().vocabulary;
  const std::size_t rows = static_cast<std::size_t>(block_size_) * blocks.stride;
  const bool has_room = soft_.begin(kernels_, blocks.soft_distributions, rows, vocabulary);
  DSPARK_INVARIANT(has_room);
  if (!certain_) {
    if (distribution_buffer_.numbers() < rows * vocabulary)
      distribution_buffer_ = DraftBuffer(kernels_, rows * vocabulary);
    DSPARK_INVARIANT(distribution_buffer_.allocated());
    distributions_ = distribution_buffer_.matrix(rows, vocabulary);
  }
  const DecoderOutput output = run_block(requests);
  before_.clear();
  for (const Active& active : active_) before_.push_back(requests[active.request].text.back());
  if (markov_) markov_->begin(active_.size());
  if (markov_ && config_.markov == MarkovHeadType::kRnn && !config_.samples_from_anchor) {
    markov_->embed(before_);  // the anchor's row predicts nothing and moves the state
    markov_->add(hidden_rows(output.hidden, 0, active_.size()), {});
  }
  std::size_t first_logit = 0;
  for (int k = 1; k <= active_.front().planned; ++k) {
    const std::size_t count = active_at(k);
    before_.resize(count);
    const int block_row = config_.samples_from_anchor ? k - 1 : k;
    draft_position(k, hidden_rows(output.hidden, block_row, count), output.logits.rows(first_logit, count),
                   requests, blocks);
    first_logit += count;
  }
}

/// Those with a plan, whose text before the anchor is kept and whose block has room.
void BlockDrafter::list_active(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  active_.clear();
  certain_ = true;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const DraftRequest& request = requests[r];
    const auto anchor = static_cast<std::int32_t>(request.text.size()) - 1;
    blocks.drafted[r] = 0;
    DSPARK_INVARIANT(request.planned <= block_size_);
    if (request.planned == 0 || cache_.length(request.id) != anchor) continue;
    if (!cache_.reserve(request.id, anchor + config_.block_rows)) continue;
    blocks.drafted[r] = request.planned;
    active_.push_back({r, request.planned});
    certain_ = certain_ && request.rule.temperature == 0;
  }
  std::stable_sort(active_.begin(), active_.end(),
                   [](const Active& a, const Active& b) { return a.planned > b.planned; });
}

/// How many of the active requests have a position k; they are the first ones.
std::size_t BlockDrafter::active_at(int k) const {
  std::size_t count = 0;
  while (count < active_.size() && active_[count].planned >= k) ++count;
  return count;
}

/// The logits come position by position, each position's requests in the order of active_.
DecoderOutput BlockDrafter::run_block(std::span<const DraftRequest> requests) {
  ids_.clear();
  tokens_.clear();
  first_row_.assign(1, 0);
  first_position_.clear();
  for (const Active& active : active_) {
    const DraftRequest& request = requests[active.request];
    ids_.push_back(request.id);
    first_position_.push_back(static_cast<std::int32_t>(request.text.size()) - 1);
    tokens_.push_back(request.text.back());
    tokens_.insert(tokens_.end(), static_cast<std::size_t>(config_.block_rows) - 1, config_.mask_token);
    first_row_.push_back(static_cast<std::int32_t>(tokens_.size()));
  }
  rows_.clear();
  for (int k = 1; k <= active_.front().planned; ++k)
    for (std::size_t i = 0; i < active_at(k); ++i)
      rows_.push_back(first_row_[i] + (config_.samples_from_anchor ? k - 1 : k));
  return decoder_.forward(cache_.rows(ids_, first_row_, first_position_), tokens_, cache_.kv(), rows_);
}

View<const float, 2> BlockDrafter::hidden_rows(View<const float, 2> hidden, int block_row,
                                               std::size_t count) {
  rows_.clear();
  for (std::size_t i = 0; i < count; ++i) rows_.push_back(first_row_[i] + block_row);
  const auto gathered = buffers_.hidden.matrix(count, hidden.shape[1]);
  kernels_.gather(hidden, rows_, gathered);
  return gathered;
}

void BlockDrafter::draft_position(int k, View<const float, 2> hidden, View<float, 2> logits,
                                  std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  View<const float, 2> before;
  if (markov_) {
    before = markov_->embed(before_);
    markov_->add(hidden, logits);
  }
  read_confidence(hidden, before, k, blocks);
  choose(k, logits, requests, blocks);
}

/// σ(w · [h; W1 of the token before] + b), known before the token is drawn.
void BlockDrafter::read_confidence(View<const float, 2> hidden, View<const float, 2> before, int k,
                                   const DraftBlocks& blocks) {
  const std::size_t count = hidden.shape[0];
  numbers_.assign(count, 0);
  if (config_.confidence_head) {
    View<const float, 2> features = hidden;
    if (config_.confidence_reads_markov) {
      const View<const float, 2> parts[] = {hidden, before};
      const auto joined = buffers_.features.matrix(count, hidden.shape[1] + before.shape[1]);
      kernels_.concatenate(parts, joined);
      features = joined;
    }
    const auto out = buffers_.confidence.matrix(count, 1);
    const WeightSet& weights = decoder_.weights().model();
    kernels_.multiply(features, weights.matrix(WeightRole::kConfidence),
                      weights.vector(WeightRole::kConfidenceBias), false, out);
    kernels_.read(reinterpret_cast<const std::byte*>(out.data), std::as_writable_bytes(std::span(numbers_)));
  }
  for (std::size_t i = 0; i < count; ++i)
    blocks.confidence[entry(blocks, k, active_[i].request)] =
        config_.confidence_head ? static_cast<float>(1 / (1 + std::exp(-static_cast<double>(numbers_[i]))))
                                : kUnknownConfidence;
}

/// Draws the position's tokens, which become those before the next one.
void BlockDrafter::choose(int k, View<float, 2> logits, std::span<const DraftRequest> requests,
                          const DraftBlocks& blocks) {
  const std::size_t count = logits.shape[0];
  drawn_.assign(count, 0);
  rules_.clear();
  keys_.clear();
  rows_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const DraftRequest& request = requests[active_[i].request];
    rules_.push_back(request.rule);
    keys_.push_back(request.keys[static_cast<std::size_t>(k) - 1]);
    rows_.push_back(static_cast<std::int32_t>(entry(blocks, k, active_[i].request)));
  }
  const bool signals_asked = !blocks.top1.empty() || !blocks.margin.empty() || !blocks.entropy.empty();
  if (signals_asked || !blocks.chosen.empty()) {
    for (auto* signal : {&top1_, &margin_, &entropy_}) signal->assign(count, 0);
    kernels_.signals(logits, rules_, {.top1 = top1_, .margin = margin_, .entropy = entropy_});
  }
  soft_.keep(kernels_, logits, rules_, rows_, target_ids_);
  if (certain_) {
    kernels_.largest(logits, drawn_);
  } else {
    kernels_.probabilities(logits, rules_);
    kernels_.draw(logits, keys_, drawn_);
    kernels_.spread(logits, rows_, target_ids_,
                    distribution_buffer_.matrix(distributions_.shape[0], distributions_.shape[1]));
  }
  const auto put = [&](std::span<float> column, std::size_t i, float value) {
    if (!column.empty()) column[static_cast<std::size_t>(rows_[i])] = value;
  };
  for (std::size_t i = 0; i < count; ++i) {
    before_[i] = target_token(drawn_[i]);
    blocks.tokens[static_cast<std::size_t>(rows_[i])] = before_[i];
    put(blocks.top1, i, blocks.top1.empty() ? 0 : top1_[i]);
    put(blocks.margin, i, blocks.margin.empty() ? 0 : margin_[i]);
    put(blocks.entropy, i, blocks.entropy.empty() ? 0 : entropy_[i]);
    if (blocks.chosen.empty()) continue;
    // A greedy draft is the most likely token; a drawn one's probability is that of the cut distribution.
    float chosen = top1_[i];
    if (rules_[i].temperature != 0)
      kernels_.read(reinterpret_cast<const std::byte*>(logits.row(i) + drawn_[i]),
                    std::as_writable_bytes(std::span(&chosen, 1)));
    put(blocks.chosen, i, chosen);
  }
  if (certain_) return;
  choose_tokens(kernels_, requests, k, distributions_, blocks);
  for (std::size_t i = 0; i < count; ++i) before_[i] = blocks.tokens[static_cast<std::size_t>(rows_[i])];
}

}  // namespace dspark
