#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dspark {

/// The alphabet of byte-level BPE: each byte is one printable character, so that a vocabulary of texts can
/// hold any bytes. Printable Latin-1 characters stand for themselves, the 68 other bytes, in their order, for
/// U+0100 and what follows (Radford et al., GPT-2, encoder.py, `bytes_to_unicode`).
char32_t byte_level_character(unsigned char byte);
/// The byte that a character stands for, if it is one of the alphabet.
std::optional<unsigned char> byte_level_byte(char32_t character);

/// One character of the alphabet for each byte.
std::string to_byte_level(std::string_view bytes);

}  // namespace dspark
