#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace dspark {

/// Says on stderr how far a sweep is: a bar with the time left on a terminal, else a line every tenth of the
/// way. Not thread-safe.
class Progress {
 public:
  Progress(std::size_t total, std::size_t already_done, bool quiet);
  void step();
  /// Ends the bar's line.
  void finish();

 private:
  void draw(std::string_view time_left) const;

  std::size_t total_;
  std::size_t start_;
  std::size_t done_;
  bool quiet_;
  bool terminal_;
  std::size_t printed_tenth_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace dspark
