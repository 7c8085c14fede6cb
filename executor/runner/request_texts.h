#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/drafter.h"
#include "policies/invariant.h"
#include "sim/engine/runner.h"

namespace dspark {

/// What requests ask.
class PromptSource {
 public:
  virtual ~PromptSource() = default;
  /// The tokens of a request's prompt, spec.prompt_tokens of them. The same for the same source, ordinal,
  /// lengths and prefix; the first shared_prefix_tokens are a function of the prefix alone.
  virtual std::vector<std::int32_t> prompt(const RequestSpec& spec) = 0;
};

/// Prompt and reply of each request in the system, as tokens. What the engine committed of a round shows in
/// the next step; until then a text holds all that its last round gave.
class RequestTexts {
 public:
  explicit RequestTexts(PromptSource& prompts) : prompts_(prompts) {}

  void enter(RequestId id, const RequestSpec& spec) {
    const auto index = static_cast<std::size_t>(id);
    if (texts_.size() <= index) texts_.resize(index + 1);
    texts_[index] = prompts_.prompt(spec);
    DSPARK_INVARIANT(texts_[index].size() == static_cast<std::size_t>(spec.prompt_tokens));
    shared_.resize(texts_.size());
    shared_[index] = {spec.prefix, spec.reusable_prefix_tokens()};
    prompt_tokens_.resize(texts_.size());
    prompt_tokens_[index] = spec.prompt_tokens;
  }
  void leave(RequestId id) { texts_[static_cast<std::size_t>(id)].clear(); }

  /// The first `tokens` of a request's text; what stood behind them was not committed and is gone.
  std::span<const std::int32_t> committed(RequestId id, std::int32_t tokens) {
    std::vector<std::int32_t>& text = texts_[static_cast<std::size_t>(id)];
    DSPARK_INVARIANT(static_cast<std::size_t>(tokens) <= text.size());
    text.resize(static_cast<std::size_t>(tokens));
    return text;
  }
  /// All that is known of a request's text.
  std::span<const std::int32_t> of(RequestId id) const { return texts_[static_cast<std::size_t>(id)]; }
  std::int32_t prompt_tokens(RequestId id) const { return prompt_tokens_[static_cast<std::size_t>(id)]; }
  SharedPrefix shared(RequestId id) const { return shared_[static_cast<std::size_t>(id)]; }
  void append(RequestId id, std::int32_t token) { texts_[static_cast<std::size_t>(id)].push_back(token); }

 private:
  PromptSource& prompts_;
  std::vector<std::vector<std::int32_t>> texts_;  // by id
  std::vector<SharedPrefix> shared_;              // by id
  std::vector<std::int32_t> prompt_tokens_;       // by id
};

}  // namespace dspark
