#include "executor/tokenizer/utf8.h"

#include <gtest/gtest.h>

#include "executor/tokenizer/byte_level.h"

namespace dspark {
namespace {

TEST(Utf8, EveryCharacterIsReadAsItWasWritten) {
  for (char32_t character = 0; character <= 0x10ffff; ++character) {
    std::string text;
    append_utf8(character, text);
    const Utf8Unit unit = first_unit(text + "x");
    const bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
    ASSERT_EQ(unit.kind == Utf8Unit::Kind::kCharacter, !is_surrogate)
        << static_cast<std::uint32_t>(character);
    if (is_surrogate) continue;
    ASSERT_EQ(unit.bytes, text.size());
    ASSERT_EQ(unit.character, character);
    for (std::size_t size = 1; size < text.size(); ++size)
      ASSERT_EQ(first_unit(text.substr(0, size)).kind, Utf8Unit::Kind::kIncomplete)
          << static_cast<std::uint32_t>(character);
  }
}

TEST(Utf8, BrokenBytesBecomeReplacementsAsInPython) {
  const std::string r(kReplacementCharacter);
  const std::pair<std::string, std::string> cases[] = {
      {"a\x80z", "a" + r + "z"},
      {"\xc3", r},
      {"\xc3z", r + "z"},
      {"\xe2\x82", r},
      {"\xe2\x82z", r + "z"},
      {"\xf0\x9f\x98", r},
      {"\xc0\x80", r + r},
      {"\xe0\x80\x80", r + r + r},
      {"\xed\xa0\x80", r + r + r},
      {"\xf4\x90\x80\x80", r + r + r + r},
      {"\xf5\x80", r + r},
      {"\xf0\x90\x28\xbc", r + "(" + r},
      {"\xe1\x80\xe2\x82\xac", r + "\xe2\x82\xac"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(valid_utf8(bytes), text);
}

TEST(ByteLevel, EveryByteIsOneCharacterAndBack) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char32_t character = byte_level_character(static_cast<unsigned char>(byte));
    EXPECT_EQ(byte_level_byte(character), static_cast<unsigned char>(byte));
  }
  EXPECT_EQ(to_byte_level(" \n\xad"), "ĠĊŃ");
  for (const char32_t character : {0x20U, 0x7fU, 0xadU, 0x144U, 0x4e00U})
    EXPECT_EQ(byte_level_byte(character), std::nullopt) << static_cast<std::uint32_t>(character);
}

}  // namespace
}  // namespace dspark
