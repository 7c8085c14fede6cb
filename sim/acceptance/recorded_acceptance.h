#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/calibration/rounds.h"
#include "policies/error.h"
#include "sim/acceptance/acceptance_model.h"

namespace dspark {

/// Recorded rounds replayed in the order of their request, not shuffled: what hangs together along a text
/// stays together. A simulated request plays a recorded one of its domain, chosen by its own coin, and goes
/// on with the next in the file's order where that one ends.
///
/// Two kinds of recording, told apart by their anchors:
///   - back to back (each round starts where the last ended): round n plays round n. Exact for policies that
///   verify
///     as deep as the recording did; a shallower one commits less per round and meets the same rounds at
///     earlier places of the text.
///   - dense (a round from every position of the text, REFERENCE.md 7): the round is the one recorded at that
///   position
///     of the reply, so that any policy's path is exact.
///
/// Signals that were not recorded cannot be asked for (`signals()`). Without confidences the mean conditional
/// acceptance at each position of the domain stands in: calibrated, and telling nothing apart.
class RecordedAcceptance final : public AcceptanceModel {
 public:
  /// `domains`: names of the workload's, each of which the recording must have; empty: all rounds are one.
  /// Rounds whose block is shorter than γ because the text ended are left out. Refused: a recording without
  /// rounds, and rounds that were cut by a policy (all that was verified was accepted, and more had been
  /// drafted): what lies behind is unknown.
  static Result<std::shared_ptr<const RecordedAcceptance>> make(Rounds rounds,
                                                                const std::vector<std::string>& domains);

  int block_size() const override { return rounds_.block_size; }
  unsigned signals() const override { return signals_; }
  void draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
            DraftedBlocks& blocks) const override;

  bool is_dense() const { return dense_; }
  std::size_t used_rounds() const;
  /// (γ) conditional acceptance by position over the used rounds of a domain; 0 where none reached it.
  const std::vector<float>& conditional_acceptance(std::size_t domain) const {
    return domains_[domain].conditional_acceptance;
  }

 private:
  struct Domain {
    std::vector<std::size_t> round;          // rows of `rounds_` by request, then by round
    std::vector<std::size_t> request_begin;  // into `round`
    std::vector<float> conditional_acceptance;
  };

  explicit RecordedAcceptance(Rounds rounds) : rounds_(std::move(rounds)) {}
  Domain gather(std::int32_t domain) const;
  std::size_t recorded_row(RandomKey key, const RunnerRows& rows, std::size_t row) const;

  Rounds rounds_;
  std::vector<Domain> domains_;
  unsigned signals_ = kConfidenceOnly;
  bool dense_ = false;
};

}  // namespace dspark
