#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "sim/engine/runner.h"

namespace dspark::testing {

/// Systems that are wrong in one thing each: what the laws of tests/sim/theory must reject.
///
/// A runner in front of the modelled one, which it asks and then contradicts.
class MutantRunner : public Runner {
 public:
  explicit MutantRunner(Runner& inner) : inner_(inner) {}

  int block_size() const override { return inner_.block_size(); }
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override {
    return inner_.draft(rows, block_size, rules);
  }
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override {
    Verified outcome = inner_.verify(rows, submitted, shape);
    accepted_.assign(outcome.accepted.begin(), outcome.accepted.end());
    spoil(submitted, shape, outcome.seconds);
    outcome.accepted = accepted_;
    return outcome;
  }

 protected:
  virtual void spoil(std::span<const int> submitted, const StepShape& shape, StepSeconds& seconds) = 0;

  std::vector<int> accepted_;  // (rows)

 private:
  Runner& inner_;
};

/// Takes the residual where a block was accepted to its end, as if its last token had been rejected, so that
/// the round ends one token early.
class ResidualAfterAWholeBlock final : public MutantRunner {
 public:
  using MutantRunner::MutantRunner;

 protected:
  void spoil(std::span<const int> submitted, const StepShape&, StepSeconds&) override {
    for (std::size_t r = 0; r < accepted_.size(); ++r) {
      if (submitted[r] > 0 && accepted_[r] == submitted[r]) --accepted_[r];
    }
  }
};

/// Goes on behind a rejection: a rejected first token costs one token and not the rest of the block.
class GoesOnBehindARejection final : public MutantRunner {
 public:
  using MutantRunner::MutantRunner;

 protected:
  void spoil(std::span<const int> submitted, const StepShape&, StepSeconds&) override {
    for (std::size_t r = 0; r < accepted_.size(); ++r) {
      if (accepted_[r] == 0) accepted_[r] = std::max(0, submitted[r] - 1);
    }
  }
};

/// Prices draft tokens only: the anchors' rows are for nothing.
class AnchorsForNothing final : public MutantRunner {
 public:
  AnchorsForNothing(Runner& inner, double seconds_per_row)
      : MutantRunner(inner), seconds_per_row_(seconds_per_row) {}

 protected:
  void spoil(std::span<const int>, const StepShape& shape, StepSeconds& seconds) override {
    seconds.verify -= seconds_per_row_ * shape.decode_requests;
  }

 private:
  double seconds_per_row_;
};

/// The runner hook of a `SmallSystem`.
template <typename Mutant, typename... Arguments>
auto around(Arguments... arguments) {
  return
      [=](Runner& inner) -> std::unique_ptr<Runner> { return std::make_unique<Mutant>(inner, arguments...); };
}

}  // namespace dspark::testing
