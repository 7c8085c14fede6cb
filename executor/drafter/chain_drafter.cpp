#include "executor/drafter/chain_drafter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "executor/drafter/draft_choice.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

// Nobody asks this drafter how sure it is; MarginEstimator learns it.
constexpr float kUnknownConfidence = 0.5F;

View<float, 2> matrix_in(const Buffer& buffer, std::size_t rows, std::size_t width) {
  return {reinterpret_cast<float*>(buffer.data()), {rows, width}};
}

std::size_t entry(const DraftBlocks& blocks, int k, std::size_t request) {
  return static_cast<std::size_t>(k - 1) * blocks.stride + request;
}

}  // namespace

void ChainDrafter::Batch::clear() {
  for (auto* column : {&first_position, &tokens, &target_rows}) column->clear();
  id.clear();
  first_row.assign(1, 0);
}

void ChainDrafter::Batch::open(RequestId request, std::int32_t position) {
  id.push_back(request);
  first_position.push_back(position);
}

Result<std::unique_ptr<ChainDrafter>> ChainDrafter::make(Decoder decoder,
                                                         std::optional<TargetFeatures> features,
                                                         std::vector<std::int32_t> target_ids,
                                                         std::size_t target_vocabulary, Kernels& kernels,
                                                         const ChainOptions& options) {
  DSPARK_INVARIANT(options.block_size >= 1 && options.max_requests >= 1);
  DSPARK_INVARIANT(options.max_rows >= options.max_requests);
  const std::size_t width = decoder.plan().hidden;
  auto cache = DraftCache::make(decoder.plan(), options.kv_tokens, kernels);
  if (!cache) return cache.error();
  std::unique_ptr<ChainDrafter> drafter(new ChainDrafter(std::move(decoder), std::move(*cache),
                                                         std::move(features), std::move(target_ids),
                                                         target_vocabulary, kernels, options));
  for (auto* buffer : {&drafter->first_buffer_, &drafter->fed_}) {
    *buffer = kernels.allocate(options.max_requests * width * sizeof(float));
    if (*buffer == nullptr) return Error{"no memory for the drafter's buffers"};
  }
  return drafter;
}

ChainDrafter::ChainDrafter(Decoder decoder, DraftCache cache, std::optional<TargetFeatures> features,
                           std::vector<std::int32_t> target_ids, std::size_t target_vocabulary,
                           Kernels& kernels, const ChainOptions& options)
    : decoder_(std::move(decoder)),
      cache_(std::move(cache)),
      features_(std::move(features)),
      target_ids_(std::move(target_ids)),
      target_vocabulary_(target_vocabulary),
      kernels_(&kernels),
      options_(options) {}

std::span<const int> ChainDrafter::target_layers() const {
  return features_ ? std::span<const int>(features_->rule().layers) : std::span<const int>();
}

ChainDrafter::Known& ChainDrafter::known(RequestId id) {
  const auto index = static_cast<std::size_t>(id);
  if (known_.size() <= index) known_.resize(index + 1);
  return known_[index];
}

/// False where memory runs out.
bool ChainDrafter::take_slot(Known& known) {
  if (known.slot >= 0) return true;
  if (free_slots_.empty()) {
    const std::size_t width = decoder_.plan().hidden;
    const std::size_t more = std::max(2 * slots_, options_.max_requests);
    auto larger = kernels_->allocate(more * width * sizeof(float));
    if (larger == nullptr) return false;
    if (slots_ > 0) {
      const View<const float, 2> old[] = {matrix_in(*last_outputs_, slots_, width)};
      kernels_->concatenate(old, matrix_in(*larger, slots_, width));
    }
    last_outputs_ = std::move(larger);
    for (std::size_t slot = more; slot > slots_; --slot)
      free_slots_.push_back(static_cast<std::int32_t>(slot - 1));
    slots_ = more;
  }
  known.slot = free_slots_.back();
  free_slots_.pop_back();
  return true;
}

void ChainDrafter::forget(RequestId id) {
  Known& request = known(id);
  if (request.slot >= 0) free_slots_.push_back(request.slot);
  request.slot = -1;
  request.drafted.clear();
  cache_.forget(id);
}

void ChainDrafter::left(RequestId id) { forget(id); }

void ChainDrafter::extend(const CommittedRows& rows) {
  batch_.clear();
  for (std::size_t r = 0; r < rows.requests(); ++r) extend_request(rows, r);
  run_committed(rows.kept);
}

