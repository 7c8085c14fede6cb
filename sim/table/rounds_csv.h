#pragma once

#include <string>

#include "policies/calibration/rounds.h"
#include "policies/parameters.h"

namespace dspark {

/// Which table of rounds a CSV file is.
enum class RoundsForm {
  /// Ours (REFERENCE.md section 7): `request, round, anchor_position, domain, drafted, verified, accepted`,
  /// then for j = 1..γ `confidence_j, top1_j, margin_j, entropy_j, chosen_j, acceptance_j`. Columns by name
  /// in any order; `anchor_position`, `domain` and each per-position signal may be missing, but a signal has
  /// all of 1..γ or none. Empty = not available. Without any per-position column γ is the largest `drafted`.
  kRounds,
  /// `commits, category, a0..a{D-1}` (REFERENCE.md section 6): all D drafts were verified and the first
  /// `commits` of them accepted; a_j is the gate's estimate for draft j + 1, given that those before it are
  /// accepted. Every row is a request of its own; `category` is the domain.
  kGateConditional,
  /// The same columns; a_j is the estimate that drafts 1..j + 1 are all accepted, and never rises in a row.
  /// Becomes c_k = a_{k-1} / a_{k-2}, and 0 after an estimate of 0.
  kGateCumulative,
};

/// Largest table that is read: bytes, and fields (a hostile file could hold one per byte).
constexpr std::size_t kMaxRoundsBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxRoundsFields = 50'000'000;

/// Errors, each with line and column: an unknown column, a gap in 1..γ, a value that is no number or out of
/// range, counts out of order (accepted <= verified <= drafted <= γ), a value past `drafted`, a table that is
/// too large, anything that CsvTable refuses. Bytes above 127 in domain names are not looked at: whoever
/// reads the file checks its text.
Result<Rounds> read_rounds_csv(InputFile file, RoundsForm form = RoundsForm::kRounds);

/// As CSV text in our form, with every column that is not empty; numbers are the shortest that read back as
/// the same. Domain names must have no comma, quote or control character.
std::string rounds_csv(const Rounds& rounds);

}  // namespace dspark
