#include "experiments/schema/utf8.h"

#include <fmt/format.h>

#include <cstdint>

namespace dspark {
namespace {

/// Bytes of the character that starts `text`, or 0 where none does.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= ' ' || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  std::uint32_t code = first & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool forbidden = (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF;
  return overlong || forbidden ? 0 : bytes;
}

}  // namespace

std::optional<BadByte> find_bad_utf8(std::string_view text) {
  int line = 1;
  std::size_t line_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = character_bytes(text.substr(at));
    if (bytes == 0) {
      return BadByte{line, static_cast<int>(at - line_start) + 1,
                     fmt::format("byte 0x{:02x}", static_cast<unsigned char>(text[at]))};
    }
    if (text[at] == '\n') {
      ++line;
      line_start = at + 1;
    }
    at += bytes;
  }
  return std::nullopt;
}

}  // namespace dspark
