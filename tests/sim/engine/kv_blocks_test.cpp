#include "sim/engine/kv_blocks.h"

#include <gmock/gmock.h>

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(KvBlocks, ASharedBlockIsFreeOnlyWhenItsLastHolderLeaves) {
  KvBlocks blocks(2, 16);
  const BlockId a = blocks.allocate();
  blocks.retain(a);
  blocks.release(a);
  EXPECT_EQ(blocks.used(), 1);
  EXPECT_EQ(blocks.references(a), 1);
  blocks.release(a);
  EXPECT_EQ(blocks.used(), 0);
}

TEST(KvBlocks, CountsWholeBlocks) {
  const KvBlocks blocks(10, 16);
  EXPECT_EQ(blocks.blocks_for(0), 0);
  EXPECT_EQ(blocks.blocks_for(1), 1);
  EXPECT_EQ(blocks.blocks_for(16), 1);
  EXPECT_EQ(blocks.blocks_for(17), 2);
}

TEST(KvBlocks, KeptBlocksAreFreeAndStayUntilTheirPlaceIsNeeded) {
  KvBlocks blocks(4, 16);
  const BlockId a = blocks.allocate(), b = blocks.allocate(), other = blocks.allocate();
  blocks.keep(a, 5);
  blocks.keep(b, 5);
  blocks.keep(other, 9);
  for (const BlockId block : {b, a, other}) blocks.release(block);
  EXPECT_EQ(blocks.free(), 4);
  EXPECT_THAT(blocks.kept(5), ElementsAre(a, b));
  EXPECT_THAT(blocks.kept(1), IsEmpty());

  blocks.retain(a);
  EXPECT_EQ(blocks.used(), 1);
  const BlockId empty = blocks.allocate();
  EXPECT_THAT(blocks.kept(5), ElementsAre(a, b)) << "an empty block first";
  EXPECT_EQ(blocks.allocate(), b) << "then the one that nobody has held for longest";
  EXPECT_THAT(blocks.kept(5), ElementsAre(a));
  EXPECT_THAT(blocks.kept(9), ElementsAre(other));
  EXPECT_EQ(blocks.allocate(), other);
  EXPECT_THAT(blocks.kept(9), IsEmpty());
  EXPECT_EQ(blocks.free(), 0);
  blocks.release(a);
  blocks.release(empty);
  EXPECT_EQ(blocks.free(), 2);
  EXPECT_THAT(blocks.kept(5), ElementsAre(a));
}

TEST(KvBlocks, WhatStandsBehindAForgottenBlockIsForgotten) {
  KvBlocks blocks(3, 16);
  const BlockId a = blocks.allocate(), b = blocks.allocate(), c = blocks.allocate();
  for (const BlockId block : {a, b, c}) blocks.keep(block, 1);
  blocks.release(a);
  blocks.release(c);
  EXPECT_EQ(blocks.allocate(), a);
  EXPECT_THAT(blocks.kept(1), IsEmpty());
  EXPECT_EQ(blocks.free(), 1) << "c, which is empty now; b is held";
  EXPECT_EQ(blocks.allocate(), c);
  blocks.release(b);
  EXPECT_EQ(blocks.free(), 1);
  blocks.retain(blocks.allocate());
}

TEST(KvBlocksDeathTest, MisuseStopsTheProgram) {
  KvBlocks blocks(1, 16);
  const BlockId a = blocks.allocate();
  EXPECT_DEATH(blocks.allocate(), "broken invariant");
  blocks.release(a);
  EXPECT_DEATH(blocks.release(a), "broken invariant");
  EXPECT_DEATH(blocks.retain(a), "broken invariant");
}

}  // namespace
}  // namespace dspark
