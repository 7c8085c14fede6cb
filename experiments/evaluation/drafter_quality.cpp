#include "experiments/evaluation/drafter_quality.h"

#include <cmath>
#include <limits>
#include <map>

#include "policies/calibration/calibration_error.h"

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

const RecordedRequest& request_of(const RunRecording& recording, std::size_t row) {
  return recording.requests[static_cast<std::size_t>(recording.rounds.request[row])];
}

/// By what could have happened: a whole block and its bonus token fit into the reply.
bool has_room(const RunRecording& recording, std::size_t row) {
  const RequestSpec& spec = request_of(recording, row).spec;
  const std::int64_t produced = recording.rounds.anchor_position[row] - spec.prompt_tokens + 1;
  return produced + recording.rounds.block_size + 1 <= spec.output_limit;
}

void append_row(const Rounds& from, std::size_t row, Rounds& to) {
  to.request.push_back(from.request[row]);
  to.round.push_back(from.round[row]);
  to.anchor_position.push_back(from.anchor_position[row]);
  to.domain.push_back(from.domain[row]);
  to.drafted.push_back(from.drafted[row]);
  to.verified.push_back(from.verified[row]);
  to.accepted.push_back(from.accepted[row]);
  for (const RoundSignal& signal : round_signals()) {
    const std::vector<float>& column = from.*signal.column;
    if (column.empty()) continue;
    const auto begin = column.begin() + static_cast<std::ptrdiff_t>(from.at(row, 1));
    (to.*signal.column).insert((to.*signal.column).end(), begin, begin + from.block_size);
  }
}

/// Σ tokens / Σ rounds over requests, and how far it scatters from request to request (linearised).
Interval ratio_of_sums(const std::map<std::int64_t, std::pair<double, double>>& by_request) {
  double tokens = 0, rounds = 0;
  for (const auto& [request, sums] : by_request) {
    tokens += sums.first;
    rounds += sums.second;
  }
  Interval ratio{kNone, kNone, kNone, static_cast<std::int64_t>(by_request.size())};
  if (rounds == 0) return ratio;
  ratio.mean = tokens / rounds;
  if (ratio.n < 2) return ratio;
  double squares = 0;
  for (const auto& [request, sums] : by_request) {
    const double residual = sums.first - ratio.mean * sums.second;
    squares += residual * residual;
  }
  const auto n = static_cast<double>(ratio.n);
  const double half = student_t_975(ratio.n - 1) * std::sqrt(squares * n / (n - 1)) / rounds;
  ratio.low = ratio.mean - half;
  ratio.high = ratio.mean + half;
  return ratio;
}

PositionQuality quality_at(const Rounds& rounds, int k) {
  PositionQuality quality{.position = k, .survival = kNone, .acceptance = kNone};
  std::int64_t accepted = 0;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (rounds.verified[row] < k) continue;
    ++quality.rounds;
    quality.reached += rounds.accepted[row] >= k - 1 ? 1 : 0;
    accepted += rounds.accepted[row] >= k ? 1 : 0;
  }
  if (quality.rounds > 0)
    quality.survival = static_cast<double>(accepted) / static_cast<double>(quality.rounds);
  quality.acceptance_interval = {kNone, kNone, kNone, quality.reached};
  if (quality.reached == 0) return quality;
  quality.acceptance = static_cast<double>(accepted) / static_cast<double>(quality.reached);
  const WilsonInterval interval = wilson_interval(accepted, quality.reached);
  quality.acceptance_interval = {quality.acceptance, interval.low, interval.high, quality.reached};
  return quality;
}

}  // namespace

Rounds whole_rounds(const RunRecording& recording, const RequestChoice& chosen) {
  const Rounds& all = recording.rounds;
  std::vector<std::int64_t> last_round(recording.requests.size(), -1);
  for (std::size_t row = 0; row < all.size(); ++row) {
    std::int64_t& last = last_round[static_cast<std::size_t>(all.request[row])];
    last = std::max(last, all.round[row]);
  }
  Rounds rounds{.block_size = all.block_size, .domain_names = all.domain_names};
  for (std::size_t row = 0; row < all.size(); ++row) {
    const RecordedRequest& request = request_of(recording, row);
    if (!chosen(request) || !has_room(recording, row)) continue;
    const bool ended_by_model =
        request.output_tokens >= 0 && request.output_tokens < request.spec.output_limit;
    if (ended_by_model && all.round[row] == last_round[static_cast<std::size_t>(all.request[row])]) continue;
    append_row(all, row, rounds);
  }
  return rounds;
}

DrafterQuality measure_quality(const RunRecording& recording, const RequestChoice& chosen) {
  DrafterQuality quality;
  for (const RecordedRequest& request : recording.requests) quality.requests += chosen(request) ? 1 : 0;
  for (std::size_t row = 0; row < recording.rounds.size(); ++row)
    quality.rounds += chosen(request_of(recording, row)) ? 1 : 0;
  const Rounds rounds = whole_rounds(recording, chosen);
  quality.whole_rounds = static_cast<std::int64_t>(rounds.size());
  std::map<std::int64_t, std::pair<double, double>> by_request;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    auto& [tokens, count] = by_request[rounds.request[row]];
    tokens += rounds.accepted[row] + 1;
    count += 1;
  }
  quality.accepted_length = ratio_of_sums(by_request);
  for (int k = 1; k <= rounds.block_size; ++k) quality.positions.push_back(quality_at(rounds, k));
  if (!recording.has_confidence_head) return quality;
  if (auto study = study_calibration(rounds, {})) quality.calibration = *std::move(study);
  return quality;
}

}  // namespace dspark
