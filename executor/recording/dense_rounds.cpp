#include "executor/recording/dense_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "executor/recording/text_coupling.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

/// A uniform of (0, 1) from one word of a draw.
double uniform(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

/// Texts that go through the target and the drafter side by side, each in KV blocks of its own.
class DenseBatch {
 public:
  DenseBatch(Kernels& kernels, TargetModel& target, Drafter& drafter, const DenseOptions& options,
             std::span<WrittenText> texts)
      : kernels_(kernels),
        target_(target),
        drafter_(drafter),
        options_(options),
        texts_(texts),
        block_size_(static_cast<std::size_t>(drafter.block_size())) {}

  void record(Rounds& rounds) {
    probabilities_.resize(texts_.size());
    written_.clear();
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      written_.push_back(texts_[i].tokens.size());
      read_target(i);
      tell(i, 0, static_cast<std::size_t>(texts_[i].prompt_tokens));
    }
    recorded_.assign(texts_.size(), {});
    for (std::size_t step = 0; draft_at(step); ++step) {
    }
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      drafter_.left(id_of(i));
      for (const Recorded& one : recorded_[i]) append(i, one, rounds);
    }
  }

 private:
  struct Recorded {
    std::int32_t anchor = 0;
    int drafted = 0;
    int accepted = 0;
    std::vector<float> confidence = {}, top1 = {}, margin = {}, entropy = {}, chosen = {}, acceptance = {};
  };

  static RequestId id_of(std::size_t text) { return static_cast<RequestId>(text); }
  bool draws(std::size_t text) const { return texts_[text].rule.temperature > 0; }

  /// Runs rows `first` .. of a text, with the logits of those from `first_logit`.
  TargetOutput forward(std::size_t text, std::size_t first, std::size_t count, std::size_t first_logit) {
    const auto tokens = static_cast<std::size_t>(options_.block_tokens);
    const std::size_t width = (texts_[text].tokens.size() + tokens - 1) / tokens;
    table_.resize(width);
    std::iota(
        table_.begin(), table_.end(),
        static_cast<std::int32_t>(text * (static_cast<std::size_t>(options_.kv_blocks) / texts_.size())));
    first_row_ = {0, static_cast<std::int32_t>(count)};
    first_position_ = {static_cast<std::int32_t>(first)};
    logit_rows_.clear();
    for (std::size_t row = std::max(first, first_logit); row < first + count; ++row)
      logit_rows_.push_back(static_cast<std::int32_t>(row - first));
    return target_.forward({first_row_, first_position_, {table_.data(), {1, width}}},
                           std::span(texts_[text].tokens).subspan(first, count), logit_rows_);
  }

  /// What the target expects behind each token of the reply; writes on at its end.
  void read_target(std::size_t text) {
    WrittenText& written = texts_[text];
    const auto reply = static_cast<std::size_t>(written.prompt_tokens);
    std::size_t row = 0;
    while (row < written.tokens.size()) {
      const std::size_t most = row < reply ? std::min(reply - row, rows_at_once()) : logits_at_once();
      const std::size_t count = std::min(written.tokens.size() - row, most);
      const TargetOutput output = forward(text, row, count, reply);
      row += count;
      if (row <= reply) continue;
      const std::int32_t next = read_distributions(text, output.logits);
      if (row == written.tokens.size() && row + 1 < written_[text] + block_size_)
        written.tokens.push_back(next);
    }
  }

  /// Returns the token that the target writes behind the last row.
  std::int32_t read_distributions(std::size_t text, View<float, 2> logits) {
    const std::size_t rows = logits.shape[0];
    std::int32_t next = 0;
    if (!draws(text)) {
      largest_.resize(rows);
      kernels_.largest(logits, largest_);
      return largest_.back();
    }
    rules_.assign(rows, texts_[text].rule);
    kernels_.probabilities(logits, rules_);
    const WrittenText& written = texts_[text];
    const DrawKey key = draw_key(text, kText, written.tokens.size() - 1, 0);
    kernels_.draw(logits.rows(rows - 1, 1), {&key, 1}, {&next, 1});
    std::vector<float>& all = probabilities_[text];
    const std::size_t begin = all.size();
    all.resize(begin + rows * logits.shape[1]);
    kernels_.read(reinterpret_cast<const std::byte*>(logits.data),
                  std::as_writable_bytes(std::span(all).subspan(begin)));
    return next;
  }

  /// What a draw at an anchor is for; the attempt's place in the key.
  enum Purpose : std::uint32_t { kDraft, kCoin, kText };

  DrawKey draw_key(std::size_t text, Purpose purpose, std::size_t anchor, std::size_t offset) const {
    return {.key = {options_.key.low, options_.key.high},
            .counter = {
                request_word(text), 0,
                static_cast<std::uint32_t>(anchor) | static_cast<std::uint32_t>(purpose) << 24,
                static_cast<std::uint32_t>(Stream::kDenseRound) << 24 | static_cast<std::uint32_t>(offset)}};
  }
  RandomWords coin_words(std::size_t text, std::size_t anchor, std::size_t offset) const {
    return draw_words(options_.key, Stream::kDenseRound, request_word(text), 0,
                      static_cast<std::uint32_t>(anchor), kCoin, static_cast<std::uint32_t>(offset));
  }
  std::uint32_t request_word(std::size_t text) const {
    return static_cast<std::uint32_t>(texts_[text].request);
  }

  /// The drafter learns of these rows.
  void tell(std::size_t text, std::size_t first, std::size_t count) {
    const std::span<const std::int32_t> tokens = texts_[text].tokens;
    const RequestId id = id_of(text);
    for (std::size_t row = first; row < first + count;) {
      const std::size_t rows = std::min(first + count - row, rows_at_once());
      std::span<const View<const float, 2>> kept;
      if (!drafter_.target_layers().empty())
        kept = forward(text, row, rows, std::numeric_limits<std::size_t>::max()).kept;
      const std::int32_t first_row[] = {0, static_cast<std::int32_t>(rows)};
      const auto position = static_cast<std::int32_t>(row);
      target_rows_.resize(rows);
      std::iota(target_rows_.begin(), target_rows_.end(), 0);
      drafter_.extend({.id = {&id, 1},
                       .first_row = first_row,
                       .first_position = {&position, 1},
                       .tokens = tokens.subspan(row, rows),
                       .next_tokens = tokens.subspan(row + 1, rows),
                       .target_rows = target_rows_,
                       .kept = kept});
      row += rows;
    }
  }

  /// One round of each text whose reply goes on; false where none does.
  bool draft_at(std::size_t step) {
    list_requests(step);
    if (requests_.empty()) return false;
    const std::size_t entries = requests_.size() * block_size_;
    drafted_.assign(requests_.size(), 0);
    tokens_.assign(entries, 0);
    for (auto* column : {&confidence_, &top1_, &margin_, &entropy_, &chosen_}) column->assign(entries, 0);
    drafter_.draft(requests_, {.stride = requests_.size(),
                               .drafted = drafted_,
                               .tokens = tokens_,
                               .confidence = confidence_,
                               .top1 = top1_,
                               .margin = margin_,
                               .entropy = entropy_,
                               .chosen = chosen_});
    const bool certain = drafter_.distributions().empty();
    for (std::size_t r = 0; r < requests_.size(); ++r) keep(r, certain);
    for (const std::size_t text : active_)
      tell(text, static_cast<std::size_t>(texts_[text].prompt_tokens) + step, 1);
    return true;
  }

  void list_requests(std::size_t step) {
    active_.clear();
    couplings_.clear();
    requests_.clear();
    keys_.clear();
    for (std::size_t i = 0; i < texts_.size(); ++i)
      if (static_cast<std::size_t>(texts_[i].prompt_tokens) + step + 1 < written_[i]) active_.push_back(i);
    couplings_.reserve(active_.size());
    keys_.resize(active_.size() * block_size_);
    coins_.resize(keys_.size());
    redraws_.resize(keys_.size());
    for (std::size_t r = 0; r < active_.size(); ++r) add_request(r, step);
  }

  void add_request(std::size_t r, std::size_t step) {
    const std::size_t text = active_[r];
    const std::span<const std::int32_t> tokens = texts_[text].tokens;
    const std::size_t anchor = static_cast<std::size_t>(texts_[text].prompt_tokens) + step;
    for (std::size_t k = 0; k < block_size_; ++k) {
      const std::size_t at = r * block_size_ + k;
      keys_[at] = draw_key(text, kDraft, anchor, k);
      const RandomWords coins = coin_words(text, anchor, k);
      coins_[at] = uniform(coins[0]);
      redraws_[at] = uniform(coins[1]);
    }
    const auto of_request = [&](auto& all) { return std::span(all).subspan(r * block_size_, block_size_); };
    std::span<const float> target;
    const std::size_t vocabulary = target_.vocab_size();
    if (draws(text))
      target = std::span(probabilities_[text]).subspan(step * vocabulary, block_size_ * vocabulary);
    couplings_.emplace_back(tokens.subspan(anchor + 1, block_size_), target, of_request(coins_),
                            of_request(redraws_));
    requests_.push_back({.id = id_of(text),
                         .text = tokens.first(anchor + 1),
                         .planned = drafter_.block_size(),
                         .rule = texts_[text].rule,
                         .keys = of_request(keys_),
                         .choice = &couplings_.back()});
  }

  void keep(std::size_t r, bool certain) {
    const std::size_t text = active_[r];
    Recorded one{.anchor = static_cast<std::int32_t>(requests_[r].text.size()) - 1, .drafted = drafted_[r]};
    const auto entry = [&](int k) { return static_cast<std::size_t>(k - 1) * requests_.size() + r; };
    if (certain || !draws(text)) {
      const std::int32_t* next = texts_[text].tokens.data() + one.anchor + 1;
      while (one.accepted < one.drafted && tokens_[entry(one.accepted + 1)] == next[one.accepted])
        ++one.accepted;
    } else {
      one.accepted = couplings_[r].accepted();
      one.acceptance = couplings_[r].acceptance();
    }
    for (int k = 1; k <= one.drafted; ++k) {
      one.confidence.push_back(confidence_[entry(k)]);
      one.top1.push_back(top1_[entry(k)]);
      one.margin.push_back(margin_[entry(k)]);
      one.entropy.push_back(entropy_[entry(k)]);
      one.chosen.push_back(chosen_[entry(k)]);
    }
    recorded_[text].push_back(std::move(one));
  }

  void append(std::size_t text, const Recorded& one, Rounds& rounds) const {
    rounds.request.push_back(texts_[text].request);
    rounds.round.push_back(one.anchor - texts_[text].prompt_tokens);
    rounds.anchor_position.push_back(one.anchor);
    rounds.domain.push_back(texts_[text].domain);
    rounds.drafted.push_back(one.drafted);
    rounds.verified.push_back(one.drafted);
    rounds.accepted.push_back(one.accepted);
    const auto put = [&](std::vector<float>& column, const std::vector<float>& values) {
      column.insert(column.end(), values.begin(), values.end());
      column.resize(rounds.size() * block_size_, std::numeric_limits<float>::quiet_NaN());
    };
    if (drafter_.has_confidence_head()) put(rounds.confidence, one.confidence);
    put(rounds.top1, one.top1);
    put(rounds.margin, one.margin);
    put(rounds.entropy, one.entropy);
    put(rounds.chosen, one.chosen);
    put(rounds.acceptance, one.acceptance);
  }

  std::size_t rows_at_once() const { return static_cast<std::size_t>(options_.max_rows); }
  std::size_t logits_at_once() const {
    return static_cast<std::size_t>(std::min(options_.max_logit_rows, options_.max_rows));
  }

  Kernels& kernels_;
  TargetModel& target_;
  Drafter& drafter_;
  const DenseOptions& options_;
  std::span<WrittenText> texts_;
  std::size_t block_size_;
  std::vector<std::size_t> written_;               // (texts) tokens before the target wrote on
  std::vector<std::vector<float>> probabilities_;  // (texts) of the target, from the reply's first token on
  std::vector<std::vector<Recorded>> recorded_;    // (texts)

  std::vector<std::int32_t> table_, first_row_, first_position_, logit_rows_, largest_, target_rows_;
  std::vector<SamplingRule> rules_;
  std::vector<std::size_t> active_;  // texts of this step
  std::vector<DraftRequest> requests_;
  std::vector<TextCoupling> couplings_;
  std::vector<DrawKey> keys_;
  std::vector<double> coins_, redraws_;
  std::vector<int> drafted_;
  std::vector<std::int32_t> tokens_;
  std::vector<float> confidence_, top1_, margin_, entropy_, chosen_;
};

