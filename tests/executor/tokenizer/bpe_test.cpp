#include "executor/tokenizer/bpe.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>
#include <utility>

namespace dspark {
namespace {

using Ids = std::vector<std::int32_t>;

/// Byte pair encoding as it is defined: of all neighbours, join the pair of the lowest rank, the leftmost of
/// those.
Ids naively_merged(Ids ids, const std::map<std::pair<int, int>, std::pair<int, int>>& merges) {
  for (;;) {
    std::size_t best = ids.size();
    int rank = 0;
    int token = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = merges.find({ids[i], ids[i + 1]});
      if (found == merges.end() || (best < ids.size() && found->second.first >= rank)) continue;
      best = i;
      std::tie(rank, token) = found->second;
    }
    if (best == ids.size()) return ids;
    ids[best] = token;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, MergesAsTheNaiveRuleDoesForDrawnVocabularies) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    Vocabulary vocabulary;
    Bpe bpe;
    std::vector<std::string> texts = {"a", "b", "c"};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(vocabulary.add(texts[static_cast<std::size_t>(i)], i));
    std::map<std::pair<int, int>, std::pair<int, int>> merges;
    const int wanted = static_cast<int>(random() % 30);
    for (int rank = 0; rank < wanted; ++rank) {
      const auto left = static_cast<std::int32_t>(random() % texts.size());
      const auto right = static_cast<std::int32_t>(random() % texts.size());
      const std::string text = texts[static_cast<std::size_t>(left)] + texts[static_cast<std::size_t>(right)];
      if (merges.contains({left, right}) || text.size() > 6) continue;
      std::int32_t token = vocabulary.id(text);
      if (token == Vocabulary::kNone) {
        token = static_cast<std::int32_t>(texts.size());
        texts.push_back(text);
        ASSERT_TRUE(vocabulary.add(text, token));
      }
      merges[{left, right}] = {static_cast<int>(merges.size()), token};
      bpe.add_merge(left, right, token);
    }
    for (int word = 0; word < 20; ++word) {
      std::string text;
      Ids characters;
      for (std::size_t length = random() % 40; length > 0; --length) {
        characters.push_back(static_cast<std::int32_t>(random() % 3));
        text += texts[static_cast<std::size_t>(characters.back())];
      }
      Ids ids;
      bpe.encode(text, vocabulary, ids);
      ASSERT_EQ(ids, naively_merged(characters, merges)) << "trial " << trial << ": " << text;
    }
  }
}

struct Words {
  Vocabulary vocabulary;
  Bpe bpe;

  Words() {
    std::int32_t id = 0;
    for (const char* text : {"<unk>", "a", "b", "ab", "<0xC3>", "<0xA9>", "<0x63>", "abb"})
      vocabulary.add(text, id++);
    bpe.add_merge(1, 2, 3);
  }
  Ids encode(std::string_view word) const {
    Ids ids;
    bpe.encode(word, vocabulary, ids);
    return ids;
  }
};

TEST(Bpe, WhatIsUnknownIsItsBytesElseTheUnknownTokenElseNothing) {
  Words words;
  EXPECT_EQ(words.encode("aé"), (Ids{1})) << "nothing";
  words.bpe.unknown.token = 0;
  EXPECT_EQ(words.encode("aééa"), (Ids{1, 0, 0, 1}));
  words.bpe.unknown.fuse = true;
  EXPECT_EQ(words.encode("aééa"), (Ids{1, 0, 1}));
  words.bpe.unknown.byte_fallback = true;
  EXPECT_EQ(words.encode("aéa"), (Ids{1, 4, 5, 1}));
  EXPECT_EQ(words.encode("èa"), (Ids{0, 1})) << "of è the second byte is no token";
  EXPECT_EQ(words.encode("èéa"), (Ids{4, 5, 0, 1})) << "the unknown one waits, also behind bytes";
}

TEST(Bpe, AWholeWordIsTakenAsItIsWhereMergesAreIgnored) {
  Words words;
  EXPECT_EQ(words.encode("abb"), (Ids{3, 2}));
  words.bpe.ignore_merges = true;
  EXPECT_EQ(words.encode("abb"), (Ids{7}));
  EXPECT_EQ(words.encode("abba"), (Ids{3, 2, 1}));
}

TEST(Bpe, OfAPairThatComesTwiceTheLaterRankHolds) {
  Words words;
  EXPECT_EQ(words.encode("bab"), (Ids{2, 3}));
  Bpe later;
  later.add_merge(1, 2, 3);  // ab
  later.add_merge(2, 1, 7);  // ba, before ab now
  later.add_merge(1, 2, 3);
  words.bpe = later;
  EXPECT_EQ(words.encode("bab"), (Ids{7, 2}));
}

}  // namespace
}  // namespace dspark
