#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/lossless/frontier_strategies.h"
#include "sim/lossless/step_check.h"

namespace dspark {

/// Two draws that a policy tells apart although it submits the same of them, and what that does to the
/// output.
struct Exposure {
  SystemSize size;
  std::string costs;  // convex, staircase or jagged
  int rounds = 0;     // played before
  DecidedDraw first, second;
  /// W of `changed.text` (lemma 2), where the target is the drafter itself: its probability over the
  /// target's.
  double weight = 1;
  ChangedLaw changed;
  bool target_is_drafter = true;  // the target of `changed`; else another model
};

struct LosslessVerdict {
  enum class Kind {
    kProved,         // sees draws through the frontier alone, and the frontier shows nothing it should not
    kNoViolation,    // other views: none was found
    kExposed,        // changes the output
    kNotApplicable,  // nothing to check, with the reason
  };
  Kind kind = Kind::kNoViolation;
  std::int64_t states = 0;     // states of the policy in which every draw was asked
  std::int64_t decisions = 0;  // asked in all
  int different = 0;           // most different decisions in one state: 1 says that nothing depends on draws
  std::string reason = {};     // of kNotApplicable
  std::optional<Exposure> exposure = {};
};

/// How far a check goes. The defaults take about a second for each policy and source of confidence.
struct CheckEffort {
  std::int64_t grid_tables =
      729;                   // systems with no more tables than this are enumerated; else so many random
  int states_by_round = 16;  // states kept after each of the first three rounds
  int long_histories = 6;
  int long_rounds = 40;
  unsigned seed = 1;
};

/// Whether a policy keeps the output (LOSSLESS.md, lemmas 1 and 2), asked at every reached state: at the
/// start with all signal tables of a grid where they are few and random ones elsewhere; after one, two and
/// three rounds of any outcome; and after long random histories, in which requests come and go. Vocabulary
/// 2..3, block size 2..3, 1..2 requests, and three step costs (`check_costs`). A broken stopping set counts
/// as exposed where the output's law changes with it for the drafter as the target or for another model.
///
/// Deterministic. `rules`: what the engine enforces.
LosslessVerdict check_lossless(const PolicyMaker& make, ConfidenceSource source,
                               const EngineRules& rules = {}, const CheckEffort& effort = {});

/// It is exposed although neither the policy nor the signal is declared to look at what it decides about.
bool breaks_its_word(const PolicyTraits& traits, ConfidenceSource source, const LosslessVerdict& verdict);

/// The frontier under all strategies (FrontierStrategies), with drafts that end early and drafts that do not,
/// for one and two requests.
FrontierProof prove_frontier();

/// Σ_x q(x) K(y | x_1 .. x_l) = p(y) in rationals, for random models, certain tokens among them, every l and
/// every text y. Identities checked, or nothing where one failed.
std::optional<std::int64_t> prove_verifier();

/// "proved (frontier only)", "no violation in 1200 states, 34000 decisions", "exposed", "not applicable:
/// ..."
std::string verdict_text(const LosslessVerdict& verdict);
/// Several lines: the two draws, the two decisions, W, and what changes.
std::string exposure_text(const Exposure& exposure);

/// A step cost of the small systems (rows 1..8, arbitrary unit), by name: where each token costs more than
/// the one before; a staircase; and one that jumps up and down, on which a search by the best total is
/// tempted to look ahead.
struct NamedCost {
  std::string name;
  StepCost cost;
};
std::vector<NamedCost> check_costs();

}  // namespace dspark
