#pragma once

#include <string>

#include "sim/machine.h"

namespace dspark {

/// The real machine of an experiment: `machine.executor`. Paths in its block are relative to `folder`, ""
/// being the working folder. Models are loaded when a run starts and stay for runs with the same options, as
/// long as the entry lives; the block alone is checked without them.
MachineEntry executor_machine_entry(const std::string& folder);

}  // namespace dspark
