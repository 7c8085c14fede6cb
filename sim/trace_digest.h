#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace dspark {

/// 128-bit digest (XXH3) of everything that happened in a run, event by event: two runs with the same digest
/// took the same path.
class TraceDigest {
 public:
  TraceDigest();
  ~TraceDigest();
  TraceDigest(const TraceDigest&) = delete;
  TraceDigest& operator=(const TraceDigest&) = delete;

  void add(std::span<const std::int64_t> words);
  std::array<std::uint64_t, 2> value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dspark
