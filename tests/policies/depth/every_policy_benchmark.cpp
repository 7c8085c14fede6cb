// What each registered policy computes in one step: plan, draft stop, choose and observe at 256 requests × γ
// 7, setting up the frontier included, drafting itself and the engine's own work left out. Target: at most 50
// µs on one core, so that a decision stays below 1 % of the cheapest measured step (5.1 ms);
// docs/all_policies.md.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::Blocks;
using testing::written;
using testing::written_list;
using testing::written_map;

constexpr int kRequests = 256;
constexpr int kBlockSize = 7;
constexpr std::size_t kLags = 8;    // the largest age of survivals that a policy may ask for
constexpr std::size_t kSteps = 16;  // different ones in turn, so that no branch is learnt by heart

/// Steps of a machine like 4×B300 (experiments/data/vllm_b300_verify_cost.csv, thinned) with a drafter whose
/// confidence is calibrated: acceptance as solved in docs/b300_flash.md, spread over requests and tokens.
class RecordedSteps {
 public:
  RecordedSteps() {
    std::mt19937 coins(7);
    for (std::size_t i = 0; i < kSteps; ++i) draw(coins);
    for (int r = 0; r < kRequests; ++r) ids_.push_back(RequestId{r});
    for (Recorded& recorded : steps_) {
      OwnedFrontier frontier;
      frontier.reset(recorded.blocks.columns());
      const auto sorted = frontier.sorted_survivals_for_history();
      const auto by_request = frontier.survivals_for_history();
      recorded.sorted.assign(sorted.begin(), sorted.end());
      recorded.by_request.assign(by_request.begin(), by_request.end());
    }
    for (std::size_t i = 0; i < kSteps; ++i) {
      for (std::size_t lag = 1; lag <= kLags; ++lag) {
        const Recorded& then = steps_[(i + kSteps - lag) % kSteps];
        steps_[i].history.push_back({kRequests, then.sorted, ids_, then.by_request});
      }
    }
  }

  struct Recorded {
    Blocks blocks{kRequests, kBlockSize};
    std::vector<float> divergence;  // columns as in the blocks
    std::vector<float> sorted, by_request;
    std::vector<EarlierStep> history;
  };
  const Recorded& at(std::size_t step) const { return steps_[step % kSteps]; }
  const std::vector<RequestId>& ids() const { return ids_; }

 private:
  void draw(std::mt19937& coins) {
    constexpr std::array<double, kBlockSize> kAcceptance = {.828, .572, .572, .756, .751, .753, .759};
    const auto uniform = [&] { return (static_cast<double>(coins() % 16381) + 0.5) / 16381; };
    const auto spread = [&] { return uniform() + uniform() + uniform() - 1.5; };  // standard deviation 0.5
    Recorded recorded;
    Blocks& blocks = recorded.blocks;
    recorded.divergence.resize(blocks.confidence.size());
    for (int r = 0; r < kRequests; ++r) {
      const double difficulty = spread();
      bool alive = true;
      for (int k = 1; k <= kBlockSize; ++k) {
        const double mean = kAcceptance[static_cast<std::size_t>(k - 1)];
        const double logit = std::log(mean / (1 - mean)) + difficulty + 3 * spread();
        const double confidence = 1 / (1 + std::exp(-logit));
        const std::size_t cell = blocks.cell(r, k);
        blocks.confidence[cell] = static_cast<float>(confidence);
        blocks.top1[cell] = static_cast<float>(confidence);
        blocks.chosen[cell] = static_cast<float>(uniform() < confidence ? confidence : 1 - confidence);
        blocks.margin[cell] = static_cast<float>(std::max(0.0, logit));
        blocks.entropy[cell] = static_cast<float>(-2 * std::log(confidence));
        recorded.divergence[cell] = static_cast<float>(-std::log(confidence));
        alive = alive && uniform() < confidence;
        blocks.accepted[static_cast<std::size_t>(r)] += alive ? 1 : 0;
      }
    }
    steps_.push_back(std::move(recorded));
  }