void ChainDrafter::extend_request(const CommittedRows& rows, std::size_t r) {
  const auto begin = static_cast<std::size_t>(rows.first_row[r]);
  const auto end = static_cast<std::size_t>(rows.first_row[r + 1]);
  if (begin == end) return;
  const RequestId id = rows.id[r];
  // A language model's row stands at its own token; with features it stands at the token before.
  const std::int32_t shift = features_ ? 0 : 1;
  if (rows.first_position[r] == 0) cache_.forget(id);  // anew
  const bool begins = shift == 1 && cache_.length(id) == 0;
  std::int32_t position = rows.first_position[r] + (begins ? 0 : shift);
  const std::int32_t count = static_cast<std::int32_t>(end - begin) + (begins ? 1 : 0);
  Known& request = known(id);
  const std::vector<std::int32_t> drafted = std::exchange(request.drafted, {});
  const std::int32_t behind = cache_.length(id);
  if (!take_slot(request) || !cache_.extend(id, position, count, rows.shared_of(r))) return forget(id);
  if (begins) add_row(id, position++, rows.tokens[begin], rows.target_rows[begin], rows.kept);
  bool computed = !features_ && !begins && position == behind;
  for (std::size_t row = begin; row < end; ++row, ++position) {
    // Rows of accepted drafts stand in the cache already, but for the last: its output is needed.
    const auto k = static_cast<std::size_t>(position - behind);
    computed = computed && row + 1 < end && k < drafted.size() && drafted[k] == rows.next_tokens[row];
    if (!computed) add_row(id, position, rows.next_tokens[row], rows.target_rows[row], rows.kept);
  }
  if (batch_.first_row.size() == batch_.id.size()) batch_.close();
}

void ChainDrafter::add_row(RequestId id, std::int32_t position, std::int32_t token, std::int32_t target_row,
                           std::span<const View<const float, 2>> kept) {
  if (batch_.tokens.size() == options_.max_rows) {
    if (batch_.first_row.size() == batch_.id.size()) batch_.close();
    run_committed(kept);
  }
  if (batch_.first_row.size() == batch_.id.size() + 1) batch_.open(id, position);
  batch_.tokens.push_back(token);
  batch_.target_rows.push_back(target_row);
}

void ChainDrafter::run_committed(std::span<const View<const float, 2>> kept) {
  if (batch_.tokens.empty()) return;
  const View<const float, 2> features =
      features_ ? features_->of(kept, batch_.target_rows) : View<const float, 2>();
  const DecoderOutput output =
      decoder_.forward(cache_.rows(batch_.id, batch_.first_row, batch_.first_position), batch_.tokens,
                       cache_.kv(), {}, features);
  computed_rows_ += static_cast<std::int64_t>(batch_.tokens.size());
  const auto last_outputs = matrix_in(*last_outputs_, slots_, decoder_.plan().hidden);
  for (std::size_t r = 0; r < batch_.id.size(); ++r) {
    const auto last = static_cast<std::size_t>(batch_.first_row[r + 1]) - 1;
    const View<const float, 2> row[] = {output.kept[0].rows(last, 1)};
    kernels_->concatenate(row, last_outputs.rows(static_cast<std::size_t>(known(batch_.id[r]).slot), 1));
  }
  batch_.clear();
}

void ChainDrafter::draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  distributions_ = {};
  list_active(requests, blocks);
  if (active_.empty() || !make_distributions(requests, blocks)) return;
  DecoderOutput output = first_outputs(requests);
  for (int k = 1;; ++k) {
    choose(requests, blocks, k, output.logits);
    std::erase_if(active_, [&](const Active& one) { return requests[one.request].planned <= k; });
    if (active_.empty()) return;
    output = next_outputs(requests, blocks, k, output);
  }
}

/// Those of whose texts all is known but what they are asked for.
void ChainDrafter::list_active(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  active_.clear();
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const DraftRequest& request = requests[r];
    DSPARK_INVARIANT(request.planned >= 0 && request.planned <= options_.block_size);
    const std::int32_t length = cache_.length(request.id);
    const auto told = static_cast<std::int32_t>(request.text.size()) - (features_ ? 1 : 0);
    const bool drafts = request.planned > 0 && length > 0 && length == told &&
                        cache_.reserve(request.id, length + request.planned - 1);
    blocks.drafted[r] = drafts ? request.planned : 0;
    known(request.id).drafted.clear();
    if (drafts) active_.push_back({r, static_cast<std::int32_t>(active_.size())});
  }
  DSPARK_INVARIANT(active_.size() <= options_.max_requests);
}

DecoderOutput ChainDrafter::first_outputs(std::span<const DraftRequest> requests) {
  const std::size_t width = decoder_.plan().hidden;
  rows_.clear();
  for (const Active& one : active_) rows_.push_back(known(requests[one.request].id).slot);
  const auto outputs = matrix_in(*first_buffer_, active_.size(), width);
  kernels_->gather(matrix_in(*last_outputs_, slots_, width), rows_, outputs);
  DecoderOutput output = decoder_.read_out(outputs);
  first_ = outputs;
  output.kept = {&first_, 1};
  return output;
}

