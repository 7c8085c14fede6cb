#include "sim/acceptance/recorded_acceptance_parameters.h"

#include <xxhash.h>

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>

#include "sim/acceptance/recorded_acceptance.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

using Model = std::shared_ptr<const RecordedAcceptance>;

RoundsForm form_of(const std::string& name) {
  if (name == "gate_conditional") return RoundsForm::kGateConditional;
  return name == "gate_cumulative" ? RoundsForm::kGateCumulative : RoundsForm::kRounds;
}

/// The model of this content, made once as long as anybody uses it.
Result<Model> shared_model(InputFile file, const std::string& form, const std::vector<std::string>& domains) {
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::string, std::vector<std::string>>;
  static std::mutex mutex;
  static std::map<Key, std::weak_ptr<const RecordedAcceptance>> known;
  const XXH128_hash_t content = XXH3_128bits(file.content.data(), file.content.size());
  const std::scoped_lock lock(mutex);
  auto& found = known[{content.low64, content.high64, form, domains}];
  if (const Model model = found.lock()) return model;
  auto rounds = read_rounds_csv(std::move(file), form_of(form));
  if (!rounds) return rounds.error();
  auto model = RecordedAcceptance::make(*std::move(rounds), domains);
  if (model) found = *model;
  return model;
}

}  // namespace

std::shared_ptr<const AcceptanceModel> read_recorded_acceptance(Parameters& parent,
                                                                const std::vector<std::string>& domains,
                                                                std::vector<FitLine>& fits) {
  Parameters group = parent.group("rounds", "instead of a curve: recorded rounds, replayed in their order");
  const Position position = group.position_of("file");
  InputFile file = group.file("file", "CSV or .h5 of rounds (docs/calibration.md has the columns)");
  const std::string form =
      group.choice("form", {.options = {"rounds", "gate_conditional", "gate_cumulative"},
                            .default_value = "rounds",
                            .meaning = "rounds: our columns; gate_…: `commits, category, a0, …` "
                                       "with conditional or cumulative estimates"});
  if (file.content.empty() || parent.is_describing()) return nullptr;
  auto model = shared_model(std::move(file), form, domains);
  if (!model) {
    Error error = model.error();
    if (!error.position.source) error.position = position;
    group.add_error(std::move(error));
    return nullptr;
  }
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  fits.push_back(
      {(*model)->is_dense() ? "rounds replayed, from every position" : "rounds replayed, back to back",
       "recorded", "rounds", kNotMeasured, static_cast<double>((*model)->used_rounds())});
  return *std::move(model);
}

}  // namespace dspark