  std::vector<Recorded> steps_;
  std::vector<RequestId> ids_;
};

StepCost machine() {
  auto verify = CostTable::make(
      {{1, 5.11e-3},      {8, 5.35e-3},     {16, 5.59e-3},   {32, 6.26e-3},   {64, 7.9e-3},
       {128, 9.43e-3},    {152, 11.32e-3},  {184, 10.53e-3}, {256, 11.3e-3},  {320, 14.11e-3},
       {400, 14.28e-3},   {496, 16.22e-3},  {512, 15.03e-3}, {640, 17.36e-3}, {672, 17.76e-3},
       {688, 15.99e-3},   {784, 17.9e-3},   {880, 18.69e-3}, {960, 19.64e-3}, {1024, 20.63e-3},
       {1536, 104.49e-3}, {2048, 103.63e-3}},
      {.capture_limit = 1024}, "verify");
  auto draft = CostTable::make({{1, .88e-3}, {64, 2.27e-3}, {256, 5.38e-3}}, {}, "draft");
  return StepCost({.verify_table = *verify,
                   .draft_table = *draft,
                   .overhead_seconds = 0.74e-3,
                   .decision_seconds = 0.1e-3});
}

class Coins final : public CoinStream {
 public:
  double uniform() override { return (static_cast<double>(generator_() % 16381) + 0.5) / 16381; }

 private:
  std::mt19937 generator_{11};
};

/// As in experiments/studies/all_policies.yaml: defaults where there are any, wrappers around dspark_async.
Parameters parameters_of(const std::string& name) {
  if (name == "fixed") return Parameters({}, {}, written("7"));
  if (name == "tetris") return Parameters({}, {}, written("3"));
  if (name == "k_by_batch_size") {
    Value::List rows{written_list({"1", "47", "5"}), written_list({"48", "512", "3"})};
    return Parameters(written_map({{"table", {std::move(rows), testing::at(1, 1)}}}));
  }
  if (name == "load_knee") return Parameters(written_map({{"requests", written("8")}, {"k", written("7")}}));
  if (name == "floor" || name == "tier_fill" || name == "min_gain" || name == "hold") {
    return Parameters(written_map({{"policy", written("dspark_async")}}));
  }
  return Parameters(Value{});
}

/// An engine with nothing in it but the calls of a policy.
class PolicySteps {
 public:
  explicit PolicySteps(DepthPolicy& policy) : policy_(policy), traits_(policy.traits()) {}

  /// One step; returns the draft tokens it verifies.
  int run() {
    const RecordedSteps::Recorded& now = recorded_.at(static_cast<std::size_t>(step_));
    std::fill(planned_.begin(), planned_.end(), kBlockSize);
    BlockPlan blocks(planned_);
    const PlanAnswer answer = policy_.plan(
        {.request = request(), .block_size = kBlockSize, .step = step_, .cost = &cost_, .coins = &coins_},
        blocks);
    DraftColumns drafts = now.blocks.columns();
    drafted_ = planned_;
    if (const DraftStop* stop = policy_.draft_stop()) {
      for (int r = 0; r < kRequests; ++r) {
        int& drafted = drafted_[static_cast<std::size_t>(r)];
        drafted = drafted_until_stop(*stop, drafts, r, drafted);
      }
    }
    drafts.drafted = drafted_;
    choose(answer, drafts, now);
    observe(drafts, now);
    ++step_;
    int verified = 0;
    for (const int length : verified_) verified += length;
    return verified;
  }

 private:
  RequestColumns request() const {
    return {recorded_.ids(), rounds_, context_, context_, block_cap_, decoding_seconds_};
  }

