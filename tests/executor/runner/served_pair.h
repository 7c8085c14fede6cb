#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "executor/drafter/drafter_choice.h"
#include "executor/machine/prompt_texts.h"
#include "executor/tokenizer/tokenizer.h"
#include "tests/executor/drafter/served_model.h"
#include "tests/executor/drafter/wrapped_drafter.h"
#include "tests/executor/runner/plain_pass.h"
#include "tests/executor/runner/token_law.h"

namespace dspark::testing {

/// Keeps what the blocks of its last step were drawn from.
class WitnessedDrafter final : public WrappedDrafter {
 public:
  using WrappedDrafter::WrappedDrafter;
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    inner_.draft(requests, blocks);
    stride_ = blocks.stride;
    place_.clear();
    for (std::size_t r = 0; r < requests.size(); ++r) place_[requests[r].id] = r;
  }
  /// (vocabulary), of a request's draft k, which was `token`.
  std::vector<float> drawn_from(Kernels& kernels, RequestId id, std::size_t k, std::int32_t token,
                                std::size_t vocabulary) const {
    std::vector<float> row(vocabulary);
    const View<const float, 2> all = inner_.distributions();
    if (all.empty()) {
      row[static_cast<std::size_t>(token)] = 1;
    } else {
      kernels.read(reinterpret_cast<const std::byte*>(all.row((k - 1) * stride_ + place_.at(id))),
                   std::as_writable_bytes(std::span(row)));
    }
    return row;
  }

 private:
  std::size_t stride_ = 0;
  std::map<RequestId, std::size_t> place_;
};

/// What a policy, or a fault, makes of the serving; what is not set stays.
struct PairServing {
  std::string policy = "fixed";
  Value parameters = {};
  std::function<std::unique_ptr<DepthPolicy>()> own_policy = {};
  StepCost::Parts belief = ServedTexts{}.belief;
  Drafter* own_drafter = nullptr;  // in the place of the pair's
  std::size_t replies = 0;         // behind each prompt
  int running = 16;                // requests side by side
  std::uint64_t seed = 3;
};

/// The pair that ships with one of its drafters, and the law of what it serves behind some of its prompts.
class ServedPair {
 public:
  static constexpr std::int32_t kReply = 16;  // tokens
  static constexpr int kGamma = 7;
  static constexpr int kRequests = 16;  // that run together

  /// drafter: a folder of the pair, or ngram.
  ServedPair(const std::string& drafter, const SamplingRule& rule)
      : rule_(rule),
        choice_{.what = drafter == "ngram" ? drafter : folder() + drafter, .block_size = kGamma},
        model_("../../../models/tiny/target", ElementType::kBf16,
               *layers_for(choice_, *read_model_config(folder() + "target")), {}, kRows),
        prompts_(read_prompts()),
        plain_(model_.decoder, *model_.kernels, prompts_, kRows) {
    auto made = make_drafter(choice_, model_.draft_target(), *model_.kernels, kRequests, 4096);
    if (!made) ADD_FAILURE() << to_string(made.error());
    drafter_ = *std::move(made);
  }

  Drafter& drafter() { return *drafter_; }
  Kernels& kernels() { return *model_.kernels; }

  /// Serves, and adds every token to `tests`.
  void serve(const PairServing& serving, TokenLawTests& tests) {
    Drafter& used = serving.own_drafter != nullptr ? *serving.own_drafter : *drafter_;
    const auto calibration = calibration_for(&used);
    WitnessedDrafter witness(used);
    ServedTexts served = model_.served(&witness, kGamma);
    served.policy = serving.policy;
    served.policy_parameters = serving.parameters;
    served.own_policy = serving.own_policy;
    served.belief = serving.belief;
    served.seed = serving.seed;
    served.engine.max_num_seqs = serving.running;
    served.calibration = calibration.get();
    served.sampling = rule_;
    std::vector<GivenRequest> requests;
    for (std::size_t i = 0; i < serving.replies * prompts_.size(); ++i)
      requests.push_back({.prompt = prompts_[i % prompts_.size()],
                          .output_limit = kReply,
                          .temperature = rule_.temperature});
    std::vector<std::vector<Round>> rounds(requests.size());
    served.on_round = [&](std::uint32_t ordinal, const VerifiedRound& round) {
      rounds[ordinal].push_back(kept(witness, round));
    };
    served.serve(std::move(requests));
    submitted += served.submitted;
    accepted += served.accepted;
    judge(served.replies, rounds, tests);
  }

  std::int64_t submitted = 0, accepted = 0;  // drafts
  std::int64_t outside = 0;                  // tokens that the rule cuts off at their place

