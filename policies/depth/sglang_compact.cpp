#include <algorithm>
#include <cmath>
#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/lagged_survivals.h"

namespace dspark {
namespace {

constexpr double kLeastSurvival = 1e-6;  // below, a token is no candidate, in the budget nor in the split

}  // namespace

/// SGLang's compact verification (REFERENCE.md section 3): the budget maximises (requests + the K largest
/// survivals of two steps ago) / seconds(K) over all K, ties to the smaller; the current step gives it to its
/// K most likely tokens. A request without a survival in that step counts as survival 1; survivals below
/// 1e-6 are dropped; with prompt rows in the batch everything drafted is verified.
///
/// The step's price is read in one of SGLang's two ways. `fitted` is bias + α·requests + θ·tokens, here the
/// policy's belief as it is. `table_floor` is a table of steps per second at `probes` tokens, read at the
/// largest probe that is not above the step's tokens: a floor staircase, where vLLM's is a ceiling, so that a
/// token between two probes looks free. Below the smallest probe the smallest is read. The default probes are
/// ours, the powers of two.
///
/// `min_predicted_gain` is a dead band: unless the budget promises at least so much more than verifying
/// everything planned, everything is verified. SGLang silently verifies all where its cost is flat. Here a
/// flat cost is no ground to verify anything: with a price that is the same at every probe, or a fitted one
/// that does not rise with tokens, no draft token is verified, which every report shows. (A step whose rows
/// all fit into one captured graph is not flat in this sense: there, verifying all is right.)
///
/// What differs from the source: the belief is the experiment's, not one fitted by SGLang's profiler; a
/// request is matched by id; `cap-accept` mode is not modelled; the filling of a graph tier is `tier_fill`.
///
/// Lossless: the budget is known before the step drafts, by planned block sizes, and the top K by current
/// survival is a stopping set (LOSSLESS.md).
///
///     policy: sglang_compact
///     policy: {sglang_compact: {cost: table_floor, probes: [8, 16, 32, 64, 128, 256]}}
class SglangCompact final : public DepthPolicy {
 public:
  explicit SglangCompact(Parameters& parameters)
      : reads_table_(parameters.choice("cost", {.options = {"fitted", "table_floor"},
                                                .default_value = "fitted",
                                                .meaning = "how the step's price is read"}) == "table_floor"),
        min_predicted_gain_(parameters.number(
            "min_predicted_gain",
            {.min = 0,
             .max = 10,
             .default_value = 0,
             .meaning = "relative gain over verifying everything below which everything is verified"})),
        lag_(static_cast<int>(
            parameters.integer("lag", {.min = 1,
                                       .max = 8,
                                       .default_value = 2,
                                       .unit = "steps",
                                       .meaning = "age of the survivals that set the budget"}))) {
    if (reads_table_ || parameters.is_describing()) read_probes(parameters);
  }

  PolicyTraits traits() const override { return {.history = lag_}; }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    if (step.prefill_rows > 0) return frontier.admit_all();
    if (is_flat(step)) return;
    then_.read(step, lag_);
    const int budget = this->budget(step);
    if (budget == kEverything) return frontier.admit_all();
    while (frontier.total_admitted() < budget) {
      const auto next = frontier.best();
      if (!next || next->survival < kLeastSurvival) return;
      frontier.admit();
    }
  }

 private:
  static constexpr int kEverything = -1;

  void read_probes(Parameters& parameters) {
    const std::vector<double> written = parameters.numbers(
        "probes", {.min = 1,
                   .max = CostTable::kLargestSize,
                   .min_count = 2,
                   .default_value = std::vector<double>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048},
                   .unit = "tokens",
                   .meaning = "sizes at which cost: table_floor measures a step, rising"});
    for (const double probe : written) {
      const double least = probes_.empty() ? 0 : probes_.back();
      if (probe != std::floor(probe) || probe <= least) {
        parameters.add_error("'probes' must be whole numbers that rise", parameters.position_of("probes"));
        return;
      }
      probes_.push_back(static_cast<int>(probe));
    }
  }

  bool is_flat(const Step& step) const {
    if (reads_table_) {
      const auto verify = [&](int rows) { return step.cost->verify_seconds(step.requests(), rows); };
      return std::all_of(probes_.begin(), probes_.end(),
                         [&](int probe) { return verify(probe) == verify(probes_.front()); });
    }
    return !step.cost->parts().verify_table && step.cost->parts().verify_affine.seconds_per_token <= 0;
  }

  double seconds(const Step& step, int admitted) const {
    if (!reads_table_) return step.seconds(admitted);
    const int rows = step.requests() + admitted;
    const auto above = std::upper_bound(probes_.begin(), probes_.end(), rows);
    const int probe = above == probes_.begin() ? probes_.front() : *std::prev(above);
    return step.draft_and_overhead_seconds + step.cost->verify_seconds(step.requests(), probe) +
           step.added_seconds_per_row * admitted;
  }

  int budget(const Step& step) const {
    double tokens = step.requests();  // one bonus token each
    double best = tokens / seconds(step, 0);
    int best_budget = 0;
    int admitted = 0;
    for (const float survival : then_.sorted()) {
      if (static_cast<double>(survival) < kLeastSurvival) break;
      tokens += static_cast<double>(survival);
      const double rate = tokens / seconds(step, ++admitted);
      if (rate > best) {
        best = rate;
        best_budget = admitted;
      }
    }
    if (min_predicted_gain_ == 0) return best_budget;
    int planned = 0;
    for (const int k : step.planned) planned += k;
    const double verifying_all = tokens / seconds(step, planned);
    return best < (1 + min_predicted_gain_) * verifying_all ? kEverything : best_budget;
  }

  bool reads_table_;
  double min_predicted_gain_;
  int lag_;
  std::vector<int> probes_;
  LaggedSurvivals then_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<SglangCompact>(Parameters&);

}  // namespace dspark
