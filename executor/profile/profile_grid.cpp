#include "executor/profile/profile_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "policies/cost/step_cost.h"

namespace dspark {
namespace {

std::optional<Error> wrong_list(const std::vector<int>& sizes, int least, const char* name) {
  if (sizes.empty()) return Error{fmt::format("no sizes of {}", name)};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < least || sizes[i] > CostTable::kLargestSize) {
      return Error{
          fmt::format("{} {} is not in {} .. {}", name, sizes[i], least, int{CostTable::kLargestSize})};
    }
    if (i > 0 && sizes[i] <= sizes[i - 1]) {
      return Error{fmt::format("{} {} comes after {}", name, sizes[i], sizes[i - 1]), {}, "sizes must rise"};
    }
  }
  return std::nullopt;
}

std::optional<Error> wrong_sizes(const ProfileSizes& sizes, const ProfileLimits& limits) {
  if (auto error = wrong_list(sizes.tokens, 1, "tokens")) return error;
  if (auto error = wrong_list(sizes.requests, 1, "requests")) return error;
  if (auto error = wrong_list(sizes.context_tokens, 0, "context")) return error;
  if (sizes.tokens.size() < 2) {
    return Error{"one size of a step", {}, "a cost table needs at least two: --tokens 1,8"};
  }
  const int longest = sizes.context_tokens.back() + sizes.tokens.back();
  if (longest > limits.max_positions) {
    return Error{fmt::format("a text of {} tokens is longer than the model's {} positions", longest,
                             limits.max_positions),
                 {},
                 "fewer tokens or a shorter context"};
  }
  return std::nullopt;
}

}  // namespace

double ProfilePoint::attended_tokens() const {
  double sum = 0;
  for (int r = 0; r < requests; ++r) sum += dspark::attended_tokens(context_tokens, rows_of(r));
  return sum;
}

int ProfilePoint::blocks(int block_tokens) const {
  int sum = 0;
  for (int r = 0; r < requests; ++r) sum += (context_tokens + rows_of(r) + block_tokens - 1) / block_tokens;
  return sum;
}

Result<ProfileGrid> make_profile_grid(const ProfileSizes& sizes, const ProfileLimits& limits) {
  if (auto error = wrong_sizes(sizes, limits)) return *error;
  ProfileGrid grid;
  for (const int tokens : sizes.tokens) {
    const std::size_t before = grid.points.size();
    for (const int requests : sizes.requests) {
      if (requests > tokens) break;
      for (const int context : sizes.context_tokens) {
        const ProfilePoint point{tokens, requests, context};
        if (point.blocks(limits.block_tokens) > limits.kv_blocks) {
          ++grid.left_out;
        } else {
          grid.points.push_back(point);
        }
      }
    }
    if (grid.points.size() == before) {
      return Error{fmt::format("no point has {} tokens", tokens),
                   {},
                   tokens < sizes.requests.front() ? "a step has at least a row for each request"
                                                   : "more KV blocks, or a shorter context"};
    }
  }
  return grid;
}

}  // namespace dspark
