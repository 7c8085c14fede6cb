#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

/// What the bytes of a character of more than one byte may be (Unicode 15, table 3-7).
struct Lead {
  std::size_t bytes = 0;  // of the character; 0: no character begins so
  unsigned char second_min =
      0x80;  // narrower than that of the third and fourth, so that no character has two forms
  unsigned char second_max = 0xbf;  // and none is a surrogate or above U+10FFFF
};

Lead lead_of(unsigned char byte) {
  if (byte < 0xc2 || byte > 0xf4) return {};
  if (byte < 0xe0) return {2};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte < 0xf0) return {3};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {4};
}

}  // namespace

Utf8Unit first_unit(std::string_view bytes) {
  using Kind = Utf8Unit::Kind;
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return {Kind::kCharacter, 1, first};
  const Lead lead = lead_of(first);
  if (lead.bytes == 0) return {Kind::kBroken, 1, 0};
  char32_t character = first & (0x7fU >> lead.bytes);
  for (std::size_t i = 1; i < lead.bytes; ++i) {
    if (i == bytes.size()) return {Kind::kIncomplete, i, 0};
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool fits = i == 1 ? byte >= lead.second_min && byte <= lead.second_max : (byte & 0xc0U) == 0x80;
    if (!fits) return {Kind::kBroken, i, 0};
    character = character << 6 | (byte & 0x3fU);
  }
  return {Kind::kCharacter, lead.bytes, character};
}

std::string valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Unit unit = first_unit(bytes);
    text += unit.kind == Utf8Unit::Kind::kCharacter ? bytes.substr(0, unit.bytes) : kReplacementCharacter;
    bytes.remove_prefix(unit.bytes);
  }
  return text;
}

void append_utf8(char32_t character, std::string& text) {
  const auto byte = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (character < 0x80) return byte(character);
  if (character < 0x800) {
    byte(0xc0 | character >> 6);
  } else if (character < 0x10000) {
    byte(0xe0 | character >> 12);
    byte(0x80 | (character >> 6 & 0x3f));
  } else {
    byte(0xf0 | character >> 18);
    byte(0x80 | (character >> 12 & 0x3f));
    byte(0x80 | (character >> 6 & 0x3f));
  }
  byte(0x80 | (character & 0x3f));
}

}  // namespace dspark
