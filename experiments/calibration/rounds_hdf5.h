#pragma once

#include <string>
#include <string_view>

#include "policies/calibration/rounds.h"
#include "policies/error.h"

namespace dspark {

/// Recorded rounds in HDF5 (REFERENCE.md section 7): group /rounds, behind the user block with the digest
/// that every file of ours has. Datasets named as in CSV: `request, round, anchor_position, drafted,
/// verified, accepted` (rounds) integers, `domain` (rounds) text of fixed length, and `confidence, top1,
/// margin, entropy, chosen, acceptance` (rounds, γ) floats. NaN, -1 and empty text are "not available";
/// `anchor_position`, `domain` and each matrix may be missing. Where the file has a group /dense_rounds
/// (dspark record --dense), these are read instead. Other groups of the file are not looked at.
inline constexpr const char* kDenseRounds = "dense_rounds";

/// From the bytes of a file named `path` in messages; the digest is checked before the HDF5 library sees
/// them. Errors: another file, damage, a missing dataset, a shape or type that is none of the above, values
/// that break what Rounds promises (with row and column).
Result<Rounds> decode_rounds_hdf5(std::string_view bytes, const std::string& path);

/// A file with /rounds and nothing else; the same rounds give the same bytes.
Result<std::string> encode_rounds_hdf5(const Rounds& rounds);

}  // namespace dspark