/// Columns that no round fills are empty.
void drop_unknown(std::vector<float>& column) {
  if (std::all_of(column.begin(), column.end(), [](float value) { return value != value; })) column.clear();
}

}  // namespace

Result<Rounds> dense_rounds(Kernels& kernels, TargetModel& target, Drafter& drafter,
                            std::vector<WrittenText> texts, const DenseOptions& options) {
  Rounds rounds{.block_size = drafter.block_size(), .domain_names = options.domains};
  std::size_t longest = 0;
  for (const WrittenText& text : texts) {
    DSPARK_INVARIANT(text.prompt_tokens >= 1 &&
                     text.tokens.size() >= static_cast<std::size_t>(text.prompt_tokens) + 2);
    longest = std::max(longest, text.tokens.size() + static_cast<std::size_t>(drafter.block_size()));
  }
  const auto tokens = static_cast<std::size_t>(options.block_tokens);
  const std::size_t fit =
      static_cast<std::size_t>(options.kv_blocks) / std::max<std::size_t>(1, (longest + tokens - 1) / tokens);
  if (fit == 0) {
    return Error{fmt::format("a text of {} tokens does not fit into {} KV blocks of {} tokens", longest,
                             options.kv_blocks, options.block_tokens)};
  }
  const std::size_t together = std::min(fit, static_cast<std::size_t>(options.max_texts));
  for (std::size_t begin = 0; begin < texts.size(); begin += together) {
    const auto batch = std::span(texts).subspan(begin, std::min(together, texts.size() - begin));
    DenseBatch(kernels, target, drafter, options, batch).record(rounds);
    if (options.progress && !options.progress(begin + batch.size())) return Error{"interrupted"};
  }
  drop_unknown(rounds.acceptance);
  return rounds;
}

}  // namespace dspark
