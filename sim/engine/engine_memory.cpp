// Who holds KV blocks: admission, growth, preemption by recompute.

#include <algorithm>

#include "policies/invariant.h"
#include "sim/engine/engine.h"

namespace dspark {

bool Engine::fits(const RequestSpec& spec) const {
  const std::int64_t longest =
      std::int64_t{spec.prompt_tokens} + spec.output_tokens() + runner_.block_size() + 1;
  return kv_.blocks_for(longest) <= kv_.total();
}

void Engine::enqueue(RequestId id) {
  const auto older = [this](RequestId a, RequestId b) {
    return requests_[a].sequence < requests_[b].sequence;
  };
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), id, older), id);
}

/// Whole blocks of the prompt that others may have computed.
int Engine::shareable_blocks(const RequestSpec& spec) const {
  if (!options_.prefix_caching || options_.prefill != Prefill::kInStep) return 0;
  return spec.reusable_prefix_tokens() / options_.block_tokens;
}

/// More of this request's prefix is being computed than is there.
bool Engine::is_computing_prefix(const RequestSpec& spec) const {
  const int shareable = shareable_blocks(spec);
  const int kept = static_cast<int>(kv_.kept(spec.prefix).size());
  return std::any_of(prefilling_.begin(), prefilling_.end(), [&](const PromptChunk& p) {
    const RequestSpec& other = requests_[p.id].spec;
    return other.prefix == spec.prefix && std::min(shareable, shareable_blocks(other)) > kept;
  });
}

/// What the request has computed of its prefix beyond the blocks that are kept is kept too.
void Engine::keep_prefix(const LiveRequest& request) {
  const int computed = std::min(shareable_blocks(request.spec), request.computed / options_.block_tokens);
  if (computed == 0) return;
  for (auto next = kv_.kept(request.spec.prefix).size(); next < static_cast<std::size_t>(computed); ++next) {
    kv_.keep(request.blocks[next], request.spec.prefix);
  }
}

void Engine::admit() {
  while (!waiting_.empty() && static_cast<int>(running()) < options_.max_num_seqs) {
    const RequestId id = waiting_.front();
    LiveRequest& request = requests_[id];
    // Room for the whole text and, unless it runs alone, for its first round: no step of its own preempts it
    // at once.
    const int headroom = running() == 0 ? 0 : 1 + runner_.block_size();
    const int shareable = shareable_blocks(request.spec);
    std::span<const BlockId> shared;
    if (shareable > 0) {
      if (is_computing_prefix(request.spec)) return;  // a moment later it is there
      shared = kv_.kept(request.spec.prefix);
      shared = shared.first(std::min(shared.size(), static_cast<std::size_t>(shareable)));
    }
    const auto held = std::count_if(shared.begin(), shared.end(),
                                    [this](BlockId block) { return kv_.references(block) > 0; });
    if (kv_.blocks_for(std::int64_t{request.text_tokens()} + headroom) - held > kv_.free()) return;
    waiting_.pop_front();
    for (const BlockId block : shared) kv_.retain(block);
    request.blocks.assign(shared.begin(), shared.end());
    request.computed = static_cast<std::int32_t>(shared.size()) * options_.block_tokens;
    grow(request.blocks, request.text_tokens());
    if (options_.prefill == Prefill::kElsewhere) {
      rows_.push(id, request, options_.block_tokens);
    } else {
      prefilling_.push_back({id, 0});
    }
  }
}

/// Gives every row its blocks where all fit, else says how many are missing.
bool Engine::reserve_or_count_deficit(int& deficit) {
  deficit = 0;
  const auto rows = rows_.size();
  const auto needed = [this](std::size_t r) { return rows_.anchor_position[r] + 1 + rows_.planned[r]; };
  // Listed without a branch: which few rows outgrow their blocks is not to be guessed.
  lacking_.resize(rows);
  std::size_t count = 0;
  std::uint32_t* lacking = lacking_.data();
  const std::int32_t* held = rows_.held_tokens.data();
  for (std::size_t r = 0; r < rows; ++r) {
    lacking[count] = static_cast<std::uint32_t>(r);
    count += needed(r) > held[r] ? 1 : 0;
  }
  lacking_.resize(count);
  for (const std::uint32_t r : lacking_) {
    deficit += kv_.blocks_for(needed(r)) - rows_.held_tokens[r] / options_.block_tokens;
  }
  if (deficit > kv_.free()) return false;
  for (const std::uint32_t r : lacking_) {
    std::vector<BlockId>& blocks = requests_[rows_.id[r]].blocks;
    grow(blocks, needed(r));
    rows_.held_tokens[r] = static_cast<std::int32_t>(blocks.size()) * options_.block_tokens;
  }
  return true;
}

