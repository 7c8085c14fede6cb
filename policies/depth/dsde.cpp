#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/elementary.h"

namespace dspark {
namespace {

/// Variance with weights 1, decay, decay², … from the last value backwards.
double weighted_variance(std::span<const double> values, double decay) {
  double weights = 0;
  double sum = 0;
  double weight = 1;
  for (std::size_t i = values.size(); i-- > 0; weight *= decay) {
    weights += weight;
    sum += weight * values[i];
  }
  const double mean = sum / weights;
  double squares = 0;
  weight = 1;
  for (std::size_t i = values.size(); i-- > 0; weight *= decay) {
    squares += weight * (values[i] - mean) * (values[i] - mean);
  }
  return squares / weights;
}

}  // namespace

/// DSDE (arXiv 2509.01083): a request drafts long where the divergence D = KL(target ‖ draft) of its verified
/// tokens was low and steady,
///
///     SF = exp(2·mean D of the last round) - 1
///     WVIR = Var_w(last 10 D) / Var_w(last 30 D),       weights 0.85^age
///     SL = (1 - SF·WVIR)·(SL_max - 2) + 2, and 2 where SF·WVIR > 1
///     SL_max = SL_A,max·(1 + mean D / largest D)
///
/// and no request drafts more than the mean SL of the batch, since all wait for the longest draft (`cap`).
/// SL_A,max, mean D and largest D are measured on the request itself, as in the authors' code
/// (samsungsds-research-paper/DSDE): until 30 tokens were drafted its length starts at `warmup_length` (ours)
/// and doubles where all was accepted; SL_A,max is the most that one of these rounds accepted. Requests in
/// warm-up are neither capped nor counted in the mean. The length is rounded to the nearest token, and never
/// above the drafter's block.
///
/// The authors' code differs from the paper; `{decay: 0.9, headroom: 0.5, min_length: 6, rounding: ceiling,
/// flat_ratio: 20}` is its form, and its divergence is divided by the sampling `temperature`. A request that
/// rejoins after a preemption is new. Lossless: everything is known before anything is drawn.
///
///     policy: {dsde: {cap: mean}}
class Dsde final : public DepthPolicy {
 public:
  explicit Dsde(Parameters& parameters) {
    capped_ = parameters.choice(
                  "cap", {.options = {"mean", "none"},
                          .default_value = "mean",
                          .meaning = "longest draft: the mean length of the batch, or no cap"}) == "mean";
    min_length_ = tokens(parameters, "min_length", 1, 2, "least draft length");
    headroom_ = parameters.number(
        "headroom",
        {.min = 0, .max = 10, .default_value = 1, .meaning = "factor on mean D / largest D in SL_max"});
    sensitivity_ = parameters.number(
        "sensitivity", {.min = 0,
                        .max = 100,
                        .default_value = 2,
                        .unit = "1/nat",
                        .meaning = "factor on the last round's mean divergence in the exponent"});
    decay_ = parameters.number("decay", {.min = 0.01,
                                         .max = 1,
                                         .default_value = 0.85,
                                         .meaning = "weight of a token against its successor's"});
    short_window_ = tokens(parameters, "short_window", 2, 10, "verified tokens of the upper variance");
    long_window_ = tokens(parameters, "long_window", 2, 30, "verified tokens of the lower variance");
    warmup_tokens_ = static_cast<int>(
        parameters.integer("warmup_tokens", {.min = 1,
                                             .max = 100'000,
                                             .default_value = 30,
                                             .unit = "tokens",
                                             .meaning = "drafted before a request's SL_max is set"}));
    warmup_length_ = tokens(parameters, "warmup_length", 1, 4, "first draft length of a request");
    temperature_ = parameters.number(
        "temperature",
        {.min = 0.01, .max = 100, .default_value = 1, .meaning = "divides the last round's mean divergence"});
    flat_ratio_ = parameters.number("flat_ratio",
                                    {.min = 0,
                                     .max = 1000,
                                     .default_value = 1,
                                     .meaning = "WVIR where the divergence did not vary (0/0 in the paper)"});
    rounds_up_ = parameters.choice("rounding", {.options = {"nearest", "ceiling"},
                                                .default_value = "nearest",
                                                .meaning = "of lengths and cap to tokens"}) == "ceiling";
    if (short_window_ > long_window_) {
      parameters.add_error("'short_window' is above 'long_window'", parameters.position_of("short_window"));
    }
  }

