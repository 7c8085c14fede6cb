#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/depth/signals.h"
#include "policies/depth/survival_frontier.h"

namespace dspark {

/// A request's number for its whole life, dense from 0; numbers are used again after a request has ended.
enum class RequestId : std::int32_t {};

/// Coins of a policy's own (bandits, ε-greedy): a stream that no other draw shares, keyed by step, so that
/// using it changes nobody else's luck.
class CoinStream {
 public:
  virtual ~CoinStream() = default;
  /// The next uniform of this step, in (0, 1).
  virtual double uniform() = 0;
};

/// What is known of the running requests before a step drafts. Rows are 0..requests()-1, as in `Step`.
struct RequestColumns {
  std::span<const RequestId> id = {};
  std::span<const std::int32_t> rounds = {};     // rounds completed since it joined, or rejoined, the batch
  std::span<const std::int32_t> context = {};    // tokens before the anchor
  std::span<const std::int32_t> produced = {};   // output tokens so far
  std::span<const std::int32_t> block_cap = {};  // largest block its length limit leaves room for; <= γ
  /// Seconds since its first token; empty unless traits().signals has kDecodingTime.
  std::span<const float> decoding_seconds = {};
};

/// What is known of the system before a step: for rules that look at memory, queues or promises.
struct SystemView {
  int free_kv_blocks = 0;
  int kv_block_tokens = 0;
  int waiting_requests = 0;
  double ttft_objective_seconds = 0;  // latency objectives; 0: none was given
  double tpot_objective_seconds = 0;
};

/// The token that a drafter has just drawn for one request.
struct DraftedToken {
  int position = 1;            // k, from 1
  double survival_before = 1;  // c_1 · … · c_{k-1}: probability that all tokens before it are accepted
  PreDrawSignals before = {};  // known before x_k was drawn
  PostDrawSignals after = {};  // known since
};

/// Sees one request's token x_k after it was drawn and decides whether x_{k+1} is drafted too. x_k itself is
/// always submitted, so post-draw signals are safe here. Nothing flows from here to `choose` but the
/// frontier's end, and only `plan` and `observe` may change what it depends on (LOSSLESS.md, consequence 3).
class DraftStop {
 public:
  virtual ~DraftStop() = default;
  /// True: draft the next position too (up to the planned block).
  virtual bool keep_drafting(const DraftedToken& token) const = 0;
};

/// Draft tokens of one request that `stop` lets through, at most `planned`; the signals of its whole block
/// are in `drafts`.
int drafted_until_stop(const DraftStop& stop, const DraftColumns& drafts, int request, int planned);

/// What requests and contexts are believed to add to a step (StepCost::terms_seconds).
struct AddedSeconds {
  double anchors =
      0;  // of all requests with one row each, and of prompt rows, counted as having their mean context
  double per_row = 0;  // of each further row, at that mean
};
AddedSeconds added_seconds(const StepCost& cost, const RequestColumns& request, int prefill_rows);

/// Before drafting: batch, history, prices.
struct PlanView {
  RequestColumns request = {};
  int prefill_rows = 0;   // believed prompt rows of this step
  int block_size = 0;     // γ of the drafter: no block is larger
  std::int64_t step = 0;  // from 0
  SystemView system = {};
  const StepCost* cost = nullptr;
  CoinStream* coins = nullptr;

  int requests() const { return static_cast<int>(request.id.size()); }
  /// Believed seconds of this step if every request drafts and verifies k tokens.
  double seconds(int k) const;
};

enum class PlanAnswer {
  kChoose,     // `choose` is asked after drafting
  kVerifyAll,  // all that is drafted is verified: the rule has answered, `choose` costs nothing
};

/// Planned block sizes, one per request; all γ unless set. The engine caps each by the request's length
/// limit.
class BlockPlan {
 public:
  explicit BlockPlan(std::span<int> block_size) : block_size_(block_size) {}
  void set_all(int k) {
    for (int& size : block_size_) size = k;
  }
  void set(int request, int k) { block_size_[static_cast<std::size_t>(request)] = k; }
  int of(int request) const { return block_size_[static_cast<std::size_t>(request)]; }

 private:
  std::span<int> block_size_;
};

/// All survivals of an earlier step, over everything that was drafted then, verified or not.
struct EarlierStep {
  int requests = 0;                      // decoding requests of that step; 0: there was no such step
  std::span<const float> survival = {};  // above 0, from the largest
  std::span<const RequestId> id = {};    // (requests) who they were
  /// (γ of that step, requests): position k of row r at (k - 1) * requests + r; 0 where nothing was drafted.
  /// A request is the same one only if it has completed `lag` rounds since: numbers are used again.
  std::span<const float> by_request = {};

