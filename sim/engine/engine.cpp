#include "sim/engine/engine.h"

#include <algorithm>
#include <numeric>

#include "policies/invariant.h"

namespace dspark {

Engine::Engine(const EngineOptions& options, const BatchingPolicy& batching, DepthPolicy& policy,
               const StepCost& belief, Runner& runner, EngineHost& host, CoinStream& coins)
    : options_(options),
      batching_(batching),
      policy_(policy),
      traits_(policy.traits()),
      belief_(belief),
      runner_(runner),
      host_(host),
      coins_(coins),
      kv_(options.kv_blocks, options.block_tokens),
      history_(traits_.history) {
  DSPARK_INVARIANT(options.max_num_batched_tokens >= options.max_num_seqs);
}

void Engine::submit(const RequestSpec& spec) {
  DSPARK_INVARIANT(fits(spec));
  const RequestId id = requests_.add(spec, next_sequence_++);
  runner_.entered(id, spec);
  for (Watcher* watcher : watchers_) watcher->arrived(spec);
  if (options_.prefill == Prefill::kElsewhere) {
    host_.prefill_elsewhere(id, requests_[id].text_tokens());
  } else {
    enqueue(id);
  }
}

void Engine::prefill_done(RequestId id, VirtualTime now) {
  LiveRequest& request = requests_[id];
  ++request.produced;
  for (Watcher* watcher : watchers_) watcher->first_token_elsewhere(now, request.spec);
  deliver_after_prefill(request, now);
  if (request.produced >= request.spec.output_tokens()) {
    finish(id, now);
  } else {
    enqueue(id);
  }
}

std::optional<double> Engine::begin_step(VirtualTime now) {
  DSPARK_INVARIANT(!in_progress_);
  admit();
  if (running() == 0) return std::nullopt;
  in_progress_ = true;
  step_begin_ = now;
  waiting_at_begin_ = static_cast<int>(waiting_.size());
  plan();
  grant_rows();
  reserve();
  draft_and_choose();
  const StepShape price = shape();
  draft_rows_ = price.verified_tokens;
  verified_ = runner_.verify(runner_rows(), options_.cap_accept ? drafted_ : submitted_, price);
  const double seconds = verified_.seconds.total();
  DSPARK_INVARIANT(verified_.accepted.size() == rows_.size() && seconds > 0);
  accepted_.assign(verified_.accepted.begin(), verified_.accepted.end());
  for (std::size_t r = 0; r < accepted_.size() && options_.cap_accept; ++r) {
    accepted_[r] = std::min(accepted_[r], submitted_[r]);
  }
  return seconds;
}

void Engine::plan() {
  const int block_size = runner_.block_size();
  prefill_rows_ = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    // A round of l verified tokens may deliver l + 1: the length limit caps the block, the hidden end does
    // not.
    rows_.block_cap[r] = std::min(block_size, rows_.output_limit[r] - rows_.produced[r] - 1);
    rows_.planned[r] = block_size;
  }
  choose_after_drafting_ = false;
  if (rows_.size() == 0) return;
  if (traits_.signals & kDecodingTime) {
    rows_.decoding_seconds.resize(rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      rows_.decoding_seconds[r] =
          static_cast<float>(to_seconds(step_begin_ - requests_[rows_.id[r]].first_token));
    }
  }
  std::int64_t believed_prefill = 0;
  for (const PromptChunk& p : prefilling_) {
    believed_prefill += requests_[p.id].text_tokens() - requests_[p.id].computed;
  }
  const std::int64_t budget_left = options_.max_num_batched_tokens - static_cast<std::int64_t>(rows_.size());
  PlanView view{.request = rows_.for_policy(),
                .prefill_rows = static_cast<int>(std::min(believed_prefill, budget_left)),
                .block_size = block_size,
                .step = step_,
                .system = system_view(),
                .cost = &belief_,
                .coins = &coins_};
  BlockPlan blocks(rows_.planned);
  choose_after_drafting_ = policy_.plan(view, blocks) == PlanAnswer::kChoose;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    rows_.planned[r] = std::clamp(rows_.planned[r], 0, static_cast<int>(rows_.block_cap[r]));
  }
}

