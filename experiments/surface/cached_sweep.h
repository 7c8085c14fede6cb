#pragma once

#include <optional>
#include <string>

#include "experiments/sweep/runner.h"

namespace dspark {

struct CacheOptions {
  std::string folder = "results/surfaces";  // empty: nothing is kept
  int jobs = 0;                             // 0: all cores
  bool quiet = false;
};

/// All results of an experiment, or why there are none.
struct CachedSweep {
  SweepResults results = {};
  std::optional<Error> error = {};
  bool machine_cannot = false;  // the error is of the disk, not of the input
  bool interrupted = false;
  std::size_t simulated = 0;  // runs that the cache did not have
  bool finished() const { return !error && !interrupted; }
};

/// Runs what the cache does not have. An entry is the append log of a sweep (sweep/result_log.h) under the
/// digest of all that the numbers depend on: `FOLDER/DIGEST.runs`. So a killed build goes on where it was,
/// each record has its checksum, and another experiment, policy, load, seed or result version is another
/// entry. Damage is never an error: records that fail their checksum, and those behind them, are run again,
/// and so is all of a file that is no such log. A complete entry is read without a lock, so that any number
/// of programs share it; where another program is building it, that is an error.
CachedSweep cached_sweep(const Experiment& experiment, const CacheOptions& options);

}  // namespace dspark