  void choose(PlanAnswer answer, const DraftColumns& drafts, const RecordedSteps::Recorded& now) {
    verified_ = drafted_;
    if (answer == PlanAnswer::kVerifyAll && traits_.history == 0) return;
    frontier_.reset(drafts);
    if (answer == PlanAnswer::kVerifyAll) return;
    Step step;
    step.request = request();
    step.planned = planned_;
    step.step = step_;
    step.cost = &cost_;
    step.draft_and_overhead_seconds =
        cost_.draft_seconds(kRequests, kBlockSize) + cost_.overhead_seconds(true);
    step.coins = &coins_;
    step.history = std::span(now.history).first(static_cast<std::size_t>(traits_.history));
    if (traits_.lossless) {
      policy_.choose(step, frontier_);
      std::copy(frontier_.admitted().begin(), frontier_.admitted().end(), verified_.begin());
    } else {
      std::fill(verified_.begin(), verified_.end(), 0);
      policy_.choose_in_hindsight({step, drafts}, verified_);
    }
  }

  /// One request ends with each step, and another one takes its place.
  void observe(const DraftColumns& drafts, const RecordedSteps::Recorded& now) {
    int rows = kRequests;
    for (std::size_t r = 0; r < verified_.size(); ++r) {
      accepted_[r] = std::min(verified_[r], now.blocks.accepted[r]);
      rows += verified_[r];
    }
    const std::size_t ending = static_cast<std::size_t>(step_ % kRequests);
    finished_[ending] = 1;
    StepOutcome outcome;
    outcome.request = request();
    outcome.drafted = drafted_;
    outcome.verified = verified_;
    outcome.accepted = accepted_;
    outcome.finished = finished_;
    outcome.seconds = {cost_.draft_seconds(kRequests, kBlockSize), cost_.verify_seconds(kRequests, rows),
                       cost_.overhead_seconds(true)};
    outcome.step = step_;
    outcome.drafts = drafts;
    outcome.divergence = now.divergence;
    policy_.observe(outcome);
    finished_[ending] = 0;
    for (std::int32_t& rounds : rounds_) ++rounds;
    rounds_[ending] = 0;
  }

  DepthPolicy& policy_;
  PolicyTraits traits_;
  RecordedSteps recorded_;
  StepCost cost_ = machine();
  Coins coins_;
  OwnedFrontier frontier_;
  std::int64_t step_ = 0;
  std::vector<std::int32_t> rounds_ = std::vector<std::int32_t>(kRequests, 50);
  std::vector<std::int32_t> context_ = std::vector<std::int32_t>(kRequests, 100);
  std::vector<std::int32_t> block_cap_ = std::vector<std::int32_t>(kRequests, kBlockSize);
  std::vector<float> decoding_seconds_ = std::vector<float>(kRequests, 1.0f);
  std::vector<int> planned_ = std::vector<int>(kRequests, kBlockSize);
  std::vector<int> drafted_ = planned_;
  std::vector<int> verified_ = planned_;
  std::vector<int> accepted_ = planned_;
  std::vector<std::uint8_t> finished_ = std::vector<std::uint8_t>(kRequests, 0);
};

void every_policy(benchmark::State& state, const std::string& name) {
  Parameters parameters = parameters_of(name);
  const auto policy = make_depth_policy(name, parameters);
  parameters.finish();
  if (policy == nullptr || !parameters.errors().empty()) {
    const std::string why = policy ? to_string(parameters.errors()[0]) : "no such policy";
    state.SkipWithError(("parameters_of: " + why).c_str());
    return;
  }
  PolicySteps steps(*policy);
  for (int i = 0; i < 200; ++i) steps.run();  // past warm-ups and first counts
  double verified = 0;
  for (auto _ : state) verified += steps.run();
  state.counters["verified_per_request"] = verified / static_cast<double>(state.iterations()) / kRequests;
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const std::string& name : depth_policy_names()) {
    benchmark::RegisterBenchmark(("every_policy/" + name).c_str(), [name](benchmark::State& state) {
      every_policy(state, name);
    })->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace dspark
