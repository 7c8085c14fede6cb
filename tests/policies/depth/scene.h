#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/owned_frontier.h"
#include "tests/policies/written_values.h"

namespace dspark::testing {

/// The draft blocks of one step in columns, owned; every request has drafted γ tokens unless set otherwise.
struct Blocks {
  Blocks(int request_count, int gamma)
      : requests(request_count), block_size(gamma), drafted(static_cast<std::size_t>(request_count), gamma) {
    const std::size_t cells = static_cast<std::size_t>(requests) * static_cast<std::size_t>(block_size);
    for (auto* column : {&confidence, &top1, &margin, &entropy, &chosen}) column->assign(cells, 0.5f);
    accepted.assign(drafted.size(), 0);
  }
  /// Confidences with many ties, zeros and ones; other signals uniform.
  static Blocks random(std::mt19937& coins, int requests, int block_size) {
    Blocks blocks(requests, block_size);
    const bool coarse = coins() % 2;
    const auto uniform = [&] { return static_cast<float>(coins() % 4096) / 4095.0f; };
    for (float& c : blocks.confidence) c = coarse ? static_cast<float>(coins() % 5) / 4.0f : uniform();
    for (auto* column : {&blocks.top1, &blocks.margin, &blocks.entropy, &blocks.chosen}) {
      for (float& value : *column) value = 2 * uniform();
    }
    for (int& a : blocks.accepted) a = static_cast<int>(coins() % static_cast<unsigned>(block_size + 1));
    return blocks;
  }

  std::size_t cell(int request, int k) const {
    return static_cast<std::size_t>((k - 1) * requests + request);
  }
  float survival(int request, int k) const {
    float product = 1;
    for (int i = 1; i <= k; ++i) product *= confidence[cell(request, i)];
    return product;
  }
  DraftColumns columns() const {
    return {static_cast<std::size_t>(requests), drafted, confidence, top1, margin, entropy, chosen, accepted};
  }

  int requests;
  int block_size;
  std::vector<int> drafted;
  std::vector<int> accepted;  // if verified
  std::vector<float> confidence, top1, margin, entropy, chosen;
};

/// rows[r] = confidences of request r; shorter rows end earlier.
inline Blocks blocks_of(const std::vector<std::vector<float>>& rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  Blocks blocks(static_cast<int>(rows.size()), static_cast<int>(longest));
  for (int r = 0; r < blocks.requests; ++r) {
    const auto& row = rows[static_cast<std::size_t>(r)];
    blocks.drafted[static_cast<std::size_t>(r)] = static_cast<int>(row.size());
    for (std::size_t k = 0; k < row.size(); ++k)
      blocks.confidence[blocks.cell(r, static_cast<int>(k) + 1)] = row[k];
  }
  return blocks;
}

/// One replica in which the same requests run step after step: what an engine hands to a depth policy.
class Scene {
 public:
  Scene(int requests, int gamma, StepCost belief) : block_size(gamma), cost(std::move(belief)) {
    const std::size_t n = static_cast<std::size_t>(requests);
    rounds.assign(n, 0);
    other.assign(n, 100);
    block_cap.assign(n, gamma);
    for (int r = 0; r < requests; ++r) ids.push_back(RequestId{r});
  }

