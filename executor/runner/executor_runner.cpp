#include "executor/runner/executor_runner.h"

#include <algorithm>

#include "policies/invariant.h"

namespace dspark {
namespace {

/// The columns of these signals alone (a SignalSet).
DraftColumns only(DraftColumns columns, unsigned signals) {
  if ((signals & kTop1) == 0) columns.top1 = {};
  if ((signals & kMargin) == 0) columns.margin = {};
  if ((signals & kEntropy) == 0) columns.entropy = {};
  if ((signals & kChosen) == 0) columns.chosen = {};
  return columns;
}

double seconds_between(std::chrono::steady_clock::time_point begin,
                       std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

ExecutorRunner::ExecutorRunner(Kernels& kernels, TargetModel& target, Drafter* drafter, PromptSource& prompts,
                               RandomKey key, ExecutorRunnerOptions options)
    : kernels_(kernels),
      target_(target),
      drafter_(drafter),
      key_(key),
      options_(std::move(options)),
      texts_(prompts) {
  if (drafter_ != nullptr && options_.forced != nullptr) forced_.emplace(*options_.forced);
  if (options_.recorder != nullptr) {
    const bool has_head = drafter_ != nullptr && (forced_ || drafter_->has_confidence_head());
    options_.recorder->begin(block_size(), has_head);
  }
}

void ExecutorRunner::entered(RequestId id, const RequestSpec& spec) {
  texts_.enter(id, spec);
  if (options_.recorder != nullptr) options_.recorder->entered(id, spec);
}
void ExecutorRunner::left(RequestId id, std::int32_t produced) {
  if (options_.recorder != nullptr)
    options_.recorder->left(id, produced, texts_.committed(id, texts_.prompt_tokens(id) + produced));
  texts_.leave(id);
  if (drafter_ != nullptr) drafter_->left(id);
}

SamplingRule ExecutorRunner::rule(float temperature) const {
  SamplingRule rule = options_.sampling;
  rule.temperature = temperature;
  return rule;
}

DrawKey ExecutorRunner::draw_key(const PackedStep::Round& round, Stream stream, int offset) const {
  return {.key = {key_.low, key_.high},
          .counter = {round.source, round.ordinal,
                      static_cast<std::uint32_t>(round.anchor_position) |
                          static_cast<std::uint32_t>(round.attempt) << 24,
                      static_cast<std::uint32_t>(stream) << 24 | static_cast<std::uint32_t>(offset)}};
}

/// What is only done for the recorder is no part of what began at `begin`.
template <class Record>
void ExecutorRunner::outside_of(Time& begin, Record record) {
  const Time before = std::chrono::steady_clock::now();
  record();
  begin += std::chrono::steady_clock::now() - before;
}

void ExecutorRunner::list_draft_requests(const RunnerRows& rows, std::span<const int> block_size) {
  const auto depth = static_cast<std::size_t>(drafter_->block_size());
  draft_keys_.resize(rows.size() * depth);
  requests_.clear();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const PackedStep::Round round{.source = rows.source[r],
                                  .ordinal = rows.ordinal[r],
                                  .anchor_position = rows.anchor_position[r],
                                  .attempt = rows.attempt[r]};
    const std::span<DrawKey> keys(draft_keys_.data() + r * depth, depth);
    for (std::size_t k = 0; k < depth; ++k) {
      keys[k] = draw_key(round, Stream::kDraftToken, static_cast<int>(k));
    }
    requests_.push_back({.id = rows.id[r],
                         .text = texts_.committed(rows.id[r], rows.anchor_position[r] + 1),
                         .planned = block_size[r],
                         .rule = rule(rows.temperature[r]),
                         .keys = keys.first(static_cast<std::size_t>(block_size[r]))});
  }
}

DraftColumns ExecutorRunner::draft(const RunnerRows& rows, std::span<const int> block_size,
                                   const DraftRules& rules) {
  DSPARK_INVARIANT(drafter_ != nullptr);
  Time begin = std::chrono::steady_clock::now();
  stride_ = rows.size();
  const std::size_t entries = stride_ * static_cast<std::size_t>(drafter_->block_size());
  const unsigned computed = rules.signals | (options_.recorder != nullptr ? RoundRecorder::kSignals : 0);
  const auto asked = [&](std::vector<float>& column, unsigned signal) {
    column.assign((computed & signal) != 0 ? entries : 0, 0.0f);
  };
  drafted_.assign(stride_, 0);
  draft_tokens_.assign(entries, 0);
  confidence_.assign(entries, 0.0f);
  asked(top1_, kTop1);
  asked(margin_, kMargin);
  asked(entropy_, kEntropy);
  asked(chosen_, kChosen);
  asks_divergence_ = (rules.signals & kDivergence) != 0;
  list_draft_requests(rows, block_size);
  const DraftBlocks blocks{.stride = stride_,
                           .drafted = drafted_,
                           .tokens = draft_tokens_,
                           .confidence = confidence_,
                           .top1 = top1_,
                           .margin = margin_,
                           .entropy = entropy_,
                           .chosen = chosen_,
                           .soft_distributions = asks_divergence_};
  drafter_->draft(requests_, blocks);
  if (forced_) outside_of(begin, [&] { forced_->draft(key_, rows, block_size, blocks); });
  const DraftColumns all{.stride = stride_,
                         .drafted = drafted_,
                         .confidence = confidence_,
                         .top1 = top1_,
                         .margin = margin_,
                         .entropy = entropy_,
                         .chosen = chosen_};
  if (options_.recorder != nullptr) outside_of(begin, [&] { options_.recorder->drafted(block_size, all); });
  const DraftColumns columns = only(all, rules.signals);  // what policies see depends on no recorder
  const int depth = *std::max_element(block_size.begin(), block_size.end());
  if (rules.calibration != nullptr) rules.calibration->apply(columns, depth, confidence_);
  if (rules.stop != nullptr) {
    for (std::size_t r = 0; r < stride_; ++r) {
      drafted_[r] = drafted_until_stop(*rules.stop, columns, static_cast<int>(r), drafted_[r]);
    }
  }
  drafted_this_step_ = true;
  draft_end_ = std::chrono::steady_clock::now();
  draft_seconds_ = seconds_between(begin, draft_end_);
  return columns;
}

Verified ExecutorRunner::verify(const RunnerRows& rows, std::span<const int> submitted,
                                const StepShape& shape) {
  verify_begin_ = std::chrono::steady_clock::now();
  overhead_seconds_ = seconds_between(draft_end_, verify_begin_);
  step_.pack(rows, submitted, draft_tokens_, stride_, texts_);
  const TargetOutput output = target_.forward(step_.rows(), step_.tokens(), step_.logit_rows());
  divergence_.clear();
  acceptance_.clear();
  if (asks_divergence_ && !step_.draft_tokens().empty() && drafter_->has_soft_distributions()) {
    divergence_.compute(kernels_, step_, output.logits, drafter_->soft_distributions());
  }
  accepted_.assign(step_.rounds().size(), 0);
  next_token_.assign(step_.rounds().size(), 0);
  const bool greedy = std::all_of(step_.rounds().begin(), step_.rounds().end(),
                                  [](const PackedStep::Round& round) { return round.temperature == 0; });
  if (greedy) {
    accept_greedily(output.logits);
  } else {
    accept_by_sampling(output.logits);
  }
  if (forced_) force_outcomes();
  settle(rows);
  const StepSeconds seconds = duration(output.kept);
  const Verified verified{.accepted = accepted_by_row_,
                          .divergence = divergence_.column(),
                          .seconds = seconds,
                          .reply_end = reply_end_,
                          .first_token_ends = first_token_ends_};
  if (options_.recorder != nullptr)
    options_.recorder->verified(rows, submitted, shape, verified, acceptance_.column());
  return verified;
}

/// A draft is accepted while it is the target's most likely token.
void ExecutorRunner::accept_greedily(View<const float, 2> logits) {
  largest_.resize(logits.shape[0]);
  kernels_.largest(logits, largest_);
  const auto first = step_.first_logit_row();
  for (std::size_t i = 0; i < step_.rounds().size(); ++i) {
    const PackedStep::Round& round = step_.rounds()[i];
    const std::int32_t* target = largest_.data() + first[i];
    const std::int32_t* drafts = step_.draft_tokens().data() + round.first_draft;
    std::int32_t accepted = 0;
    while (accepted < round.submitted && drafts[accepted] == target[accepted]) ++accepted;
    accepted_[i] = accepted;
    next_token_[i] = target[accepted];
  }
}

void ExecutorRunner::accept_by_sampling(View<float, 2> logits) {
  rules_.clear();
  accept_keys_.clear();
  final_keys_.clear();
  for (const PackedStep::Round& round : step_.rounds()) {
    rules_.insert(rules_.end(), static_cast<std::size_t>(round.submitted) + 1, rule(round.temperature));
    for (int k = 0; k < round.submitted; ++k) accept_keys_.push_back(draw_key(round, Stream::kAcceptance, k));
    final_keys_.push_back(draw_key(round, Stream::kTargetToken, 0));
  }
  kernels_.probabilities(logits, rules_);
  const View<const float, 2> drafts = submitted_distributions();
  if (options_.recorder != nullptr && !forced_) {
    outside_of(verify_begin_,
               [&] { acceptance_.compute(kernels_, step_, logits, drafts, draft_tokens_.size()); });
  }
  kernels_.accept(step_.first_logit_row(), logits, drafts, step_.draft_tokens(), accept_keys_, final_keys_,
                  {.accepted = accepted_, .next_token = next_token_});
}

/// The models have decided what they would; the text goes on behind as many drafts as the outcomes say.
void ExecutorRunner::force_outcomes() {
  for (std::size_t i = 0; i < step_.rounds().size(); ++i) {
    const PackedStep::Round& round = step_.rounds()[i];
    if (!round.prompt) accepted_[i] = forced_->accepted(round.row, round.submitted);
  }
}

/// What the submitted drafts were drawn from, packed; empty where they were certain.
View<const float, 2> ExecutorRunner::submitted_distributions() {
  const std::size_t drafts = step_.draft_tokens().size();
  if (drafts == 0 || drafter_->distributions().empty()) return {};
  const std::size_t numbers = drafts * target_.vocab_size();
  if (distributions_.numbers() < numbers) distributions_ = DraftBuffer(kernels_, numbers);
  DSPARK_INVARIANT(distributions_.allocated());
  const View<float, 2> packed = distributions_.matrix(drafts, target_.vocab_size());
  kernels_.gather(drafter_->distributions(), step_.draft_entries(), packed);
  return packed;
}

/// Texts grow by what was accepted and the token after it, up to one that ends the reply.
void ExecutorRunner::settle(const RunnerRows& rows) {
  accepted_by_row_.assign(rows.size(), 0);
  reply_end_.assign(rows.size(), kUnlimited);
  first_token_ends_.assign(rows.prompts.size(), 0);
  const auto ends = [this](std::int32_t token) {
    return std::find(options_.end_tokens.begin(), options_.end_tokens.end(), token) !=
           options_.end_tokens.end();
  };
  for (std::size_t i = 0; i < step_.rounds().size(); ++i) {
    const PackedStep::Round& round = step_.rounds()[i];
    const auto drafts = step_.draft_tokens().subspan(static_cast<std::size_t>(round.first_draft),
                                                     static_cast<std::size_t>(round.submitted));
    std::int32_t delivered = 0;
    bool ended = false;
    while (!ended && delivered <= accepted_[i]) {
      const std::int32_t token =
          delivered < accepted_[i] ? drafts[static_cast<std::size_t>(delivered)] : next_token_[i];
      texts_.append(round.id, token);
      ended = ends(token);
      ++delivered;
    }
    if (round.prompt) {
      first_token_ends_[round.row] = ended ? 1 : 0;
    } else {
      accepted_by_row_[round.row] = accepted_[i];
      if (ended) reply_end_[round.row] = delivered;
    }
    if (options_.listener != nullptr) {
      options_.listener->round_verified({.id = round.id,
                                         .drafted = drafts,
                                         .accepted = accepted_[i],
                                         .next_token = next_token_[i],
                                         .delivered = delivered,
                                         .ended = ended});
    }
  }
}

/// Ends the step: what the drafter learns of it is drafting.
StepSeconds ExecutorRunner::duration(std::span<const View<const float, 2>> kept) {
  const Time verify_end = std::chrono::steady_clock::now();
  StepSeconds measured{.verify = seconds_between(verify_begin_, verify_end)};
  if (drafted_this_step_) {
    measured.draft = draft_seconds_;
    measured.overhead = overhead_seconds_;
  }
  if (drafter_ != nullptr) {
    committed_.collect(step_, accepted_, texts_);
    drafter_->extend(committed_.rows(kept));
    measured.draft += seconds_between(verify_end, std::chrono::steady_clock::now());
  }
  drafted_this_step_ = false;
  return options_.durations == nullptr ? measured : options_.durations->next(measured);
}

}  // namespace dspark
