#include "sim/recording/run_recording.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "sim/step_recording.h"

namespace dspark {
namespace {

std::optional<Error> fault_of_steps(const RunRecording& recording) {
  StepRecording durations{.belief = recording.belief};
  for (const RecordedStep& step : recording.steps) durations.steps.push_back(step.seconds);
  if (auto spoilt = find_spoilt(durations)) return spoilt;
  std::size_t round = 0;
  for (std::size_t step = 0; step < recording.steps.size(); ++step) {
    const std::size_t first = round;
    while (round < recording.step.size() && recording.step[round] == static_cast<std::int64_t>(step)) ++round;
    const std::int32_t requests = recording.steps[step].decode_requests;
    if (requests < 0 || round - first != static_cast<std::size_t>(requests)) {
      return Error{
          fmt::format("step {} has {} rounds, but {} decoding requests", step, round - first, requests)};
    }
  }
  if (round == recording.step.size()) return std::nullopt;
  return Error{fmt::format("round {} is of step {}, which is not the next of {} steps", round,
                           recording.step[round], recording.steps.size())};
}

std::optional<Error> fault_of_rounds(const RunRecording& recording) {
  const Rounds& rounds = recording.rounds;
  if (const auto fault = find_fault(rounds)) {
    return Error{fmt::format("round {}: {}", fault->row, fault->message), {}, fault->advice};
  }
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (static_cast<std::size_t>(rounds.request[row]) >= recording.requests.size() ||
        rounds.request[row] < 0) {
      return Error{fmt::format("round {} is of request {}, of {}", row, rounds.request[row],
                               recording.requests.size())};
    }
    if (recording.planned[row] < rounds.drafted[row] || recording.planned[row] > rounds.block_size) {
      return Error{fmt::format("round {}: {} draft tokens were planned, {} drafted, γ is {}", row,
                               recording.planned[row], rounds.drafted[row], rounds.block_size)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> find_spoilt(const RunRecording& recording) {
  if (recording.block_size < 0 || recording.rounds.block_size < std::max(1, recording.block_size)) {
    return Error{fmt::format("blocks of {} tokens, recorded for {}", recording.rounds.block_size,
                             recording.block_size)};
  }
  if (auto fault = fault_of_rounds(recording)) return fault;
  return fault_of_steps(recording);
}

}  // namespace dspark