  RequestColumns request() const { return {ids, rounds, other, other, block_cap}; }
  PlanView plan_view() const {
    return {.request = request(), .block_size = block_size, .step = step, .cost = &cost};
  }
  /// Block sizes that the policy plans now.
  PlanAnswer plan(DepthPolicy& policy) {
    planned.assign(ids.size(), block_size);
    BlockPlan blocks(planned);
    return policy.plan(plan_view(), blocks);
  }
  Step chosen_step() {
    earlier.clear();
    for (const auto& then : history) {
      earlier.push_back({static_cast<int>(ids.size()), then.sorted, ids, then.by_request});
    }
    Step view;
    view.request = request();
    view.planned = planned;
    view.step = step;
    view.cost = &cost;
    view.draft_and_overhead_seconds = cost.draft_seconds(static_cast<int>(ids.size()), block_size);
    view.history = earlier;
    return view;
  }
  /// Plans, drafts `blocks` (with the policy's DraftStop) and chooses: verification lengths.
  std::vector<int> decide(DepthPolicy& policy, Blocks& blocks) {
    const PlanAnswer answer = plan(policy);
    for (int r = 0; r < blocks.requests; ++r) {
      int& drafted = blocks.drafted[static_cast<std::size_t>(r)];
      drafted = planned[static_cast<std::size_t>(r)];
      if (const DraftStop* stop = policy.draft_stop()) {
        drafted = drafted_until_stop(*stop, blocks.columns(), r, drafted);
      }
      int& accepted = blocks.accepted[static_cast<std::size_t>(r)];
      accepted = std::min(accepted, drafted);
    }
    frontier.reset(blocks.columns());
    const Step view = chosen_step();
    std::vector<int> lengths(ids.size(), 0);
    if (!policy.traits().lossless) {
      policy.choose_in_hindsight({view, blocks.columns()}, lengths);
      return lengths;
    }
    if (answer == PlanAnswer::kVerifyAll) {
      frontier.admit_all();
    } else {
      policy.choose(view, frontier);
    }
    return {frontier.admitted().begin(), frontier.admitted().end()};
  }
  /// Ends the step that `decide` began.
  void finish(DepthPolicy& policy, const Blocks& blocks, const std::vector<int>& verified) {
    std::vector<int> accepted;
    for (std::size_t r = 0; r < verified.size(); ++r)
      accepted.push_back(std::min(verified[r], blocks.accepted[r]));
    const std::vector<std::uint8_t> finished(verified.size(), 0);
    StepOutcome outcome;
    outcome.request = request();
    outcome.drafted = blocks.drafted;
    outcome.verified = verified;
    outcome.accepted = accepted;
    outcome.finished = finished;
    outcome.seconds.verify = 0.01;
    outcome.step = step;
    outcome.drafts = blocks.columns();
    policy.observe(outcome);
    const auto sorted = frontier.sorted_survivals_for_history();
    const auto by_request = frontier.survivals_for_history();
    history.push_front({{sorted.begin(), sorted.end()}, {by_request.begin(), by_request.end()}});
    for (std::int32_t& count : rounds) ++count;
    ++step;
  }

  int block_size;
  StepCost cost;
  std::int64_t step = 0;
  std::vector<RequestId> ids;
  std::vector<std::int32_t> rounds, other, block_cap;
  std::vector<int> planned;
  struct Survivals {
    std::vector<float> sorted, by_request;
  };
  std::deque<Survivals> history;
  std::vector<EarlierStep> earlier;
  OwnedFrontier frontier;
};

/// A registered policy with the parameters `map`; what is wrong with them stops the test.
inline std::unique_ptr<DepthPolicy> policy(const std::string& name, Value map = {}, Value shorthand = {}) {
  Parameters parameters(std::move(map), {}, std::move(shorthand));
  auto made = make_depth_policy(name, parameters);
  parameters.finish();
  if (!made || !parameters.errors().empty()) {
    throw std::runtime_error(made ? to_string(parameters.errors()[0]) : "no policy " + name);
  }
  return made;
}

inline StepCost affine_cost(double bias, double per_token) {
  return StepCost({.verify_affine = {.bias_seconds = bias, .seconds_per_token = per_token}});
}
inline StepCost table_cost(std::vector<CostTable::Point> points, double capture_limit = 0) {
  return StepCost(
      {.verify_table = *CostTable::make(std::move(points), {.capture_limit = capture_limit}, "test")});
}
inline StepCost random_staircase(std::mt19937& coins, int largest) {
  std::vector<CostTable::Point> points;
  double seconds = 1;
  for (int size = 1; size <= largest; size += 1 + static_cast<int>(coins() % 7)) {
    points.push_back({static_cast<double>(size), seconds});
    seconds += static_cast<double>(1 + coins() % 100) / 100;
  }
  points.push_back({static_cast<double>(largest + 1), seconds});
  return table_cost(points);
}

}  // namespace dspark::testing
