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

/// Other draws that agree with `blocks` on the submitted tokens: signals known before x_{l+1} is drawn depend
/// on those alone and stay; what is drawn at l + 1, and every signal behind it, changes.
inline Blocks redrawn_behind(std::mt19937& coins, const Blocks& blocks, const std::vector<int>& submitted) {
  Blocks other = blocks;
  const Blocks fresh = random_draws(coins, blocks.requests, blocks.block_size);
  for (int r = 0; r < blocks.requests; ++r) {
    const int length = submitted[static_cast<std::size_t>(r)];
    for (int k = length + 1; k <= blocks.block_size; ++k) {
      const std::size_t at = blocks.cell(r, k);
      other.chosen[at] = fresh.chosen[at];
      if (k == length + 1) continue;
      other.confidence[at] = fresh.confidence[at];
      other.top1[at] = fresh.top1[at];
      other.margin[at] = fresh.margin[at];
      other.entropy[at] = fresh.entropy[at];
    }
    int& accepted = other.accepted[static_cast<std::size_t>(r)];
    if (accepted >= length)
      accepted = length + static_cast<int>(coins() % static_cast<unsigned>(blocks.block_size - length + 1));
  }
  return other;
}

/// Lemma 1 of LOSSLESS.md: decisions that changed although nothing did that they may depend on. Requests come
/// and go; six steps a run. Decisions are repeated on the same object: `plan` and `choose` may change it, but
/// never by this step's draws.
inline int decisions_that_anticipate(const PolicyMaker& make, unsigned seed) {
  std::mt19937 coins(seed);
  int count = 0;
  for (int trial = 0; trial < 60; ++trial) {
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
