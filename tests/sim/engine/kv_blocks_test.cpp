#include "sim/engine/kv_blocks.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

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
