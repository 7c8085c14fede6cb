#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>

namespace dspark {

/// What a draw is for. A (key, counter) pair is used once: two purposes never share a word.
enum class Stream : std::uint8_t {
  kArrival = 1,  // gap before arrival `ordinal` of an open source; think time of a user
  kPromptLength,
  kOutputLength,
  kDomain,
  kThinning,         // is this trace row kept?
  kRequestLatent,    // difficulty of a request
  kTextLatent,       // difficulty along its text, by text position
  kDraftLatent,      // what this draft's own luck adds, by anchor position, attempt and offset
  kAcceptance,       // the verifier's coin
  kDraftedToken,     // is the drafted token the drafter's first choice?
  kSignalNoise,      // what margins and entropies add to the latent
  kPolicyCoin,       // a policy's own coins, by step
  kInitialPhase,     // residual length of a closed loop's first reply
  kRecordedRequest,  // which recorded request is replayed
  kLosslessCheck,    // tables and histories of the losslessness check; nothing of a run
  kDraftToken,       // which token a real drafter proposes, by anchor position, attempt and offset
  kTargetToken,      // which token ends a real round: bonus or residual
  kPromptText,       // what a prompt of a real machine says
  kStepNoise,        // by how much a step of the modelled machine differs from its price, by step
  kPrefix,           // which prefix a prompt begins with, and on a real machine what that says
  kDenseRound,       // rounds recorded at every position of a text, by anchor position, purpose and offset
  kUncertainDraw,    // uncertain numbers of a market, by number, draw and matrix of the design
};

/// 64-bit key of one replication: a hash of seed and replication.
struct RandomKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;

  bool operator==(const RandomKey&) const = default;
};
RandomKey make_random_key(std::uint64_t seed, std::uint32_t replication);

using RandomWords = std::array<std::uint32_t, 4>;

/// The engine's key schedule (DESIGN.md, Randomness): a draw is a function of its key, never of the order of
/// events. `position` < 2^24 (anchor position or another index), `attempt` < 2^8, `group` < 2^24 (four words
/// each).
inline RandomWords draw_words(RandomKey key, Stream stream, std::uint32_t source, std::uint32_t ordinal,
                              std::uint32_t position = 0, std::uint32_t attempt = 0,
                              std::uint32_t group = 0) {
  const r123::Philox4x32::ctr_type counter = {
      {source, ordinal, position | attempt << 24, static_cast<std::uint32_t>(stream) << 24 | group}};
  const r123::Philox4x32::key_type philox_key = {{key.low, key.high}};
  const auto words = r123::Philox4x32{}(counter, philox_key);
  return {words[0], words[1], words[2], words[3]};
}

}  // namespace dspark