void Engine::grant_rows() {
  const int budget = options_.max_num_batched_tokens - static_cast<int>(rows_.size());
  const int wanted = std::accumulate(rows_.planned.begin(), rows_.planned.end(), 0);
  if (prefilling_.empty() && wanted <= budget) return;
  // Oldest first; rows are in no order. Who wants nothing is no candidate: without speculation, all rows.
  const std::size_t rows = rows_.size();
  oldest_first_.clear();
  for (std::size_t r = 0; r < rows; ++r) {
    if (rows_.planned[r] > 0) oldest_first_.push_back({requests_[rows_.id[r]].sequence, r});
  }
  for (std::size_t p = 0; p < prefilling_.size(); ++p) {
    oldest_first_.push_back({requests_[prefilling_[p].id].sequence, rows + p});
  }
  std::sort(oldest_first_.begin(), oldest_first_.end());
  candidates_.clear();
  for (const auto& [sequence, i] : oldest_first_) {
    const bool decoding = i < rows;
    const LiveRequest& request = requests_[decoding ? rows_.id[i] : prefilling_[i - rows].id];
    candidates_.push_back(
        {.decoding = decoding,
         .wanted_rows = decoding ? rows_.planned[i] : request.text_tokens() - request.computed});
  }
  granted_.assign(candidates_.size(), 0);
  batching_.grant(candidates_, budget, granted_);
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    DSPARK_INVARIANT(granted_[c] >= 0 && granted_[c] <= candidates_[c].wanted_rows);
    const std::size_t i = oldest_first_[c].second;
    (i < rows ? rows_.planned[i] : prefilling_[i - rows].rows) = granted_[c];
  }
}

void Engine::draft_and_choose() {
  for (const PromptChunk& p : prefilling_) prefill_rows_ += p.rows;
  const auto rows = rows_.size();
  drafts_ = {};
  drafted_.assign(rows, 0);
  submitted_.assign(rows, 0);
  chose_ = false;
  const int deepest = rows == 0 ? 0 : *std::max_element(rows_.planned.begin(), rows_.planned.end());
  const auto drafting =
      std::count_if(rows_.planned.begin(), rows_.planned.end(), [](int k) { return k > 0; });
  draft_and_overhead_seconds_ = belief_.draft_seconds(static_cast<int>(drafting), deepest) +
                                belief_.overhead_seconds(choose_after_drafting_);
  if (deepest == 0) {
    if (rows > 0) history_.push(rows_.id, {}, {});
    return;
  }
  const unsigned calibration_signals = calibration_ != nullptr ? calibration_->signals() : kConfidenceOnly;
  drafts_ = runner_.draft(runner_rows(), rows_.planned,
                          {.stop = policy_.draft_stop(),
                           .calibration = calibration_,
                           .signals = traits_.signals | calibration_signals});
  std::copy(drafts_.drafted.begin(), drafts_.drafted.end(), drafted_.begin());
  if (!choose_after_drafting_) {
    submitted_ = drafted_;
    if (traits_.history == 0) return;
  }
  frontier_.reset(drafts_);
  if (choose_after_drafting_) {
    chose_ = true;
    const Step step = policy_step();
    if (traits_.lossless) {
      policy_.choose(step, frontier_);
      std::copy(frontier_.admitted().begin(), frontier_.admitted().end(), submitted_.begin());
    } else {
      policy_.choose_in_hindsight({step, drafts_}, submitted_);
    }
  }
  if (traits_.history > 0) {
    history_.push(rows_.id, frontier_.sorted_survivals_for_history(), frontier_.survivals_for_history());
  }
}

