#include "experiments/sweep/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "experiments/messages.h"

namespace dspark {
namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

Progress::Progress(std::size_t total, std::size_t already_done, bool quiet)
    : total_(total),
      start_(already_done),
      done_(already_done),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      printed_tenth_(total > 0 ? already_done * 10 / total : 10),
      begin_(std::chrono::steady_clock::now()) {
  if (!quiet_ && terminal_) draw("");
}

void Progress::step() {
  ++done_;
  if (quiet_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double left = seconds / static_cast<double>(done_ - start_) * static_cast<double>(total_ - done_);
  if (terminal_) {
    draw(duration_text(left) + " left");
    return;
  }
  const std::size_t tenth = done_ * 10 / total_;
  if (tenth == printed_tenth_) return;
  printed_tenth_ = tenth;
  write_message(fmt::format("{} of {} runs done, {} left\n", done_, total_, duration_text(left)));
}

void Progress::draw(std::string_view time_left) const {
  constexpr std::size_t kWidth = 30;
  const std::size_t filled = total_ > 0 ? done_ * kWidth / total_ : kWidth;
  write_message(fmt::format("\r[{}{}] {}/{} {}\x1b[K", std::string(filled, '#'),
                            std::string(kWidth - filled, '.'), done_, total_, time_left));
}

void Progress::finish() {
  if (!quiet_ && terminal_) write_message("\n");
}

}  // namespace dspark
