#pragma once

#include <cstdint>

#include "sim/random/random_key.h"

namespace dspark {

/// Words for tables and histories that may be anything; the same ones for the same seed everywhere.
class ArbitraryWords {
 public:
  explicit ArbitraryWords(std::uint32_t seed) : key_{seed, 0} {}

  std::uint32_t operator()() {
    if (next_ == words_.size()) {
      words_ = draw_words(key_, Stream::kLosslessCheck, group_++, 0);
      next_ = 0;
    }
    return words_[next_++];
  }
  /// 0 .. n - 1; n >= 1.
  int below(int n) { return static_cast<int>((*this)() % static_cast<std::uint32_t>(n)); }

 private:
  RandomKey key_;
  std::uint32_t group_ = 0;
  RandomWords words_{};
  std::size_t next_ = words_.size();
};

}  // namespace dspark