SystemView Engine::system_view() const {
  return {.free_kv_blocks = kv_.free(),
          .kv_block_tokens = options_.block_tokens,
          .waiting_requests = static_cast<int>(waiting_.size()),
          .ttft_objective_seconds = options_.ttft_objective_seconds,
          .tpot_objective_seconds = options_.tpot_objective_seconds};
}

Step Engine::policy_step() const {
  Step step;
  step.request = rows_.for_policy();
  step.planned = rows_.planned;
  step.prefill_rows = prefill_rows_;
  step.step = step_;
  step.system = system_view();
  step.cost = &belief_;
  const AddedSeconds added = added_seconds(belief_, step.request, prefill_rows_);
  step.draft_and_overhead_seconds = draft_and_overhead_seconds_ + added.anchors;
  step.added_seconds_per_row = added.per_row;
  step.coins = &coins_;
  step.history = history_.view();
  return step;
}

StepShape Engine::shape() const {
  StepShape shape;
  shape.decode_requests = static_cast<int>(rows_.size());
  shape.prefill_rows = prefill_rows_;
  const int* submitted = submitted_.data();
  const int* drafted = drafted_.data();
  const int* planned = rows_.planned.data();
  const int* verified = options_.cap_accept ? drafted : submitted;
  int invalid = 0, tokens = 0, drafting = 0, deepest = 0, asked = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    invalid |= (submitted[r] < 0) | (submitted[r] > drafted[r]) | (drafted[r] > planned[r]);
    tokens += verified[r];
    drafting += planned[r] > 0 ? 1 : 0;
    deepest = std::max(deepest, drafted[r]);
    asked = std::max(asked, planned[r]);
  }
  DSPARK_INVARIANT(invalid == 0);
  shape.verified_tokens = tokens;
  shape.drafting_requests = drafting;
  shape.draft_steps = deepest;
  shape.asked_steps = asked;
  shape.chosen_after_drafting = chose_;
  shape.drafter_loaded = traits_.uses_drafter;
  shape.context_tokens = rows_.anchor_position;
  return shape;
}

RunnerRows Engine::runner_rows() const {
  RunnerRows rows = rows_.for_runner();
  rows.prompts = prefilling_;
  rows.requests = &requests_;
  return rows;
}

std::array<std::int64_t, 4> Engine::step_trace() const {
  const auto sum = [](std::span<const int> column) {
    return std::accumulate(column.begin(), column.end(), std::int64_t{0});
  };
  return {static_cast<std::int64_t>(rows_.size()), prefill_rows_, sum(submitted_), sum(accepted_)};
}

void Engine::end_step(VirtualTime now) {
  DSPARK_INVARIANT(in_progress_);
  settle_rounds();
  observe();
  const auto first_tokens =
      std::count_if(prefilling_.begin(), prefilling_.end(), [this](const PromptChunk& p) {
        return requests_[p.id].computed + p.rows >= requests_[p.id].text_tokens();
      });
  const StepRecord record{.begin = step_begin_,
                          .end = now,
                          .seconds = verified_.seconds.total(),
                          .prefill_rows = prefill_rows_,
                          .waiting_requests = waiting_at_begin_,
                          .running_requests = static_cast<int>(running()),
                          .kv_blocks_used = kv_.used(),
                          .block_size = rows_.planned,
                          .drafted = drafted_,
                          .verified = submitted_,
                          .accepted = accepted_,
                          .draft_rows = draft_rows_,
                          .delivered = delivered_,
                          .cut = cut_,
                          .previous_delivery = previous_delivery_,
                          .first_tokens = static_cast<int>(first_tokens),
                          .drafts = drafts_};
  for (Watcher* watcher : watchers_) watcher->step_ended(record);
  retire_finished(now);
  finish_prefills(now);
  ++step_;
  in_progress_ = false;
}

