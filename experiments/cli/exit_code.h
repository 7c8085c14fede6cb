#pragma once

namespace dspark {

/// What every command returns to the shell.
enum ExitCode : int {
  kDone = 0,
  kCheckFailed = 1,
  kInvalidInput = 2,   // a wrong file, option or value
  kMachineCannot = 3,  // memory, disk, device, permissions
  kNoPlan = 4,         // dspark plan: nothing that was asked for keeps the promise
  kInterrupted = 130,  // resumable
};

}  // namespace dspark
