#include "executor/tokenizer/byte_level.h"

#include <array>

#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

constexpr char32_t kFirstSubstitute = 0x100;
constexpr std::size_t kSubstitutes = 68;

constexpr bool is_printable(unsigned byte) {
  constexpr unsigned kSoftHyphen = 0xad;
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != kSoftHyphen);
}

struct Alphabet {
  std::array<char32_t, 256> characters{};
  std::array<unsigned char, kSubstitutes> substituted{};  // byte of kFirstSubstitute + i

  constexpr Alphabet() {
    std::size_t substitutes = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      characters[byte] = byte;
      if (is_printable(byte)) continue;
      substituted[substitutes] = static_cast<unsigned char>(byte);
      characters[byte] = kFirstSubstitute + static_cast<char32_t>(substitutes++);
    }
  }
};

constexpr Alphabet kAlphabet;
static_assert(kAlphabet.characters[' '] == 0x120 && kAlphabet.characters[0xad] == 0x143);

}  // namespace

char32_t byte_level_character(unsigned char byte) { return kAlphabet.characters[byte]; }

std::optional<unsigned char> byte_level_byte(char32_t character) {
  if (character >= kFirstSubstitute + kSubstitutes) return {};
  if (character >= kFirstSubstitute) return kAlphabet.substituted[character - kFirstSubstitute];
  if (!is_printable(character)) return {};
  return static_cast<unsigned char>(character);
}

std::string to_byte_level(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 4);
  for (const char byte : bytes) append_utf8(byte_level_character(static_cast<unsigned char>(byte)), text);
  return text;
}

}  // namespace dspark