void Engine::reserve() {
  int deficit = 0;
  if (reserve_or_count_deficit(deficit)) return;
  // Speculation never preempts anyone: first the blocks shrink to the slots already held.
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    rows_.planned[r] = std::clamp(rows_.held_tokens[r] - rows_.anchor_position[r] - 1, 0, rows_.planned[r]);
  }
  while (!reserve_or_count_deficit(deficit)) preempt_youngest();
}

void Engine::preempt_youngest() {
  DSPARK_INVARIANT(running() > 1);
  std::size_t row = rows_.size();
  std::size_t prompt = prefilling_.size();
  std::uint64_t youngest = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    const std::uint64_t sequence = requests_[rows_.id[r]].sequence;
    if (row == rows_.size() || sequence > youngest) youngest = sequence, row = r;
  }
  for (std::size_t p = 0; p < prefilling_.size(); ++p) {
    const std::uint64_t sequence = requests_[prefilling_[p].id].sequence;
    if ((row == rows_.size() && prompt == prefilling_.size()) || sequence > youngest)
      youngest = sequence, prompt = p;
  }
  RequestId id;
  if (prompt < prefilling_.size()) {
    id = prefilling_[prompt].id;
    prefilling_.erase(prefilling_.begin() + static_cast<std::ptrdiff_t>(prompt));
  } else {
    id = rows_.id[row];
    requests_[id].produced = rows_.produced[row];
    requests_[id].last_token = rows_.last_delivery[row];
    requests_[id].rounds = rows_.all_rounds[row];
    rows_.swap_remove(row);
  }
  LiveRequest& request = requests_[id];
  ++request.preemptions;
  shrink(request.blocks, 0);
  for (Watcher* watcher : watchers_) watcher->preempted(request.spec);
  if (options_.prefill == Prefill::kElsewhere) {
    host_.prefill_elsewhere(id, request.text_tokens());
  } else {
    enqueue(id);
  }
}

void Engine::grow(std::vector<BlockId>& blocks, std::int32_t tokens) {
  const auto needed = static_cast<std::size_t>(kv_.blocks_for(tokens));
  while (blocks.size() < needed) blocks.push_back(kv_.allocate());
}

void Engine::shrink(std::vector<BlockId>& blocks, std::int32_t tokens) {
  const auto kept = static_cast<std::size_t>(kv_.blocks_for(tokens));
  while (blocks.size() > kept) {
    kv_.release(blocks.back());
    blocks.pop_back();
  }
}

/// After delivery: blocks that held rejected rows only go back, all but the new anchor's slot stays.
void Engine::return_rejected_blocks() {
  const auto rows = rows_.size();
  const std::int32_t* held = rows_.held_tokens.data();
  const std::int32_t* anchor = rows_.anchor_position.data();
  std::int32_t most_spare = -1;
  for (std::size_t r = 0; r < rows; ++r) most_spare = std::max(most_spare, held[r] - anchor[r]);
  if (most_spare < options_.block_tokens) return;
  for (std::size_t r = 0; r < rows; ++r) {
    if (rows_.held_tokens[r] - options_.block_tokens < rows_.anchor_position[r] || finished_[r]) continue;
    std::vector<BlockId>& blocks = requests_[rows_.id[r]].blocks;
    shrink(blocks, rows_.anchor_position[r]);
    rows_.held_tokens[r] = static_cast<std::int32_t>(blocks.size()) * options_.block_tokens;
  }
}

void Engine::finish(RequestId id, VirtualTime now) {
  LiveRequest& request = requests_[id];
  shrink(request.blocks, 0);
  const RequestSpec spec = request.spec;
  for (Watcher* watcher : watchers_) {
    watcher->finished({.spec = spec,
                       .first_token = request.first_token,
                       .last_token = now,
                       .output_tokens = request.produced,
                       .preemptions = request.preemptions});
  }
  runner_.left(id, request.produced);
  requests_.remove(id);
  host_.request_finished(spec);
}

int Engine::count_held_blocks() const {
  std::vector<BlockId> held;
  const auto add = [&](RequestId id) {
    held.insert(held.end(), requests_[id].blocks.begin(), requests_[id].blocks.end());
  };
  for (const RequestId id : rows_.id) add(id);
  for (const PromptChunk& p : prefilling_) add(p.id);
  std::sort(held.begin(), held.end());
  return static_cast<int>(std::unique(held.begin(), held.end()) - held.begin());
}

}  // namespace dspark
