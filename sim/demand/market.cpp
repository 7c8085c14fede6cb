#include "sim/demand/market.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/demand/demand_loop.h"
#include "sim/demand/power.h"

namespace dspark {
namespace {

void read_gain(Parameters& parameters, Market& market) {
  market.gain.gain = parameters.number(
      "gain",
      {.min = 1e-3,
       .max = 1e3,
       .meaning = "GPU-hours before over GPU-hours after, for the same tasks at the same user speed"});
  market.gain.speed_gain = parameters.number(
      "speed_gain", {.min = 1e-3,
                     .max = 1e3,
                     .default_value = 1,
                     .meaning = "user speed after over before, at the same tokens per GPU"});
}

void read_segments(Parameters& parameters, Market& market) {
  constexpr std::string_view kElasticity =
      "price elasticity of requests of the segments that say none: a number or a preset";
  std::optional<Assumption> elasticity;
  if (parameters.raw("elasticity", kElasticityType, kElasticity) || parameters.is_describing())
    elasticity = read_elasticity(parameters, "elasticity", kElasticity, std::nullopt);
  market.context_token_weight = parameters.number(
      "context_token_weight", {.min = 0,
                               .max = 100,
                               .default_value = 0.25,
                               .meaning = "what a context token costs, an output token costing 1"});
  Parameters segments = parameters.group("segments", "kinds of usage, each under a name of its own", true);
  const Value* written = parameters.raw("segments", "group", "");
  if (parameters.is_describing()) {
    Parameters one = segments.group("NAME", "a kind of usage, under a name of your choice", true);
    market.segments.push_back(read_segment(one, "NAME", elasticity, market.assumptions));
  } else if (written && written->map()) {
    for (const Value::Entry& entry : *written->map()) {
      Parameters one = segments.group(entry.key, "a kind of usage", true);
      market.segments.push_back(read_segment(one, entry.key, elasticity, market.assumptions));
    }
  }
  if (written && market.segments.empty() && !parameters.is_describing())
    parameters.add_error("'segments' names no kind of usage", parameters.position_of("segments"));
  double tokens = 0;
  for (const Segment& s : market.segments) tokens += s.requests_per_second * s.context_tokens;
  if (tokens > 0) {
    market.assumptions.push_back(
        {"cost of a context token over that of an output token", market.context_token_weight, "", ""});
  }
}

Selection select_supply(Parameters& parameters) {
  std::vector<std::string> names;
  for (const SupplyEntry& entry : supplies()) names.push_back(entry.name);
  names.push_back(kSimulatedSupply);
  return parameters.one_of("supply", names, "machines that serve the tokens");
}

void read_simulated(Parameters& parameters, Selection& kind, SurfaceSource* surfaces, Market& market) {
  for (const char* key : {"gain", "speed_gain"}) {
    if (!parameters.given(key)) continue;
    parameters.raw(key, "number", "");
    parameters.add_error(fmt::format("'{}' is measured where supply is simulated", key),
                         parameters.position_of(key), "leave it out");
  }
  SimulatedSupplies read = read_simulated_supplies(kind.parameters, surfaces);
  market.gain = {read.step.gain, read.step.speed_gain.value_or(1)};
  market.measured = std::move(read.step);
  market.before = std::move(read.before);
  market.after = std::move(read.after);
}

void read_supply(Parameters& parameters, Selection& kind, Market& market) {
  const auto entry = std::find_if(supplies().begin(), supplies().end(),
                                  [&](const SupplyEntry& known) { return known.name == kind.name; });
  market.before = entry->construct(kind.parameters, {});
  // The same parameters again; what is wrong with them has been said.
  const std::size_t errors = parameters.errors().size();
  if (errors == 0) market.after = entry->construct(kind.parameters, market.gain);
}

/// Rules that the surfaces, or fixed chips, leave nothing to.
void check_measured_rule(Parameters& parameters, const Market& market) {
  if (market.rule.kind == OperatingRule::Kind::kHoldSpeed) return;
  const Position position = parameters.position_of("operator");
  if (market.after->chips_are_fixed()) {
    parameters.add_error("fixed chips leave the operator no choice: what is asked says how fast users are",
                         position, "leave 'operator' out");
  } else if (market.rule.kind == OperatingRule::Kind::kHoldThroughput && !market.measured->speed_gain) {
    parameters.add_error("the new policy's surface does not have the baseline's tokens per GPU", position,
                         "simulate smaller or larger loads");
  }
}

void read_operator(Parameters& parameters, Market& market) {
  const std::string kind = parameters.choice(
      "operator",
      {.options = {"hold_speed", "hold_throughput", "re_optimise"},
       .default_value = "hold_speed",
       .meaning = "what a gain is taken as: fewer GPUs at the same user speed, faster users on the same "
                  "GPUs, or what makes money + waiting least"});
  if (kind == "hold_throughput") market.rule.kind = OperatingRule::Kind::kHoldThroughput;
  if (kind == "re_optimise") market.rule.kind = OperatingRule::Kind::kReOptimise;
  if (kind != "hold_speed" && !market.measured && market.gain.speed_gain == 1) {
    parameters.add_error(fmt::format("operator {} needs 'speed_gain': what the gain is as user speed", kind),
                         parameters.position_of("operator"));
  }
  if (market.after && market.measured) check_measured_rule(parameters, market);
  double requests = 0, worth = 0;
  for (const Segment& s : market.segments) {
    requests += s.requests_per_second;
    worth += s.requests_per_second * s.volume->value_of_time();
  }
  if (requests > 0) market.rule.value_of_time = worth / requests;
  if (kind == "re_optimise" && worth == 0) {
    parameters.add_error("operator re_optimise needs a segment that prices its waiting",
                         parameters.position_of("operator"), "volume: {generalised_cost: {...}}");
  }
}

void set_baseline_load(Market& market) {
  ServedLoad& load = market.baseline.load;
  double output = 0;
  for (const Segment& s : market.segments) {
    load.requests_per_second += s.requests_per_second;
    load.tokens_per_second += s.requests_per_second * s.tokens_per_request(market.context_token_weight);
    output += s.requests_per_second * s.output_tokens;
  }
  load.typical_tokens = load.tokens_per_second / load.requests_per_second;
  load.typical_output_tokens = output / load.requests_per_second;
}

void set_baseline_conditions(Market& market, double price) {
  market.baseline.price = price;
  market.baseline.conditions.clear();
  for (std::size_t i = 0; i < market.segments.size(); ++i)
    market.baseline.conditions.push_back(market.conditions(i, market.baseline.point, price));
}

bool set_baseline_price(Parameters& parameters, Market& market) {
  const double cost = market.baseline.point.cost_per_million_tokens + market.pricing.other_cost;
  if (market.pricing.kind == Pricing::Kind::kFixed) {
    set_baseline_conditions(market, market.pricing.fixed);
  } else if (market.pricing.kind == Pricing::Kind::kAverageCost) {
    set_baseline_conditions(market, (1 + market.pricing.markup) * cost);
  } else if (market.pricing.kind == Pricing::Kind::kWelfare) {
    set_baseline_conditions(market, 1);  // demand is not asked for the price
    const ServedLoad& load = market.baseline.load;
    const double price = DemandLoop(market, *market.before, {}, {})
                             .answer(load.tokens_per_second, load.requests_per_second)
                             .price;
    if (price <= 0) {
      parameters.add_error("the welfare price is 0: one more request costs nothing and delays nobody",
                           parameters.position_of("price"),
                           "give a segment that prices its waiting, or an other_cost_per_million_tokens");
      return false;
    }
    set_baseline_conditions(market, price);
  } else {
    const auto elasticity = [&](double price) {
      set_baseline_conditions(market, price);
      return market.price_elasticity();
    };
    if (market.pricing.price_cap > 0 && market.pricing.price_cap < cost) {
      parameters.add_error(fmt::format("'price_cap' is below the cost of {:.4g} $ per million tokens", cost),
                           parameters.position_of("price"));
      return false;
    }
    const auto price = monopoly_baseline_price(elasticity, cost, market.pricing.price_cap);
    if (!price) {
      parameters.add_error(
          fmt::format(
              "a monopolist who faces a price elasticity of {:.3g} has no price of largest profit: profit "
              "rises with the price for ever",
              elasticity(2 * cost)),
          parameters.position_of("price"),
          "it needs an elasticity above 1, or a price_cap: price: {monopoly: {price_cap: 10}}");
      return false;
    }
    set_baseline_conditions(market, *price);
  }
  return true;
}

/// What can only be judged at the baseline's price and speed.
void check_baseline(Parameters& parameters, const Market& market) {
  const Value* written = parameters.raw("segments", "group", "");
  for (std::size_t i = 0; i < market.segments.size(); ++i) {
    const Segment& s = market.segments[i];
    const Conditions& at = market.baseline.conditions[i];
    const Position position = written->map()->at(i).key_position;
    const double speed = s.latency->least_user_speed();
    if (speed > market.before->fastest_user_speed()) {
      parameters.add_error(
          fmt::format("{}: unreachable user speed: {} tokens/s are asked for, a user alone has {}", s.name,
                      speed, market.before->fastest_user_speed()),
          position);
    } else if (speed > at.user_speed) {
      parameters.add_error(
          fmt::format("{}: the baseline gives {} tokens/s to a user, below the threshold of {}: there "
                      "would be no requests to start from",
                      s.name, at.user_speed, speed),
          position);
    }
    const auto* mixture = dynamic_cast<const ThresholdMixture*>(s.volume.get());
    if ((mixture && mixture->share(at) <= 0) || (s.new_applications && s.new_applications->share(at) <= 0)) {
      parameters.add_error(
          fmt::format("{}: no application meets its thresholds at the baseline ({:.4g} $ per million "
                      "tokens, {:.4g} s): nothing to compare with",
                      s.name, at.dollars_per_million_tokens, at.latency_seconds),
          position);
    }
    const double spent = s.requests_per_second * 3600 * at.dollars_per_request;
    if (s.budget_dollars_per_hour > 0 && s.budget_dollars_per_hour < spent * (1 - 1e-9)) {
      parameters.add_error(
          fmt::format("{}: the budget of {} $ per hour is below the {:.6g} that the baseline spends", s.name,
                      s.budget_dollars_per_hour, spent),
          position);
    }
  }
}

/// A replica's throughput is that of the experiment's requests: the market's must be about as long.
void check_simulated_lengths(Parameters& parameters, const Market& market) {
  constexpr double kMost = 0.1;
  const auto& surface = dynamic_cast<const SimulatedSupply&>(*market.before).surface();
  const double at = market.measured->load_before;
  const double simulated = surface.at(kThroughput, at) / surface.at(kRequestRate, at);
  const double asked = market.baseline.load.typical_output_tokens;
  if (std::abs(asked / simulated - 1) <= kMost) return;
  parameters.add_error(
      fmt::format("the market's requests have {:.4g} output tokens on average, the simulated ones {:.4g}",
                  asked, simulated),
      parameters.position_of("segments"), "give them the same lengths, here or in the experiment");
}

void calibrate(Parameters& parameters, Market& market) {
  set_baseline_load(market);
  const ServedLoad& load = market.baseline.load;
  if (market.measured) check_simulated_lengths(parameters, market);
  if (!parameters.errors().empty()) return;
  const double largest = market.before->largest_load(load, {});
  if (load.tokens_per_second > largest) {
    parameters.add_error(
        fmt::format("the baseline asks for {:.6g} weighted tokens/s, the GPUs serve {:.6g} at most",
                    load.tokens_per_second, largest),
        parameters.position_of("supply"));
    return;
  }
  market.baseline.point = market.before->serve(load, {});
  if (!set_baseline_price(parameters, market)) return;
  if (market.pricing.kind == Pricing::Kind::kMonopoly) {
    // Elasticity says where profit is level, and that may be a dip, or beyond what prices are searched for.
    const double best = DemandLoop(market, *market.before, {}, {})
                            .answer(load.tokens_per_second, load.requests_per_second)
                            .price;
    if (std::abs(best / market.baseline.price - 1) > 1e-4) {
      parameters.add_error(
          fmt::format(
              "at the price where a monopolist's profit is level, {:.4g} $ per million tokens, it is not the "
              "largest: {:.4g} $ earn more",
              market.baseline.price, best),
          parameters.position_of("price"), "give a price_cap, or another form of demand");
      return;
    }
  }
  check_baseline(parameters, market);
  const double speed = market.after->serve(load, market.rule).user_speed;
  if (speed > market.after->fastest_user_speed() * (1 + 1e-12)) {
    parameters.add_error(
        fmt::format("unreachable user speed: the gain taken as speed gives {:.6g} tokens/s, a user "
                    "alone has {}",
                    speed, market.after->fastest_user_speed()),
        parameters.position_of("operator"));
  }
}

}  // namespace

Conditions Market::conditions(std::size_t index, const SupplyPoint& point, double price) const {
  const Segment& s = segments[index];
  return {price, price * 1e-6 * s.tokens_per_request(context_token_weight),
          point.waiting_seconds + s.output_tokens / point.user_speed, point.user_speed};
}

double Market::price_elasticity() const {
  constexpr double kStep = 1e-4;
  const auto tokens = [&](double factor) {
    double sum = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      Conditions now = baseline.conditions[i];
      now.dollars_per_million_tokens *= factor;
      now.dollars_per_request *= factor;
      sum += segments[i].demand(now, baseline.conditions[i], context_token_weight).tokens_per_second;
    }
    return sum;
  };
  // Along the side of higher prices only: budgets and saturation bind at lower ones.
  return -(4 * log_portable(tokens(exp_portable(kStep))) - log_portable(tokens(exp_portable(2 * kStep))) -
           3 * log_portable(tokens(1))) /
         (2 * kStep);
}

Market read_market(Parameters& parameters, SurfaceSource* surfaces) {
  Market market;
  market.title = parameters.text("title", {.default_value = "", .meaning = "names the result"});
  Selection supply = select_supply(parameters);
  const bool simulated = supply.name == kSimulatedSupply;
  if (!simulated) read_gain(parameters, market);
  read_segments(parameters, market);
  if (simulated) read_simulated(parameters, supply, surfaces, market);
  if (!simulated) read_supply(parameters, supply, market);
  market.pricing = read_pricing(parameters);
  read_operator(parameters, market);
  if (parameters.errors().empty() && !parameters.is_describing() && market.after)
    calibrate(parameters, market);
  return market;
}

}  // namespace dspark
