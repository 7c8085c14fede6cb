#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "tests/policies/depth/scene.h"

namespace dspark::testing {

using PolicyMaker = std::function<std::unique_ptr<DepthPolicy>()>;

/// Random blocks whose signals are all probabilities.
inline Blocks random_draws(std::mt19937& coins, int requests, int block_size) {
  Blocks blocks = Blocks::random(coins, requests, block_size);
  for (float& chosen : blocks.chosen) chosen /= 2;
  return blocks;
}

/// Draws that agree with `blocks` on the submitted tokens and on nothing that is drawn from there on.
inline Blocks redrawn_behind(std::mt19937& coins, Blocks blocks, const std::vector<int>& submitted) {
  const Blocks fresh = random_draws(coins, blocks.requests, blocks.block_size);
  for (int r = 0; r < blocks.requests; ++r) {
    for (int k = submitted[static_cast<std::size_t>(r)] + 1; k <= blocks.block_size; ++k) {
      const std::size_t cell = blocks.cell(r, k);
      blocks.chosen[cell] = fresh.chosen[cell];
      if (k > submitted[static_cast<std::size_t>(r)] + 1) blocks.confidence[cell] = fresh.confidence[cell];
    }
  }
  return blocks;
}

/// Lemma 1 of LOSSLESS.md for a policy with parameters of its own (lossless_test.cpp has the defaults):
/// decisions that changed although no submitted token did. Requests come and go; six steps a run.
inline int decisions_that_anticipate(const PolicyMaker& make, unsigned seed) {
  std::mt19937 coins(seed);
  int count = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 4);
    const int block_size = 2 + static_cast<int>(coins() % 4);
    Scene scene(requests, block_size, random_staircase(coins, requests * (block_size + 1)));
    const auto rule = make();
    for (int step = 0; step < 6; ++step) {
      Blocks blocks = random_draws(coins, requests, block_size);
      const std::vector<int> decision = scene.decide(*rule, blocks);
      for (int i = 0; i < 20; ++i) {
        Blocks other = redrawn_behind(coins, blocks, decision);
        count += scene.decide(*rule, other) != decision;
      }
      scene.finish(*rule, blocks, scene.decide(*rule, blocks));
      if (coins() % 3 == 0) scene.rounds[0] = 0;  // a newcomer took the row
    }
  }
  return count;
}

inline int total(const std::vector<int>& lengths) {
  int sum = 0;
  for (const int length : lengths) sum += length;
  return sum;
}

}  // namespace dspark::testing
