#include "sim/demand/growth/growth_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "sim/demand/demand_loop.h"
#include "sim/demand/power.h"
#include "sim/demand/rebound.h"

namespace dspark {
namespace {

/// What is left of a segment that nobody wants, so that it can come back.
constexpr double kLeastFactor = 1e-9;
constexpr double kRounding = 1e-12;
constexpr double kFurthest = 14;  // ln of the most that the load moves within an epoch

double log_factor(double value, double base) { return log_portable(std::max(value / base, kLeastFactor)); }

/// ln of a segment's tokens and requests over the baseline's, by what made them so.
struct Answers {
  std::array<double, kTokenChannels> tokens = {};
  double requests = 0;
};

class Path {
 public:
  Path(Market& market, const GrowthPlan& plan, bool with_policy, const GrowthPath* frozen)
      : market_(market),
        plan_(plan),
        frozen_(frozen),
        with_policy_(with_policy),
        fleet_(plan, market.baseline.point.gpus),
        before_(market.segments.size()),
        price_(market.baseline.price),
        log_tokens_(log_portable(market.baseline.load.tokens_per_second)) {
    for (const Segment& s : market.segments) at_start_.push_back({s.requests_per_second, s.saturation});
  }

  GrowthPath follow() {
    GrowthPath path;
    for (epoch_ = 0; epoch_ < plan_.epochs && path.broken.empty(); ++epoch_) {
      begin_epoch();
      if (!solve()) {
        path.broken = fmt::format("epoch {}: {}", epoch_, broken_);
        break;
      }
      path.epochs.push_back(state());
      end_epoch(path.epochs.back());
    }
    for (std::size_t i = 0; i < at_start_.size(); ++i) {
      market_.segments[i].requests_per_second = at_start_[i].requests;
      market_.segments[i].saturation = at_start_[i].saturation;
    }
    return path;
  }

 private:
  struct AtStart {
    double requests = 0;
    double saturation = 0;
  };
  struct Served {
    Fleet fleet;
    SupplyPoint point = {};
    double price = 0;
  };

  double years() const { return epoch_ * plan_.epoch_years; }
  double policy_share() const { return with_policy_ ? plan_.policy.share(years()) : 0; }
  /// The epoch whose demand is served, where it is not this path's own.
  const EpochState& frozen() const { return frozen_->epochs[static_cast<std::size_t>(epoch_)]; }
  bool follows_load() const { return plan_.lead_epochs == 0; }

  void begin_epoch() {
    for (std::size_t i = 0; i < at_start_.size(); ++i) {
      const double factor = plan_.segments[i].factor(years());
      market_.segments[i].requests_per_second = at_start_[i].requests * factor;
      market_.segments[i].saturation = at_start_[i].saturation / factor;
    }
  }

  ServedLoad load(double tokens_per_second) const {
    ServedLoad load = market_.baseline.load;
    load.requests_per_second *= tokens_per_second / load.tokens_per_second;
    load.tokens_per_second = tokens_per_second;
    return load;
  }

  /// Equivalents at the target utilisation.
  double needed(double tokens_per_second) const {
    const double share = policy_share();
    const double without = market_.before->serve(load(tokens_per_second), {}).gpus;
    if (share == 0) return without;
    const double with = market_.after->serve(load(tokens_per_second), market_.rule).gpus;
    return 1 / ((1 - share) / without + share / with);
  }

  double kilowatts_per_gpu() const { return market_.baseline.point.kilowatts / market_.baseline.point.gpus; }

  /// The fleet of this epoch where it serves that load: with no lead time GPUs follow it.
  Fleet fleet_for(double tokens_per_second) const {
    Fleet fleet = fleet_;
    if (!follows_load()) return fleet;
    const double wanted = needed(tokens_per_second), have = fleet.size(epoch_).equivalents;
    if (wanted > have) {
      fleet.order(epoch_, epoch_, std::min(wanted - have, fleet.room(epoch_, epoch_, kilowatts_per_gpu())));
    } else if (!plan_.keeps_idle) {
      fleet.release(epoch_, wanted);
    }
    return fleet;
  }

  /// Most tokens/s of servers with and without the policy.
  std::pair<double, double> capacities(double equivalents) const {
    const double share = policy_share();
    const ServedLoad& typical = market_.baseline.load;
    return {share == 1 ? 0 : market_.before->largest_load_on(equivalents * (1 - share), typical, {}),
            share == 0 ? 0 : market_.after->largest_load_on(equivalents * share, typical, market_.rule)};
  }

  /// Requests go to all servers alike busy: those without the policy, and those with it.
  std::pair<ServerShare, ServerShare> shares(double equivalents, double tokens_per_second) const {
    const double share = policy_share();
    const auto [without, with] = capacities(equivalents);
    const double part = with / (without + with);
    return {{equivalents * (1 - share), load(tokens_per_second * (1 - part))},
            {equivalents * share, load(tokens_per_second * part)}};
  }