  int longest_block() const { return requests == 0 ? 0 : static_cast<int>(by_request.size()) / requests; }
};

/// After drafting, before verification: what `choose` may know beside the frontier. Prices use planned block
/// sizes, never this step's drafted lengths.
class Step {
 public:
  int requests() const { return static_cast<int>(request.id.size()); }
  /// Believed seconds of this step if `admitted` draft tokens are verified in all.
  double seconds(int admitted, CostForm form = CostForm::kStaircase) const {
    const double seconds = draft_and_overhead_seconds +
                           cost->verify_seconds(requests(), requests() + prefill_rows + admitted, form);
    if (added_seconds_per_row == 0) [[likely]]
      return seconds;
    return seconds + added_seconds_per_row * admitted;
  }
  /// The same for `admitted`, admitted + 1, …, one for each of `seconds`; at least one request.
  void seconds_from(int admitted, CostForm form, std::span<double> seconds) const;
  /// The step `lag` (>= 1) before this one.
  EarlierStep earlier(int lag) const;

  RequestColumns request = {};
  std::span<const int> planned = {};  // (requests) planned block sizes
  int prefill_rows = 0;
  std::int64_t step = 0;
  SystemView system = {};
  const StepCost* cost = nullptr;
  double draft_and_overhead_seconds = 0;  // and AddedSeconds::anchors
  double added_seconds_per_row = 0;       // AddedSeconds::per_row
  CoinStream* coins = nullptr;
  std::span<const EarlierStep> history = {};  // [0] is the step before this one
};

/// What a finished step showed: outcomes of verified positions only.
struct StepOutcome {
  RequestColumns request = {};                  // as they stood when the step began
  std::span<const int> drafted = {};            // (requests)
  std::span<const int> verified = {};           // (requests)
  std::span<const int> accepted = {};           // (requests), <= verified
  std::span<const std::uint8_t> finished = {};  // (requests) 1 where the request ended with this step
  StepSeconds seconds = {};                     // the step's duration
  int prefill_rows = 0;
  std::int64_t step = 0;
  DraftColumns drafts = {};  // read positions 1..verified only: `signals` enforces it
  std::span<const float>
      divergence;  // KL(p_t || p_d) of verified positions, columns as in `drafts`; or empty

  int requests() const { return static_cast<int>(verified.size()); }
  PreDrawSignals signals(int request_row, int k) const;
};

/// Everything, drawn tokens and where known outcomes included: for rules that anticipate and say so.
struct HindsightView {
  const Step& step;
  const DraftColumns& drafts;
};

/// What a policy is, beyond its code.
struct PolicyTraits {
  bool lossless = true;                // false: it looks further than the frontier; reports print it
  bool uses_drafter = true;            // false: no drafter is loaded, so none is idle either
  unsigned signals = kConfidenceOnly;  // SignalSet
  int history = 0;                     // largest lag of `Step::earlier`
  bool outcomes = false;               // reads accepted_if_verified, which a real machine does not know
  int deepest = 0;  // block that it always asks for; refused where γ is smaller. 0: any γ will do
};

/// How many draft tokens are verified, for which request. Three moments, each with a default, so that most
/// rules implement one: `plan` before drafting, `choose` on the frontier after it, `observe` after the step.
/// One object serves one replica; calls come in order, from one thread. See docs/policy_author.md.
class DepthPolicy {
 public:
  virtual ~DepthPolicy() = default;

  virtual PolicyTraits traits() const { return {}; }
  /// Default: every request drafts its whole block, and `choose` decides.
  virtual PlanAnswer plan(const PlanView&, BlockPlan&) { return PlanAnswer::kChoose; }
  /// The rule that stops drafting token by token, or nullptr. Owned by the policy.
  virtual const DraftStop* draft_stop() const { return nullptr; }
  /// Default: verify everything drafted.
  virtual void choose(const Step&, SurvivalFrontier& frontier) { frontier.admit_all(); }
  /// Asked instead of `choose` where traits().lossless is false: verification lengths by request, 0..drafted.
  virtual void choose_in_hindsight(const HindsightView&, std::span<int> verification_length);
  virtual void observe(const StepOutcome&) {}
};

}  // namespace dspark
