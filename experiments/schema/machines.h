#pragma once

#include <string>
#include <vector>

#include "executor/machine/executor_machine.h"

namespace dspark {

/// The kinds of machine beside the modelled one. Paths in their blocks are relative to `folder`.
inline std::vector<MachineEntry> real_machines(const std::string& folder) {
  return {executor_machine_entry(folder)};
}

}  // namespace dspark
