#include "sim/demand/growth/growth_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/demand/power.h"

namespace dspark {
namespace {

constexpr int kMostEpochs = 1200;

Development read_development(Parameters& segment, const std::string& name, GrowthPlan& plan) {
  Development development;
  development.growth_per_year =
      segment.number("growth_per_year", {.min = 0.01,
                                         .max = 1000,
                                         .default_value = 1,
                                         .meaning = "dspark grow: requests a year later over those now, at "
                                                    "the same price and waiting"});
  development.potential =
      segment.number("potential", {.min = 1,
                                   .max = 1e9,
                                   .default_value = 1,
                                   .meaning = "dspark grow: requests once all have adopted, over the "
                                              "baseline's"});
  development.adoption =
      Diffusion(segment, "adoption", "dspark grow: how requests go from the baseline to 'potential'");
  if (segment.given("adoption") && development.potential == 1) {
    segment.add_error("'adoption' leads nowhere: 'potential' is 1, the baseline",
                      segment.position_of("adoption"),
                      "say how many times the baseline all adopters ask for");
  }
  if (development.growth_per_year != 1)
    plan.assumptions.push_back({name + ": growth per year", development.growth_per_year, "", ""});
  if (development.potential != 1)
    plan.assumptions.push_back(
        {name + ": requests of all adopters, times the baseline's", development.potential, "", ""});
  return development;
}

void read_developments(Parameters& parameters, const Market& market, GrowthPlan& plan) {
  Parameters segments = parameters.group("segments", "kinds of usage, each under a name of its own", true);
  if (parameters.is_describing()) {
    Parameters one = segments.group("NAME", "a kind of usage, under a name of your choice", true);
    read_development(one, "NAME", plan);
    return;
  }
  for (const Segment& segment : market.segments) {
    Parameters one = segments.group(segment.name, "a kind of usage", true);
    plan.segments.push_back(read_development(one, segment.name, plan));
  }
}

Generation read_generation(Parameters& parameters, const std::string& name) {
  Generation generation;
  generation.name = name;
  generation.from_years = parameters.number(
      "from", {.min = 0, .max = 1000, .unit = "years", .meaning = "when it can be ordered first"});
  generation.gain =
      parameters.number("gain", {.min = 1e-3,
                                 .max = 1e6,
                                 .meaning = "tokens of a GPU at the same user speed, over the machine of "
                                            "the file"});
  generation.dollars = parameters.number(
      "dollars",
      {.min = 1e-3, .max = 1e6, .default_value = 1, .meaning = "of a GPU-hour, over that machine's"});
  generation.watts = parameters.number("watts", {.min = 1e-3,
                                                 .max = 1e6,
                                                 .default_value = 1,
                                                 .meaning = "of a GPU, idle or busy, over that machine's"});
  return generation;
}

void read_generations(Parameters& growth, GrowthPlan& plan) {
  plan.generations.push_back({"the machine of the file"});
  constexpr std::string_view kMeaning = "GPUs that appear later, each under a name of its own";
  if (!growth.raw("generations", "group", kMeaning) && !growth.is_describing()) return;
  Parameters generations = growth.group("generations", kMeaning);
  const Value* written = growth.raw("generations", "group", kMeaning);
  if (growth.is_describing()) {
    Parameters one = generations.group("NAME", "a generation, under a name of your choice", true);
    read_generation(one, "NAME");
  } else if (written && written->map()) {
    for (const Value::Entry& entry : *written->map()) {
      Parameters one = generations.group(entry.key, "a generation", true);
      plan.generations.push_back(read_generation(one, entry.key));
      const Generation& read = plan.generations.back();
      plan.assumptions.push_back({read.name + ": tokens of a GPU over the machine of the file", read.gain});
    }
  }
  std::stable_sort(plan.generations.begin() + 1, plan.generations.end(),
                   [](const Generation& a, const Generation& b) { return a.from_years < b.from_years; });
}

void read_time(Parameters& growth, GrowthPlan& plan) {
  const std::string epoch = growth.choice(
      "epoch",
      {.options = {"month", "quarter", "year"}, .default_value = "quarter", .meaning = "step of the path"});
  plan.epoch_years = epoch == "month" ? 1.0 / 12 : epoch == "quarter" ? 0.25 : 1;
  plan.epochs = static_cast<int>(growth.integer(
      "epochs",
      {.min = 1, .max = kMostEpochs, .default_value = 20, .meaning = "steps, the first at the baseline"}));
  plan.demand_adjustment =
      growth.number("demand_adjustment", {.min = 0.01,
                                          .max = 1,
                                          .default_value = 1,
                                          .meaning = "share of the gap to the long-run answer that demand "
                                                     "closes per epoch"});
  plan.contract_epochs =
      static_cast<int>(growth.integer("contract_epochs", {.min = 1,
                                                          .max = kMostEpochs,
                                                          .default_value = 1,
                                                          .unit = "epochs",
                                                          .meaning = "for which a price is agreed"}));
}

void read_capacity(Parameters& growth, GrowthPlan& plan) {
  plan.lead_epochs = static_cast<int>(growth.integer("lead_epochs", {.min = 0,
                                                                     .max = kMostEpochs,
                                                                     .default_value = 0,
                                                                     .unit = "epochs",
                                                                     .meaning = "from an order of GPUs to "
                                                                                "their first use"}));
  plan.trend = growth.choice("orders", {.options = {"today", "trend"},
                                        .default_value = "today",
                                        .meaning = "the load that orders expect: today's, or today's with "
                                                   "the last epoch's growth going on"}) == "trend";
  plan.life_epochs = static_cast<int>(growth.integer("life_epochs", {.min = 0,
                                                                     .max = kMostEpochs,
                                                                     .default_value = 0,
                                                                     .unit = "epochs",
                                                                     .meaning = "of a GPU; 0: for ever"}));
  plan.keeps_idle =
      growth.choice("idle_gpus", {.options = {"released", "kept"},
                                  .default_value = "released",
                                  .meaning = "GPUs that are not needed: given back, or kept and "
                                             "paid for"}) == "kept";
  plan.most_gpus = growth.number(
      "most_gpus",
      {.min = 0, .max = 1e12, .default_value = 0, .unit = "GPUs", .meaning = "that can be had; 0: no cap"});
  plan.most_kilowatts =
      growth.number("most_kilowatts", {.min = 0,
                                       .max = 1e12,
                                       .default_value = 0,
                                       .unit = "kW",
                                       .meaning = "of all GPUs at the target utilisation; 0: no cap"});
}

void check_caps(Parameters& growth, const GrowthPlan& plan, const Market& market) {
  const SupplyPoint& base = market.baseline.point;
  if (plan.most_gpus > 0 && plan.most_gpus < base.gpus) {
    growth.add_error(fmt::format("'most_gpus' is below the {:.6g} GPUs of the baseline", base.gpus),
                     growth.position_of("most_gpus"));
  }
  if (plan.most_kilowatts > 0 && plan.most_kilowatts < base.kilowatts) {
    growth.add_error(fmt::format("'most_kilowatts' is below the {:.6g} kW of the baseline", base.kilowatts),
                     growth.position_of("most_kilowatts"));
  }
  if (market.before->chips_are_fixed()) {
    growth.add_error("a growth path orders GPUs, and those of this supply are fixed", growth.position(),
                     "use linear_cost, and 'most_gpus' in 'growth' for a cap");
  }
}

}  // namespace

double Development::factor(double years) const {
  return power(growth_per_year, years) * (1 + (potential - 1) * adoption.share(years));
}

GrowthPlan read_growth_plan(Parameters& parameters, const Market& market) {
  GrowthPlan plan;
  Parameters growth = parameters.group("growth", "epochs, capacity, adoption and generations of GPUs", true);
  read_time(growth, plan);
  read_capacity(growth, plan);
  plan.policy = Diffusion(growth, "policy", "share of the servers that run the policy with the gain");
  read_generations(growth, plan);
  read_developments(parameters, market, plan);
  // A simulated supply is not there yet when its file is read for the first time.
  if (parameters.errors().empty() && market.before) check_caps(growth, plan, market);
  return plan;
}

}  // namespace dspark
