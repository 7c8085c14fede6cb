#pragma once

#include <string_view>

namespace dspark {

/// Opens what is closed of the three standard streams on /dev/null, so that no file of ours ever takes their
/// place and collects what is meant for the terminal. At the start of the program.
void claim_standard_streams();

/// Writes to the standard error stream as it is. That nobody can read it (closed, full) is no reason to stop.
void write_message(std::string_view text);

}  // namespace dspark