  PolicyTraits traits() const override { return {.signals = kDivergence}; }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    double lengths = 0;
    int calibrated = 0;
    for (int r = 0; r < view.requests(); ++r) {
      const auto row = static_cast<std::size_t>(r);
      State& state = state_of(view.request.id[row]);
      if (view.request.rounds[row] == 0) start(state);
      if (!state.calibrated) continue;
      state.length = std::min(state.length, static_cast<double>(view.block_size));
      lengths += state.length;
      ++calibrated;
    }
    const double cap = capped_ && calibrated > 0 ? whole(lengths / calibrated) : view.block_size;
    for (int r = 0; r < view.requests(); ++r) {
      const State& state = state_of(view.request.id[static_cast<std::size_t>(r)]);
      const double length = whole(state.calibrated ? std::min(state.length, cap) : state.length);
      blocks.set(r, std::clamp(static_cast<int>(length), 0, view.block_size));
    }
    return PlanAnswer::kVerifyAll;
  }

  void observe(const StepOutcome& outcome) override {
    if (outcome.divergence.empty()) return;  // nothing was drafted
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      if (outcome.verified[r] > 0) observe_request(outcome, r, state_of(outcome.request.id[r]));
    }
  }

 private:
  struct State {
    double length = 0;
    std::vector<double> divergence;  // of the last verified tokens, oldest first; at most the long window
    bool calibrated = false;
    // Of the warm-up:
    int drafted = 0;
    int verified = 0;
    int most_accepted = 0;
    double divergence_sum = 0;
    double largest_divergence = 0;
    double longest = 0;  // SL_max, afterwards
  };

  static int tokens(Parameters& parameters, std::string_view name, int least, int published,
                    std::string_view meaning) {
    return static_cast<int>(parameters.integer(
        name, {.min = least, .max = 1024, .default_value = published, .unit = "tokens", .meaning = meaning}));
  }

  double whole(double length) const { return rounds_up_ ? std::ceil(length) : std::round(length); }

  /// Keeps the window's memory for the next request of the same number.
  void start(State& state) const {
    std::vector<double> window = std::move(state.divergence);
    window.clear();
    state = {};
    state.divergence = std::move(window);
    state.length = warmup_length_;
  }

  State& state_of(RequestId id) {
    const auto index = static_cast<std::size_t>(id);
    while (index >= states_.size()) start(states_.emplace_back());
    return states_[index];
  }

  void observe_request(const StepOutcome& outcome, std::size_t r, State& state) const {
    double sum = 0;
    for (int k = 1; k <= outcome.verified[r]; ++k) {
      const double d = outcome.divergence[static_cast<std::size_t>(k - 1) * outcome.drafts.stride + r];
      sum += d;
      state.largest_divergence = std::max(state.largest_divergence, d);
      if (static_cast<int>(state.divergence.size()) == long_window_) {
        state.divergence.erase(state.divergence.begin());
      }
      state.divergence.push_back(d);
    }
    if (!state.calibrated && !warm_up(outcome, r, sum, state)) return;
    state.length = length(sum / outcome.verified[r], state);
  }

  /// True once the request has drafted enough to know its SL_max.
  bool warm_up(const StepOutcome& outcome, std::size_t r, double sum, State& state) const {
    state.drafted += outcome.drafted[r];
    state.verified += outcome.verified[r];
    state.divergence_sum += sum;
    state.most_accepted = std::max(state.most_accepted, outcome.accepted[r]);
    if (state.drafted < warmup_tokens_) {
      if (outcome.accepted[r] == outcome.drafted[r]) {
        state.length = std::max(state.length, 2.0 * outcome.drafted[r]);
      }
      return false;
    }
    const double mean = state.divergence_sum / state.verified;
    const double share = state.largest_divergence > 0 ? mean / state.largest_divergence : 0;
    state.longest = std::max<double>(min_length_, state.most_accepted * (1 + headroom_ * share));
    state.calibrated = true;
    return true;
  }

  /// SL of the next round.
  double length(double last_mean, const State& state) const {
    const double scale = exp_portable(sensitivity_ * last_mean / temperature_) - 1;
    const std::span<const double> window = state.divergence;
    const std::size_t recent = std::min(window.size(), static_cast<std::size_t>(short_window_));
    const double lower = weighted_variance(window, decay_);
    // Below this the values are equal but for rounding.
    const double ratio = lower < 1e-6 ? flat_ratio_ : weighted_variance(window.last(recent), decay_) / lower;
    const double instability = scale * ratio;
    if (instability > 1) return min_length_;
    return rounded((1 - instability) * (state.longest - min_length_) + min_length_);
  }

  /// The authors' code rounds each length before it averages.
  double rounded(double length) const { return rounds_up_ ? std::ceil(length) : length; }

  bool capped_ = true;
  int min_length_ = 0;
  double headroom_ = 0;
  double sensitivity_ = 0;
  double decay_ = 0;
  int short_window_ = 0;
  int long_window_ = 0;
  int warmup_tokens_ = 0;
  int warmup_length_ = 0;
  double temperature_ = 1;
  double flat_ratio_ = 0;
  bool rounds_up_ = false;
  std::vector<State> states_;  // by request
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Dsde>(Parameters&);

}  // namespace dspark