  SupplyPoint point(const Fleet::Size& fleet, double tokens_per_second) const {
    SupplyPoint sum;
    double seconds_per_token = 0;
    const auto add = [&](const Supply& supply, const ServerShare& servers, const OperatingRule& rule) {
      if (servers.equivalents <= 0) return;
      const SupplyPoint one = supply.serve_on(servers.equivalents, servers.load, rule);
      const double weight = servers.load.tokens_per_second / tokens_per_second;
      sum.busy_share += one.busy_share * servers.equivalents / fleet.equivalents;
      sum.dollars_per_hour += one.dollars_per_hour * fleet.dollars / fleet.equivalents;
      sum.kilowatts += one.kilowatts * fleet.watts / fleet.equivalents;
      sum.waiting_seconds += weight * one.waiting_seconds;
      seconds_per_token += weight / one.user_speed;
    };
    const auto [without, with] = shares(fleet.equivalents, tokens_per_second);
    add(*market_.before, without, {});
    add(*market_.after, with, market_.rule);
    sum.gpus = fleet.gpus;
    sum.user_speed = 1 / seconds_per_token;
    // Of GPUs at the target utilisation: what they cost per hour, over what they serve.
    const MarketBaseline& base = market_.baseline;
    const double needed_before = base.point.gpus * tokens_per_second / base.load.tokens_per_second;
    sum.cost_per_million_tokens = base.point.cost_per_million_tokens * needed(tokens_per_second) /
                                  needed_before * fleet.dollars / fleet.equivalents;
    return sum;
  }

  double price(double tokens_per_second, const SupplyPoint& point) const {
    if (epoch_ % plan_.contract_epochs != 0) return price_;
    return DemandLoop(market_, *market_.after, market_.rule, {}).price(load(tokens_per_second), point);
  }

  Served served(double tokens_per_second) const {
    Served served{fleet_for(tokens_per_second)};
    served.point = point(served.fleet.size(epoch_), tokens_per_second);
    served.price = price(tokens_per_second, served.point);
    return served;
  }

  /// Where demand goes in the long run, with a part of the gap closed.
  Answers answers(std::size_t i, const SupplyPoint& point, double price) const {
    const Segment& s = market_.segments[i];
    const Conditions now = market_.conditions(i, point, price), &base = market_.baseline.conditions[i];
    const double weight = market_.context_token_weight, k = plan_.demand_adjustment;
    const DemandedLoad still = s.demand(base, base, weight, {false, false, false});
    const auto alone = [&](const ActiveChannels& channels) {
      return log_factor(s.demand(now, base, weight, channels).tokens_per_second, still.tokens_per_second);
    };
    const DemandedLoad all = s.demand(now, base, weight);
    Answers answers;
    answers.tokens[kMoreRequests] = alone({true, false, false});
    answers.tokens[kLongerRequests] = alone({false, true, false});
    answers.tokens[kMoreApplications] = alone({false, false, true});
    answers.tokens[kLimits] = log_factor(all.tokens_per_second, still.tokens_per_second) -
                              answers.tokens[kMoreRequests] - answers.tokens[kLongerRequests] -
                              answers.tokens[kMoreApplications];
    if (std::abs(answers.tokens[kLimits]) < kRounding) answers.tokens[kLimits] = 0;
    answers.requests = log_factor(all.requests_per_second, still.requests_per_second);
    for (std::size_t c = 0; c < kTokenChannels; ++c)
      answers.tokens[c] = (1 - k) * before_[i].tokens[c] + k * answers.tokens[c];
    answers.requests = (1 - k) * before_[i].requests + k * answers.requests;
    return answers;
  }

  DemandedLoad demand(std::size_t i, const Answers& answers) const {
    const Segment& s = market_.segments[i];
    double sum = 0;
    for (const double part : answers.tokens) sum += part;
    return {s.requests_per_second * exp_portable(answers.requests),
            s.requests_per_second * s.tokens_per_request(market_.context_token_weight) * exp_portable(sum)};
  }

  double excess(double log_tokens) const {
    const Served served = this->served(exp_portable(log_tokens));
    double asked = frozen_ ? frozen().demand.tokens_per_second : 0;
    for (std::size_t i = 0; !frozen_ && i < market_.segments.size(); ++i)
      asked += demand(i, answers(i, served.point, served.price)).tokens_per_second;
    return log_portable(asked) - log_tokens;
  }

  /// Most tokens/s of this epoch's GPUs, whatever the load orders.
  double log_largest() const {
    Fleet fleet = fleet_;
    double most = fleet.size(epoch_).equivalents;
    if (follows_load()) most += fleet.room(epoch_, epoch_, kilowatts_per_gpu());
    if (!std::isfinite(most)) return std::numeric_limits<double>::infinity();
    const auto [without, with] = capacities(most);
    return log_portable(without + with);
  }

