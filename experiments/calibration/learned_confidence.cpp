#include "experiments/calibration/learned_confidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/calibration/confidence_calibrations.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr std::size_t kStepRounds = 8;

ConfidenceCalibrationMaker maker_of(const std::string& name) {
  Parameters parameters(Value{Value::Map{{"confidence", {}, Value{name, {}}}}, {}});
  return read_confidence_calibration(parameters);
}

/// The rows begin .. end of a recording as one step's columns.
class StepOfRounds {
 public:
  StepOfRounds(const Rounds& rounds, std::size_t begin, std::size_t end)
      : requests_(end - begin), depth_(rounds.block_size) {
    drafted_.assign(rounds.drafted.begin() + static_cast<std::ptrdiff_t>(begin),
                    rounds.drafted.begin() + static_cast<std::ptrdiff_t>(end));
    verified_.assign(rounds.verified.begin() + static_cast<std::ptrdiff_t>(begin),
                     rounds.verified.begin() + static_cast<std::ptrdiff_t>(end));
    accepted_.assign(rounds.accepted.begin() + static_cast<std::ptrdiff_t>(begin),
                     rounds.accepted.begin() + static_cast<std::ptrdiff_t>(end));
    confidence_.resize(requests_ * static_cast<std::size_t>(depth_));
    if (rounds.margin.empty()) return;
    margin_.resize(confidence_.size());
    for (std::size_t r = 0; r < requests_; ++r) {
      for (int k = 1; k <= depth_; ++k) margin_[entry(r, k)] = rounds.margin[rounds.at(begin + r, k)];
    }
  }

  std::size_t entry(std::size_t r, int k) const { return static_cast<std::size_t>(k - 1) * requests_ + r; }
  std::span<const float> apply(const ConfidenceCalibration& calibration) {
    calibration.apply(columns(), depth_, confidence_);
    return confidence_;
  }
  StepOutcome outcome() const {
    StepOutcome outcome;
    outcome.drafted = drafted_;
    outcome.verified = verified_;
    outcome.accepted = accepted_;
    outcome.drafts = columns();
    return outcome;
  }

 private:
  DraftColumns columns() const {
    DraftColumns columns;
    columns.stride = requests_;
    columns.drafted = drafted_;
    columns.confidence = confidence_;
    columns.margin = margin_;
    return columns;
  }

  std::size_t requests_;
  int depth_;
  std::vector<int> drafted_, verified_, accepted_;
  std::vector<float> confidence_, margin_;
};

}  // namespace

const std::vector<std::string>& learned_confidences() {
  static const std::vector<std::string> names = {"margin_estimator", "acceptance_by_position"};
  return names;
}

Result<Rounds> with_learned_confidence(Rounds rounds, const std::string& name) {
  const auto& known = learned_confidences();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return Error{fmt::format("'{}' is no confidence that is learned online", name),
                 {},
                 known_names_advice(name, known)};
  }
  const auto calibration = maker_of(name)(rounds.block_size);
  if ((calibration->signals() & kMargin) != 0 && rounds.margin.empty())
    return Error{fmt::format("{} reads margins, which the recording does not have", name)};
  std::vector<float> learned(rounds.size() * static_cast<std::size_t>(rounds.block_size),
                             std::numeric_limits<float>::quiet_NaN());
  for (std::size_t begin = 0; begin < rounds.size(); begin += kStepRounds) {
    const std::size_t end = std::min(rounds.size(), begin + kStepRounds);
    StepOfRounds step(rounds, begin, end);
    const std::span<const float> shown = step.apply(*calibration);
    for (std::size_t row = begin; row < end; ++row) {
      for (int k = 1; k <= rounds.drafted[row]; ++k)
        learned[rounds.at(row, k)] = shown[step.entry(row - begin, k)];
    }
    calibration->observe(step.outcome());
  }
  rounds.confidence = std::move(learned);
  return rounds;
}

}  // namespace dspark
