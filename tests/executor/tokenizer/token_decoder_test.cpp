#include "executor/tokenizer/token_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dspark {
namespace {

std::string decoded(const std::vector<TokenDecoder::Step>& steps, const std::vector<std::string>& tokens) {
  TokenDecoder decoder;
  for (const TokenDecoder::Step& step : steps) EXPECT_EQ(decoder.add(step), "");
  TokenDecoder::Stream stream(decoder);
  std::string text;
  for (const std::string& token : tokens) text += stream.push(token);
  return text + stream.finish();
}

using Fuse = TokenDecoder::Fuse;
using ByteFallback = TokenDecoder::ByteFallback;
using Metaspace = TokenDecoder::Metaspace;
using Replace = TokenDecoder::Replace;
using Strip = TokenDecoder::Strip;

// The texts are what tokenizers 0.23.3 gives.
TEST(TokenDecoder, BehindAFuseTheOneTextIsStrippedElseEachToken) {
  EXPECT_EQ(decoded({Fuse{}, Strip{" ", 2, 2}}, {"  ", " a ", " b", "  ", " "}), " a  b ");
  EXPECT_EQ(decoded({Strip{"x", 1, 1}, Fuse{}}, {"xxax", "b", "xx", "x x"}), "xab ");
}

TEST(TokenDecoder, ARunOfBytesIsItsCharactersOrAReplacementEach) {
  EXPECT_EQ(decoded({ByteFallback{}, Metaspace{"▁", true}}, {"<0xC3>", "<0xA9>", "▁a▁", "<0x+A>", "<0xFF>"}),
            "é a ��");
  EXPECT_EQ(decoded({Replace{"ab", "c"}, ByteFallback{}, Fuse{}},
                    {"aabab", "<0xE2>", "<0x82>", "<0xAC>", "<0xE2>", "ab"}),
            "acc����c");
}

TEST(TokenDecoder, ARunOfBytesWaitsUntilItEnds) {
  TokenDecoder decoder;
  decoder.add(ByteFallback{});
  TokenDecoder::Stream stream(decoder);
  EXPECT_EQ(stream.push("<0xC3>"), "");
  EXPECT_EQ(stream.push("<0xA9>"), "") << "the next byte could make it a broken run";
  EXPECT_EQ(stream.push("a"), "éa");
}

TEST(TokenDecoder, WhatNeedsTokensCannotStandBehindWhatJoinsThem) {
  TokenDecoder decoder;
  EXPECT_EQ(decoder.add(TokenDecoder::ByteLevel{}), "");
  EXPECT_EQ(decoder.add(Strip{" ", 1, 0}), "");
  EXPECT_EQ(decoder.add(Replace{"a", "b"}), "'Replace' behind a step that joins all tokens");
  EXPECT_EQ(decoder.add(Metaspace{}), "'Metaspace' behind a step that joins all tokens");
  EXPECT_EQ(decoder.add(ByteFallback{}), "'ByteFallback' behind a step that joins all tokens");
  EXPECT_EQ(decoder.add(TokenDecoder::ByteLevel{}), "'ByteLevel' behind a step that joins all tokens");
}

}  // namespace
}  // namespace dspark