void Engine::settle_rounds() {
  const auto rows = rows_.size();
  delivered_.resize(rows);
  left_.resize(rows);
  cut_.resize(rows);
  finished_.resize(rows);
  previous_delivery_.assign(rows_.last_delivery.begin(), rows_.last_delivery.end());
  const int block_size = runner_.block_size();
  // Over bare columns: bytes may alias the vectors' own pointers, which would be read again for each row.
  const int* accepted = accepted_.data();
  const int* submitted = submitted_.data();
  const std::int32_t* end = rows_.output_tokens.data();
  const std::int32_t* produced = rows_.produced.data();
  std::int32_t* left = left_.data();
  std::int32_t* delivered = delivered_.data();
  std::uint8_t* finished = finished_.data();
  std::uint8_t* cut = cut_.data();
  int invalid = 0, ends = 0;
  for (std::size_t r = 0; r < rows; ++r) left[r] = end[r] - produced[r];
  if (!verified_.reply_end.empty()) {
    DSPARK_INVARIANT(verified_.reply_end.size() == rows);
    for (std::size_t r = 0; r < rows; ++r) left[r] = std::min(left[r], verified_.reply_end[r]);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    invalid |= (accepted[r] < 0) | (accepted[r] > submitted[r]) | (left[r] < 1);
    delivered[r] = std::min(accepted[r] + 1, left[r]);
    ends += delivered[r] == left[r] ? 1 : 0;
  }
  DSPARK_INVARIANT(invalid == 0);
  finishing_ = ends;
  for (std::size_t r = 0; r < rows; ++r) finished[r] = delivered[r] == left[r];
  // Whether the end was within reach, not whether it was hit: leaving out only the rounds that hit it would
  // leave the short ones and bias the accepted length.
  for (std::size_t r = 0; r < rows; ++r) cut[r] = left[r] <= block_size;
}

void Engine::observe() {
  StepOutcome outcome;
  outcome.request = rows_.for_policy();
  outcome.drafted = drafted_;
  outcome.verified = submitted_;
  outcome.accepted = accepted_;
  outcome.finished = finished_;
  outcome.seconds = verified_.seconds;
  outcome.prefill_rows = prefill_rows_;
  outcome.step = step_;
  outcome.drafts = drafts_;
  outcome.divergence = verified_.divergence;
  policy_.observe(outcome);
  if (calibration_ != nullptr) calibration_->observe(outcome);
}

void Engine::retire_finished(VirtualTime now) {
  rows_.deliver(delivered_, now);
  return_rejected_blocks();
  for (std::size_t r = finished_.size(); finishing_ > 0 && r-- > 0;) {
    if (!finished_[r]) continue;
    --finishing_;
    const RequestId id = rows_.id[r];
    requests_[id].produced = rows_.produced[r];
    rows_.swap_remove(r);
    finish(id, now);
  }
}

void Engine::deliver_after_prefill(LiveRequest& request, VirtualTime now) {
  if (request.first_token == kNever) {
    request.first_token = now;
  } else {
    for (Watcher* watcher : watchers_) watcher->resumed(now - request.last_token);
  }
  request.last_token = now;
}

void Engine::finish_prefills(VirtualTime now) {
  std::size_t kept = 0;
  for (std::size_t p = 0; p < prefilling_.size(); ++p) {
    const PromptChunk current = prefilling_[p];
    LiveRequest& request = requests_[current.id];
    request.computed += current.rows;
    keep_prefix(request);
    if (request.computed < request.text_tokens()) {
      prefilling_[kept++] = {current.id, 0};
      continue;
    }
    ++request.produced;  // the last prompt row gives the first token, or after a preemption the next one
    deliver_after_prefill(request, now);
    const bool ended = !verified_.first_token_ends.empty() && verified_.first_token_ends[p] != 0;
    if (ended || request.produced >= request.spec.output_tokens()) {
      finish(current.id, now);
    } else {
      rows_.push(current.id, request, options_.block_tokens);
    }
  }
  prefilling_.resize(kept);
}

}  // namespace dspark
