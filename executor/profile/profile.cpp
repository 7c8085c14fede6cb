#include "executor/profile/profile.h"

#include <algorithm>

#include "executor/profile/served_steps.h"
#include "executor/profile/step_timer.h"

namespace dspark {
namespace {

double middle(std::vector<double> values) { return values.empty() ? 0 : summarise(std::move(values)).median; }

/// All prompts fit into one step, so that the requests decode together from the first.
ServedLoad load_of(const ProfileOptions& options, int requests, int planned) {
  return {.requests = requests,
          .planned = planned,
          .prompt_tokens = std::clamp(options.max_rows / requests, 1, ServedLoad{}.prompt_tokens),
          .kv_blocks = options.kv_blocks,
          .block_tokens = options.block_tokens,
          .max_rows = options.max_rows};
}

bool fits(const ServedLoad& load) {
  return served_blocks(load) <= load.kv_blocks && load.requests * (1 + load.planned) <= load.max_rows;
}

/// What the engine's steps show beside the forward pass.
class ServedCosts {
 public:
  ServedCosts(Kernels& kernels, TargetModel& target, Drafter* drafter, const ProfileOptions& options)
      : kernels_(kernels),
        target_(target),
        drafter_(drafter),
        options_(options),
        draft_(options.draft_requests.size()) {}

  void measure(std::size_t i) {
    serve_without_drafter(options_.draft_requests[i]);
    if (drafter_ == nullptr) return;
    serve_idle(options_.draft_requests[i]);
    const ServedLoad load = load_of(options_, options_.draft_requests[i], drafter_->block_size());
    if (!fits(load)) return;
    const std::vector<double> whole = draft_seconds(load);
    draft_[i].insert(draft_[i].end(), whole.begin(), whole.end());
    if (drafter_->is_sequential() || drafter_->block_size() < 2 || whole.empty()) return;
    const std::vector<double> one = draft_seconds(load_of(options_, options_.draft_requests[i], 1));
    if (!one.empty()) one_token_shares_.push_back(middle(one) / middle(whole));
  }

  void put_into(Profile& profile) && {
    profile.step_overhead_seconds = middle(std::move(overhead_));
    profile.engine_seconds = middle(std::move(engine_));
    profile.idle_drafter_tax = middle(std::move(tax_));
    std::vector<double> weights;
    for (std::size_t i = 0; i < draft_.size(); ++i) {
      if (draft_[i].empty()) continue;
      const DraftPoint point{options_.draft_requests[i], summarise(std::move(draft_[i]))};
      profile.draft.push_back(point);
      const int passes = drafter_->is_sequential() ? drafter_->block_size() : 1;
      profile.draft_table.push_back({static_cast<double>(point.requests), point.seconds.median / passes});
      weights.push_back(1 / (point.seconds.median * point.seconds.median));
    }
    if (!one_token_shares_.empty())
      profile.one_token_share = std::min(1.0, middle(std::move(one_token_shares_)));
    if (!profile.draft_table.empty()) make_monotone(profile.draft_table, std::move(weights));
  }

 private:
  std::vector<double> draft_seconds(ServedLoad load) {
    load.temperature = options_.temperature;
    std::vector<double> seconds;
    for (const ServedStep& step : serve_steps(kernels_, target_, drafter_, load).steps)
      seconds.push_back(step.draft);
    return seconds;
  }
  void serve_without_drafter(int requests) {
    const ServedLoad load = load_of(options_, requests, 0);
    if (!fits(load)) return;
    const ServedSteps served = serve_steps(kernels_, target_, nullptr, load);
    for (const ServedStep& step : served.steps) overhead_.push_back(step.bare);
    if (served.engine_seconds > 0) engine_.push_back(served.engine_seconds);
  }
  void serve_idle(int requests) {
    const ServedLoad load = load_of(options_, requests, 0);
    if (!fits(load)) return;
    for (const ServedStep& step : serve_steps(kernels_, target_, drafter_, load).steps)
      tax_.push_back(step.draft / step.verify);
  }

  Kernels& kernels_;
  TargetModel& target_;
  Drafter* drafter_;
  const ProfileOptions& options_;
  std::vector<double> overhead_, engine_, tax_, one_token_shares_;
  std::vector<std::vector<double>> draft_;  // by draft_requests
};

CostFit fit_points(const std::vector<ProfilePoint>& points, const GridMeasurement& measured) {
  std::vector<CostPoint> costs;
  for (std::size_t i = 0; i < points.size(); ++i) {
    costs.push_back({.tokens = points[i].tokens,
                     .requests = points[i].requests,
                     .attended_tokens = points[i].attended_tokens(),
                     .seconds = measured.points[i].median});
  }
  return fit_verify_cost(costs);
}

}  // namespace

ProfileForecast forecast_profile(Kernels& kernels, TargetModel& target, const ProfileGrid& grid,
                                 const ProfileOptions& options) {
  StepTimer timer(kernels, target, options.block_tokens, options.temperature);
  const ProfilePoint& small = grid.points.front();
  const ProfilePoint& large = grid.points.back();
  const double least = timer.seconds(small), most = timer.seconds(large);
  const double slope = large.tokens > small.tokens ? (most - least) / (large.tokens - small.tokens) : 0;
  ProfileForecast forecast{.points = static_cast<int>(grid.points.size())};
  double round = 0;
  for (const ProfilePoint& point : grid.points) round += least + slope * (point.tokens - small.tokens);
  forecast.passes = forecast.points * (options.repeats + 1) * StepTimer::kPasses;
  forecast.seconds = round * (options.repeats + 1) * StepTimer::kPasses;
  return forecast;
}

Profile measure_profile(Kernels& kernels, TargetModel& target, Drafter* drafter, const ProfileGrid& grid,
                        const ProfileOptions& options,
                        const std::function<void(int done, int of)>& progress) {
  StepTimer timer(kernels, target, options.block_tokens, options.temperature);
  Profile profile;
  profile.points = grid.points;
  profile.verify = measure_grid(
      grid.points, options.repeats, [&](const ProfilePoint& point) { return timer.seconds(point); },
      progress);
  ServedCosts served(kernels, target, drafter, options);
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    for (std::size_t i = 0; i < options.draft_requests.size(); ++i) served.measure(i);
  }
  std::move(served).put_into(profile);
  profile.fit = fit_points(profile.points, profile.verify);
  std::vector<double> noise;
  for (const RepeatedSeconds& point : profile.verify.points) noise.push_back(point.noise);
  profile.noise = middle(std::move(noise));
  return profile;
}

}  // namespace dspark
