#include "executor/tokenizer/bpe.h"

#include <algorithm>
#include <array>
#include <queue>
#include <string>
#include <tuple>

#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

/// <0x0A>
std::array<char, 6> byte_token(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

struct Candidate {
  std::int32_t rank = 0;
  std::int32_t position = 0;  // of the left symbol
  std::int32_t token = 0;     // that the pair becomes

  /// Of a heap whose top is the largest: the lowest rank, then the leftmost.
  bool operator<(const Candidate& other) const {
    return std::tie(rank, position) > std::tie(other.rank, other.position);
  }
};

constexpr std::int32_t kEnd = -1;

}  // namespace

/// The symbols of a word as a list, so that a merge moves nothing. A symbol that was merged into its left
/// neighbour has no token.
struct Bpe::Symbols {
  explicit Symbols(const std::vector<std::int32_t>& ids)
      : token(ids), previous(ids.size()), next(ids.size()) {
    const auto size = static_cast<std::int32_t>(ids.size());
    for (std::int32_t i = 0; i < size; ++i) {
      previous[static_cast<std::size_t>(i)] = i - 1;
      next[static_cast<std::size_t>(i)] = i + 1 < size ? i + 1 : kEnd;
    }
  }

  std::vector<std::int32_t> token, previous, next;
};

void Bpe::add_merge(std::int32_t left, std::int32_t right, std::int32_t merged) {
  merges_.insert_or_assign(pair_key(left, right), Merge{ranks_++, merged});
}

const Bpe::Merge* Bpe::merge(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::encode(std::string_view word, const Vocabulary& vocabulary, std::vector<std::int32_t>& ids) const {
  if (word.empty()) return;
  if (ignore_merges) {
    const std::int32_t whole = vocabulary.id(word);
    if (whole != Vocabulary::kNone) return ids.push_back(whole);
  }
  std::vector<std::int32_t> symbols = characters(word, vocabulary);
  merge_all(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

bool Bpe::add_bytes(std::string_view character, const Vocabulary& vocabulary,
                    std::vector<std::int32_t>& ids) const {
  const std::size_t before = ids.size();
  for (const char byte : character) {
    const auto text = byte_token(static_cast<unsigned char>(byte));
    const std::int32_t id = vocabulary.id({text.data(), text.size()});
    if (id == Vocabulary::kNone) {
      ids.resize(before);
      return false;
    }
    ids.push_back(id);
  }
  return true;
}

std::vector<std::int32_t> Bpe::characters(std::string_view word, const Vocabulary& vocabulary) const {
  std::vector<std::int32_t> ids;
  ids.reserve(word.size());
  // An unknown character waits for its neighbour. Bytes do not end the wait, so that they come before it:
  // what the reference does where some of the byte tokens are missing.
  bool waiting = false;
  const auto flush = [&] {
    if (waiting) ids.push_back(unknown.token);
    waiting = false;
  };
  while (!word.empty()) {
    const std::string_view character = word.substr(0, first_unit(word).bytes);
    word.remove_prefix(character.size());
    const std::int32_t id = vocabulary.id(character);
    if (id != Vocabulary::kNone) {
      flush();
      ids.push_back(id);
    } else if (!(unknown.byte_fallback && add_bytes(character, vocabulary, ids)) &&
               unknown.token != Vocabulary::kNone) {
      if (!unknown.fuse) flush();
      waiting = true;
    }
  }
  flush();
  return ids;
}

void Bpe::merge_all(std::vector<std::int32_t>& ids) const {
  Symbols symbols(ids);
  const auto at = [](std::vector<std::int32_t>& values, std::int32_t i) -> std::int32_t& {
    return values[static_cast<std::size_t>(i)];
  };
  std::priority_queue<Candidate> queue;
  const auto offer = [&](std::int32_t left, std::int32_t right) {
    if (left == kEnd || right == kEnd) return;
    if (const Merge* const found = merge(at(symbols.token, left), at(symbols.token, right)))
      queue.push({found->rank, left, found->token});
  };
  for (std::int32_t i = 1; i < static_cast<std::int32_t>(ids.size()); ++i) offer(i - 1, i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const std::int32_t left = best.position;
    const std::int32_t right = at(symbols.next, left);
    if (at(symbols.token, left) == Vocabulary::kNone || right == kEnd) continue;
    // Either symbol may have changed since. What counts is what the pair becomes, as in the reference.
    const Merge* const found = merge(at(symbols.token, left), at(symbols.token, right));
    if (found == nullptr || found->token != best.token) continue;
    at(symbols.token, left) = best.token;
    at(symbols.token, right) = Vocabulary::kNone;
    const std::int32_t after = at(symbols.next, left) = at(symbols.next, right);
    if (after != kEnd) at(symbols.previous, after) = left;
    offer(at(symbols.previous, left), left);
    offer(left, after);
  }
  ids.clear();
  std::copy_if(symbols.token.begin(), symbols.token.end(), std::back_inserter(ids),
               [](std::int32_t token) { return token != Vocabulary::kNone; });
}

}  // namespace dspark
