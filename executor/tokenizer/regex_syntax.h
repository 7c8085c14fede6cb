#pragma once

#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

/// A regular expression of a tokenizer file (Oniguruma's syntax for Ruby) as PCRE2 writes it, with the flags
/// PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE. Both mean the same of what passes: groups, look-around,
/// alternatives, `^ $ .`, greedy, lazy and possessive repeats, sets, \p{...} of a general category or a
/// script, \d \s and escaped characters; \s is rewritten, since PCRE2 counts U+180E. Errors: anything else,
/// with the byte where it stands, since the two may differ there (\w, \b, \h, nested sets, back references,
/// options other than i).
Result<std::string> pcre2_syntax(std::string_view regex);

}  // namespace dspark