  /// Sets log_tokens_ to the load of this epoch.
  bool solve() {
    const double limit = log_largest();
    const double from = std::min(log_tokens_, limit);
    double near = from, at_near = excess(near), step = 0.02;
    const double direction = at_near > 0 ? 1 : -1;
    for (double far = near; at_near != 0; step *= 1.5) {
      far = std::min(near + direction * step, limit);
      if (std::abs(far - from) > kFurthest) {
        broken_ = direction > 0 ? "demand exceeds what is served wherever it was looked for"
                                : "demand is below what is served wherever it was looked for";
        return false;
      }
      const double at_far = far == near ? at_near : excess(far);
      if (at_far * at_near <= 0) {
        near = root(near, far, at_near, at_far);
        break;
      }
      near = far, at_near = at_far;
      if (direction > 0 && far >= limit) break;  // the rest is turned away
    }
    log_tokens_ = near;
    return true;
  }

  double root(double a, double b, double at_a, double at_b) const {
    if (at_b == 0) return b;
    if (a > b) std::swap(a, b), std::swap(at_a, at_b);
    std::uintmax_t most = 200;
    const auto [low, high] =
        boost::math::tools::toms748_solve([&](double x) { return excess(x); }, a, b, at_a, at_b,
                                          boost::math::tools::eps_tolerance<double>(48), most);
    return 0.5 * (low + high);
  }

  EpochState state() {
    const Served served = this->served(exp_portable(log_tokens_));
    fleet_ = served.fleet;
    price_ = served.price;
    EpochState state;
    state.years = years();
    state.policy_share = policy_share();
    state.fleet = fleet_.size(epoch_);
    std::tie(state.without_policy, state.with_policy) =
        shares(state.fleet.equivalents, exp_portable(log_tokens_));
    state.point = served.point;
    state.price = served.price;
    if (frozen_) {
      state.demand = frozen().demand;
      state.by_segment = frozen().by_segment;
      state.tokens_by_channel = frozen().tokens_by_channel;
    } else {
      for (std::size_t i = 0; i < market_.segments.size(); ++i) add_segment(i, served, state);
    }
    state.load = load(exp_portable(log_tokens_));
    state.load.requests_per_second *= state.demand.requests_per_second / state.demand.tokens_per_second *
                                      state.load.tokens_per_second / state.load.requests_per_second;
    state.lost_tokens_per_second =
        std::max(0.0, state.demand.tokens_per_second - state.load.tokens_per_second);
    if (state.lost_tokens_per_second < 1e-9 * state.demand.tokens_per_second)
      state.lost_tokens_per_second = 0;
    state.latency_seconds =
        served.point.waiting_seconds + market_.baseline.load.typical_output_tokens / served.point.user_speed;
    MarketState now;
    now.point = served.point;
    now.price = served.price;
    state.surplus_per_hour = surplus_change(market_, now);
    return state;
  }

  void add_segment(std::size_t i, const Served& served, EpochState& state) {
    before_[i] = answers(i, served.point, served.price);
    const DemandedLoad asked = demand(i, before_[i]);
    state.by_segment.push_back(asked);
    state.demand.requests_per_second += asked.requests_per_second;
    state.demand.tokens_per_second += asked.tokens_per_second;
    const double start =
        at_start_[i].requests * market_.segments[i].tokens_per_request(market_.context_token_weight);
    // The logarithmic mean turns parts of ln(now / then) into tokens that add up.
    const double log_ratio = log_portable(asked.tokens_per_second / start);
    const double mean = std::abs(log_ratio) < 1e-12 ? start : (asked.tokens_per_second - start) / log_ratio;
    std::array<double, kTokenChannels> parts = before_[i].tokens;
    parts[kOwnGrowth] = log_portable(plan_.segments[i].factor(years()));
    for (std::size_t c = 0; c < kTokenChannels; ++c) state.tokens_by_channel[c] += mean * parts[c];
  }

  /// Orders what the load is expected to need when the GPUs come, and gives back what it does not.
  void end_epoch(const EpochState& state) {
    const double now = state.demand.tokens_per_second;
    const double growth = last_demand_ > 0 && plan_.trend ? now / last_demand_ : 1;
    last_demand_ = now;
    if (follows_load()) return;
    const int first_use = epoch_ + plan_.lead_epochs;
    const double wanted = needed(now * power(growth, plan_.lead_epochs));
    const double then = fleet_.size(first_use).equivalents;
    fleet_.order(epoch_, first_use,
                 std::min(wanted - then, fleet_.room(epoch_, first_use, kilowatts_per_gpu())));
    if (!plan_.keeps_idle) fleet_.release(epoch_, std::max(wanted, needed(now)));
  }

  Market& market_;
  const GrowthPlan& plan_;
  const GrowthPath* frozen_;
  bool with_policy_;
  Fleet fleet_;
  std::vector<Answers> before_;  // of each segment, the epoch before
  std::vector<AtStart> at_start_ = {};
  double price_;
  double log_tokens_;
  double last_demand_ = 0;
  int epoch_ = 0;
  std::string broken_ = {};
};

}  // namespace

GrowthPath follow_growth(Market& market, const GrowthPlan& plan, bool with_policy, const GrowthPath* frozen) {
  return Path(market, plan, with_policy, frozen).follow();
}

}  // namespace dspark
