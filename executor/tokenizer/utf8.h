#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dspark {

/// What some bytes begin with.
struct Utf8Unit {
  enum class Kind : std::uint8_t {
    kCharacter,   // one whole character
    kBroken,      // bytes that no character begins with, whatever follows
    kIncomplete,  // all bytes there are, and more of them could make a character
  };
  Kind kind = Kind::kCharacter;
  std::size_t bytes = 0;   // that it takes, at least 1
  char32_t character = 0;  // of kCharacter
};

/// The first unit of `bytes`, which has at least one. A broken unit is the longest beginning of a character
/// ("maximal subpart", Unicode 15 section 3.9), or one byte.
Utf8Unit first_unit(std::string_view bytes);

/// U+FFFD, which stands for a broken unit.
inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

/// `bytes` with U+FFFD for each broken unit: Python's `bytes.decode("utf-8", errors="replace")`.
std::string valid_utf8(std::string_view bytes);

void append_utf8(char32_t character, std::string& text);

}  // namespace dspark
