#include "sim/metrics/time_series.h"

#include <algorithm>
#include <numeric>

namespace dspark {

TimeSeries::Sums& TimeSeries::window_at(VirtualTime time) {
  auto index = static_cast<std::size_t>(time / width_);
  while (index >= kMostWindows) {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const Sums s = sums_[i];
      if (i % 2 == 0) {
        sums_[i / 2] = s;
      } else {
        Sums& t = sums_[i / 2];
        t = {t.steps + s.steps,     t.tokens + s.tokens,     t.running + s.running,
             t.waiting + s.waiting, t.verified + s.verified, t.decode_rows + s.decode_rows,
             t.rows + s.rows};
      }
    }
    sums_.resize((sums_.size() + 1) / 2);
    width_ *= 2;
    index = static_cast<std::size_t>(time / width_);
  }
  if (index >= sums_.size()) sums_.resize(index + 1);
  return sums_[index];
}

void TimeSeries::add_token(VirtualTime now) { window_at(now).tokens += 1; }

void TimeSeries::add(const StepRecord& step) {
  const double verified = std::accumulate(step.verified.begin(), step.verified.end(), 0);
  Sums& s = window_at(step.end);
  s.steps += 1;
  s.tokens += std::accumulate(step.delivered.begin(), step.delivered.end(), step.first_tokens);
  s.running += step.running_requests;
  s.waiting += step.waiting_requests;
  s.verified += verified;
  s.decode_rows += step.decode_requests();
  s.rows += step.decode_requests() + step.draft_rows + step.prefill_rows;
}

std::vector<SeriesWindow> TimeSeries::windows(VirtualTime end) const {
  std::vector<SeriesWindow> windows;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const Sums& s = sums_[i];
    const double steps = s.steps > 0 ? s.steps : 1;
    const VirtualTime start = width_ * static_cast<VirtualTime>(i);
    // Whatever falls on `end` itself still belongs to the run, so a window that starts there keeps its width.
    const double width = to_seconds(end > start ? std::min(width_, end - start) : width_);
    windows.push_back({.start_seconds = to_seconds(start),
                       .width_seconds = width,
                       .throughput = s.tokens / width,
                       .running_requests = s.running / steps,
                       .waiting_requests = s.waiting / steps,
                       .verification_length = s.decode_rows > 0 ? s.verified / s.decode_rows : 0,
                       .batch_tokens = s.rows / steps});
  }
  return windows;
}

}  // namespace dspark
