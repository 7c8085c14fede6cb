#pragma once

#include <string>

#include "policies/calibration/rounds.h"
#include "policies/error.h"
#include "sim/table/rounds_csv.h"

namespace dspark {

/// Recorded rounds from a file (REFERENCE.md section 7): a name that ends in `.h5` is a result file with the
/// group /rounds (rounds_hdf5.h), anything else a CSV table. `form` is for CSV only. Errors: unreadable, too
/// large, not UTF-8, or whatever the reader refuses, with line and column.
Result<Rounds> read_rounds_file(const std::string& path, RoundsForm form);

}  // namespace dspark
