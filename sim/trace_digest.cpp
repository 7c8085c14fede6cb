#include "sim/trace_digest.h"

#include <xxhash.h>

namespace dspark {

struct TraceDigest::State {
  XXH3_state_t* hash = XXH3_createState();
  ~State() { XXH3_freeState(hash); }
};

TraceDigest::TraceDigest() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->hash); }
TraceDigest::~TraceDigest() = default;

void TraceDigest::add(std::span<const std::int64_t> words) {
  XXH3_128bits_update(state_->hash, words.data(), words.size_bytes());
}

std::array<std::uint64_t, 2> TraceDigest::value() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->hash);
  return {hash.high64, hash.low64};
}

}  // namespace dspark