/// Runs the tokens drafted at position k, whose features are what the last pass gave.
DecoderOutput ChainDrafter::next_outputs(std::span<const DraftRequest> requests, const DraftBlocks& blocks,
                                         int k, const DecoderOutput& last) {
  batch_.clear();
  rows_.clear();
  for (Active& one : active_) {
    const RequestId id = requests[one.request].id;
    rows_.push_back(std::exchange(one.row, static_cast<std::int32_t>(batch_.id.size())));
    batch_.open(id, cache_.length(id) + k - 1);
    batch_.tokens.push_back(blocks.tokens[entry(blocks, k, one.request)]);
    batch_.close();
    if (!features_) known(id).drafted.push_back(batch_.tokens.back());
  }
  View<float, 2> features;
  if (features_) {
    features = matrix_in(*fed_, active_.size(), decoder_.plan().hidden);
    kernels_->gather(options_.feeds_normed ? last.hidden : last.kept[0], rows_, features);
  }
  rows_.resize(active_.size());
  std::iota(rows_.begin(), rows_.end(), 0);
  computed_rows_ += static_cast<std::int64_t>(batch_.tokens.size());
  return decoder_.forward(cache_.rows(batch_.id, batch_.first_row, batch_.first_position), batch_.tokens,
                          cache_.kv(), rows_, features);
}

void ChainDrafter::choose(std::span<const DraftRequest> requests, const DraftBlocks& blocks, int k,
                          View<float, 2> logits) {
  rules_.clear();
  for (const Active& one : active_) rules_.push_back(requests[one.request].rule);
  chosen_.resize(active_.size());
  fill_signals(blocks, k, logits);
  if (soft_.asked()) soft_.keep(*kernels_, logits, rules_, entries(blocks, k), target_ids_);
  if (distributions_.empty()) {
    kernels_->largest(logits, chosen_);
  } else {
    draw(requests, blocks, k, logits);
  }
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const std::size_t at = entry(blocks, k, active_[i].request);
    const std::int32_t token = chosen_[i];
    blocks.tokens[at] = target_ids_.empty() ? token : target_ids_[static_cast<std::size_t>(token)];
    blocks.confidence[at] = kUnknownConfidence;
    if (distributions_.empty() && !blocks.chosen.empty()) blocks.chosen[at] = 1;
  }
  if (!distributions_.empty()) choose_tokens(*kernels_, requests, k, distributions_, blocks);
}

void ChainDrafter::fill_signals(const DraftBlocks& blocks, int k, View<const float, 2> logits) {
  if (blocks.top1.empty() && blocks.margin.empty() && blocks.entropy.empty()) return;
  for (auto* signal : {&top1_, &margin_, &entropy_}) signal->resize(active_.size());
  kernels_->signals(logits, rules_, {.top1 = top1_, .margin = margin_, .entropy = entropy_});
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const std::size_t at = entry(blocks, k, active_[i].request);
    if (!blocks.top1.empty()) blocks.top1[at] = top1_[i];
    if (!blocks.margin.empty()) blocks.margin[at] = margin_[i];
    if (!blocks.entropy.empty()) blocks.entropy[at] = entropy_[i];
  }
}

/// Where the active requests' position k stands in the columns.
std::span<const std::int32_t> ChainDrafter::entries(const DraftBlocks& blocks, int k) {
  rows_.clear();
  for (const Active& one : active_) rows_.push_back(static_cast<std::int32_t>(entry(blocks, k, one.request)));
  return rows_;
}

void ChainDrafter::draw(std::span<const DraftRequest> requests, const DraftBlocks& blocks, int k,
                        View<float, 2> logits) {
  keys_.clear();
  for (const Active& one : active_)
    keys_.push_back(requests[one.request].keys[static_cast<std::size_t>(k) - 1]);
  kernels_->probabilities(logits, rules_);
  kernels_->draw(logits, keys_, chosen_);
  const auto all = matrix_in(*distributions_buffer_, distributions_.shape[0], target_vocabulary_);
  kernels_->spread(logits, entries(blocks, k), target_ids_, all);
  if (blocks.chosen.empty()) return;
  for (std::size_t i = 0; i < active_.size(); ++i)
    kernels_->read(reinterpret_cast<const std::byte*>(logits.row(i) + chosen_[i]),
                   std::as_writable_bytes(blocks.chosen.subspan(static_cast<std::size_t>(rows_[i]), 1)));
}

/// Room for the distributions where a request draws, and for those that are asked for. False where memory
/// runs out: then nothing is drafted.
bool ChainDrafter::make_distributions(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  const bool draws = std::any_of(active_.begin(), active_.end(), [&](const Active& one) {
    return requests[one.request].rule.temperature > 0;
  });
  const std::size_t rows = static_cast<std::size_t>(options_.block_size) * blocks.stride;
  if (!soft_.begin(*kernels_, blocks.soft_distributions, rows, target_vocabulary_)) {
    std::fill(blocks.drafted.begin(), blocks.drafted.end(), 0);
    return false;
  }
  if (!draws) return true;
  const std::size_t bytes = rows * target_vocabulary_ * sizeof(float);
  if (distributions_buffer_ == nullptr || distributions_buffer_->bytes() < bytes) {
    distributions_buffer_.reset();
    distributions_buffer_ = kernels_->allocate(bytes);
  }
  if (distributions_buffer_ == nullptr) {
    std::fill(blocks.drafted.begin(), blocks.drafted.end(), 0);
    return false;
  }
  distributions_ = matrix_in(*distributions_buffer_, rows, target_vocabulary_);
  return true;
}

}  // namespace dspark