 private:
  static constexpr std::size_t kRows = 256;
  struct Round {
    std::int32_t accepted = 0;
    std::vector<std::vector<float>> drawn_from;  // of the drafts up to the first that was rejected
  };

  static std::string folder() { return DSPARK_SOURCE_DIR "/tests/models/tiny/"; }

  /// Two lines of each domain, whose next tokens are the least certain of the first 24.
  static std::vector<std::vector<std::int32_t>> read_prompts() {
    const std::pair<const char*, std::vector<std::size_t>> chosen[] = {
        {"arithmetic", {7}}, {"code", {18}}, {"prose", {12, 15, 16, 18}}};
    const auto tokenizer = Tokenizer::read(folder() + "target");
    EXPECT_TRUE(tokenizer);
    std::vector<std::vector<std::int32_t>> prompts;
    for (const auto& [domain, lines] : chosen) {
      const auto text =
          read_prompt_text(folder() + "prompts/" + domain + ".txt", *tokenizer, /*by_line=*/true);
      EXPECT_TRUE(text);
      for (const std::size_t line : lines)
        prompts.emplace_back(text->tokens.begin() + static_cast<std::ptrdiff_t>(text->begins.at(line)),
                             text->tokens.begin() + static_cast<std::ptrdiff_t>(text->begins.at(line + 1)));
    }
    return prompts;
  }

  Round kept(const WitnessedDrafter& witness, const VerifiedRound& round) {
    Round kept{.accepted = round.accepted, .drawn_from = {}};
    const std::size_t judged = std::min(round.drafted.size(), static_cast<std::size_t>(round.accepted) + 1);
    for (std::size_t k = 1; k <= judged; ++k)
      kept.drawn_from.push_back(
          witness.drawn_from(kernels(), round.id, k, round.drafted[k - 1], model_.decoder.plan().vocabulary));
    return kept;
  }

  void judge(const std::vector<std::vector<std::int32_t>>& replies,
             const std::vector<std::vector<Round>>& rounds, TokenLawTests& tests) {
    for (std::size_t prompt = 0; prompt < prompts_.size(); ++prompt) {
      std::map<std::vector<std::int32_t>, std::vector<std::size_t>> ordinals;  // of each text
      for (std::size_t i = prompt; i < replies.size(); i += prompts_.size())
        ordinals[replies[i]].push_back(i);
      std::vector<std::vector<std::int32_t>> texts;
      for (const auto& [text, of_it] : ordinals) texts.push_back(text);
      std::vector<std::vector<double>> laws;
      plain_.each(prompt, texts, [&](std::size_t t, std::size_t position, std::span<const float> logits) {
        if (position == 0) laws.clear();
        laws.push_back(probabilities_of(logits, rule_));
        const auto token = static_cast<std::size_t>(texts[t][position]);
        if (laws.back()[token] == 0 && is_cut_off(logits, token))
          outside += static_cast<std::int64_t>(ordinals[texts[t]].size());
        if (position + 1 < texts[t].size()) return;
        for (const std::size_t i : ordinals[texts[t]])
          add(static_cast<std::int32_t>(prompt), texts[t], rounds[i], laws, tests);
      });
    }
  }

  /// With a little more of the probability kept, so that no rounding decides.
  bool is_cut_off(std::span<const float> logits, std::size_t token) const {
    SamplingRule wider = rule_;
    wider.top_p = std::min(1.0F, rule_.top_p + 1e-5F);
    return probabilities_of(logits, wider)[token] == 0;
  }

  static void add(std::int32_t prompt, const std::vector<std::int32_t>& text,
                  const std::vector<Round>& rounds, const std::vector<std::vector<double>>& laws,
                  TokenLawTests& test) {
    test.begin_reply(prompt);
    std::size_t position = 0;
    int before = 0;
    for (const Round& round : rounds) {
      for (std::size_t k = 0; k <= static_cast<std::size_t>(round.accepted) && position < text.size(); ++k) {
        const bool drafted = k < round.drawn_from.size();
        ServedToken token{.token = text[position], .accepted_before = before};
        if (drafted) token.draft_position = static_cast<int>(k) + 1, token.draft = round.drawn_from[k];
        test.add(token, laws[position++]);
      }
      before = round.accepted;
    }
    EXPECT_EQ(position, text.size());
  }

  SamplingRule rule_;
  DrafterChoice choice_;
  ServedModel model_;
  std::vector<std::vector<std::int32_t>> prompts_;
  PlainPass plain_;
  std::unique_ptr<Drafter> drafter_;
};

}  // namespace dspark::testing
