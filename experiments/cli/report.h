#pragma once

#include <string>

#include "policies/error.h"

namespace dspark {

/// Errors as the user sees them, one line each on stderr; of many, the first fifty.
void print_error(const Error& error);
void print_errors(const Errors& errors);

/// Text to stdout; false, with an error on stderr, where it could not be written (a full disk; a closed pipe
/// counts as written).
bool print_output(const std::string& text);

}  // namespace dspark
