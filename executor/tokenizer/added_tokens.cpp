#include "executor/tokenizer/added_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

std::uint64_t child_key(std::int32_t node, unsigned char byte) {
  return static_cast<std::uint64_t>(node) << 8 | byte;
}

/// The last character of a text that is not empty.
char32_t last_character(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while ((static_cast<unsigned char>(text[begin]) & 0xc0U) == 0x80) --begin;
  return first_unit(text.substr(begin)).character;
}

/// \w of Unicode (UTS 18, annex C).
bool is_word(char32_t character) {
  const auto code = static_cast<UChar32>(character);
  constexpr std::uint32_t kCategories = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return (U_GET_GC_MASK(code) & kCategories) != 0 || u_hasBinaryProperty(code, UCHAR_ALPHABETIC) != 0 ||
         u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL) != 0;
}

bool is_space(char32_t character) { return u_isUWhiteSpace(static_cast<UChar32>(character)) != 0; }

bool stands_alone(std::string_view before, std::string_view after) {
  return (before.empty() || !is_word(last_character(before))) &&
         (after.empty() || !is_word(first_unit(after).character));
}

std::size_t trailing_space(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const char32_t last = last_character(text.substr(0, text.size() - bytes));
    if (!is_space(last)) break;
    std::string space;
    append_utf8(last, space);
    bytes += space.size();
  }
  return bytes;
}

std::size_t leading_space(std::string_view text) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Utf8Unit unit = first_unit(text.substr(bytes));
    if (!is_space(unit.character)) break;
    bytes += unit.bytes;
  }
  return bytes;
}

}  // namespace

void AddedTokenFinder::add(const AddedToken& token, const std::string& text) {
  if (text.empty()) return;
  std::int32_t node = kRoot;
  for (const char byte : text) {
    const auto next = static_cast<std::int32_t>(token_at_.size());
    const auto [child, is_new] =
        children_.try_emplace(child_key(node, static_cast<unsigned char>(byte)), next);
    if (is_new) token_at_.push_back(Vocabulary::kNone);
    node = child->second;
  }
  begins_[static_cast<unsigned char>(text[0])] = true;
  if (token_at_[static_cast<std::size_t>(node)] != Vocabulary::kNone) return;
  token_at_[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back(token);
}

AddedTokenFinder::Found AddedTokenFinder::longest_at(std::string_view text, std::size_t begin) const {
  Found found;
  if (!begins_[static_cast<unsigned char>(text[begin])]) return found;
  std::int32_t node = kRoot;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const auto child = children_.find(child_key(node, static_cast<unsigned char>(text[at])));
    if (child == children_.end()) break;
    node = child->second;
    const std::int32_t token = token_at_[static_cast<std::size_t>(node)];
    if (token != Vocabulary::kNone) found = {&tokens_[static_cast<std::size_t>(token)], at + 1};
  }
  return found;
}

std::vector<AddedTokenFinder::Section> AddedTokenFinder::sections(std::string_view text) const {
  std::vector<Section> sections;
  std::size_t rest = 0;  // where what is in no section begins
  for (std::size_t at = 0; at < text.size();) {
    const Found found = longest_at(text, at);
    if (found.token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = found.end;
    at = found.end;  // the search goes on here, also where white space behind the token is taken with it
    if (found.token->single_word && !stands_alone(text.substr(0, begin), text.substr(end))) continue;
    if (found.token->lstrip) begin = std::max(begin - trailing_space(text.substr(0, begin)), rest);
    if (found.token->rstrip) end += leading_space(text.substr(end));
    if (rest < begin) sections.push_back({Vocabulary::kNone, rest, begin});
    sections.push_back({found.token->id, begin, end});
    rest = end;
  }
  if (rest != text.size()) sections.push_back({Vocabulary::kNone, rest, text.size()});
  return sections;
}

}  // namespace dspark
