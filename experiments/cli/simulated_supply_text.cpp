#include <fmt/format.h>

#include <cmath>

#include "experiments/cli/equilibrium_report.h"
#include "experiments/cli/text_table.h"
#include "experiments/schema/value_text.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 110;

std::string with_error(double value, double error) {
  return fmt::format("{} ± {:.2g}", number(value), error);
}

void add_row(std::vector<Row>& rows, const char* name, const CheckedValue& v) {
  rows.push_back({name, with_error(v.surface, v.surface_error.total()),
                  with_error(v.simulated, v.simulated_error),
                  v.surface != 0 ? fmt::format("{:+.2f} %", 100 * v.difference()) : "-",
                  fmt::format("{:+.1f}", v.in_errors())});
}

}  // namespace

std::string simulated_supply_text(const Market& market, const SolutionCheck* check) {
  const MeasuredStep& step = *market.measured;
  const std::string unit = step.request.load == "rate" ? "requests/s" : "users";
  std::string text = fmt::format(
      "\nSupply from simulation: {}, {} against {}\n"
      "  at {} tokens/s per user: {} {} per replica before, {} after; gain {}\n",
      step.request.experiment, label(step.request.after), label(step.request.before), number(step.user_speed),
      number(step.load_before), unit, number(step.load_after), with_error(step.gain, step.gain_error));
  if (step.speed_gain) {
    text +=
        fmt::format("  at the same tokens per GPU: {} {} per replica after; speed gain {}\n",
                    number(step.load_throughput), unit, with_error(*step.speed_gain, step.speed_gain_error));
  } else {
    text += "  the same tokens per GPU are not on the new policy's surface: no speed gain\n";
  }
  if (check == nullptr) return text;
  text += fmt::format(
      "Simulated again in equilibrium, at {} {} per replica (there it is {}), with other seeds:\n",
      number(check->load), check->unit, number(check->load_at_end));
  std::vector<Row> rows = {{"", "surface", "simulated", "difference", "in standard errors"}};
  add_row(rows, "output tokens/s of a replica", check->throughput);
  add_row(rows, "user speed, tokens/s", check->user_speed);
  add_row(rows, "time to the first token, s", check->time_to_first);
  return text + aligned(rows, 1, kWidth) +
         fmt::format(
             "The surface's error, over |1 - slope of the loop|, is one of {:.2g} % of the load in "
             "equilibrium.\n",
             100 * check->equilibrium_error);
}

}  // namespace dspark
