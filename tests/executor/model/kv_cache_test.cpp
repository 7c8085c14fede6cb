#include "executor/model/kv_cache.h"

#include <gmock/gmock.h>

#include "tests/executor/model/decoder_steps.h"

namespace dspark {
namespace {

TEST(KvCache, LayersThatShareTakeNone) {
  DecoderSteps steps("gemma4_per_layer_shared", ElementType::kF32);
  const KvCache& cache = steps.cache();
  EXPECT_EQ(cache.layer(3).keys, cache.layer(1).keys) << "full layers";
  EXPECT_EQ(cache.layer(5).values, cache.layer(1).values);
  EXPECT_EQ(cache.layer(4).keys, cache.layer(2).keys) << "of the last sliding one before";
  EXPECT_NE(cache.layer(2).keys, cache.layer(0).keys);
  EXPECT_EQ(kv_bytes_per_token(steps.decoder().plan(), ElementType::kF32), 4u * 2 * (16 + 32 + 16));
}

}  // namespace
}  // namespace dspark
