#pragma once

#include <CLI/CLI.hpp>

#include "experiments/cli/commands.h"

namespace dspark {

/// The command `profile` of `app`, which fills `options`.
CLI::App* add_profile_command(CLI::App& app, ProfileCommandOptions& options);

}  // namespace dspark
