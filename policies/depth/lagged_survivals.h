#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "policies/depth/depth_policy.h"
#include "policies/depth/owned_frontier.h"

namespace dspark {

/// What an earlier step says about the requests that run now: for budgets that are computed from survivals of
/// `lag` steps ago. Requests are matched by id, so those that have left since do not count. A request that
/// has no survivals in that step, because it has joined since or because nothing was drafted then, counts as
/// survival 1 for each token of its planned block. Blocks are cut to what is planned now; positions that were
/// not drafted then are left out.
///
/// Reads no draw of the present step, so whatever is computed from it keeps the output. Reused from step to
/// step without allocation.
class LaggedSurvivals {
 public:
  void read(const Step& step, int lag) {
    const EarlierStep earlier = step.earlier(lag);
    const int longest = earlier.longest_block();
    find_rows(earlier);
    const std::size_t requests = step.planned.size();
    int deepest = 0;
    for (const int planned : step.planned) deepest = std::max(deepest, planned);
    drafted_.assign(requests, 0);
    confidence_.resize(requests * static_cast<std::size_t>(deepest));
    for (std::size_t r = 0; r < requests; ++r) {
      const int row = longest > 0 && step.request.rounds[r] >= lag ? row_of(step.request.id[r], earlier) : -1;
      drafted_[r] = row < 0 ? step.planned[r] : std::min(step.planned[r], longest);
      for (int k = 1; k <= drafted_[r]; ++k) {
        confidence_[static_cast<std::size_t>(k - 1) * requests + r] =
            row < 0 ? 1.0f : confidence(earlier, row, k);
      }
    }
    then_.reset({.stride = requests, .drafted = drafted_, .confidence = confidence_});
    sorted_ = then_.sorted_survivals_for_history();
  }

  /// Above 0, from the largest, in steps of 2^-21; valid until the next `read`.
  std::span<const float> sorted() const { return sorted_; }

  /// Conditional confidence of position k of a row of an earlier step: how much of the survival before it is
  /// left; 0 where that is 0 or where nothing was drafted.
  static float confidence(const EarlierStep& earlier, int row, int k) {
    const std::size_t requests = static_cast<std::size_t>(earlier.requests);
    const std::size_t at = static_cast<std::size_t>(k - 1) * requests + static_cast<std::size_t>(row);
    const float before = k > 1 ? earlier.by_request[at - requests] : 1.0f;
    return before > 0.0f ? std::min(1.0f, earlier.by_request[at] / before) : 0.0f;
  }

 private:
  void find_rows(const EarlierStep& earlier) {
    for (std::size_t row = 0; row < earlier.id.size(); ++row) {
      const std::size_t id = static_cast<std::size_t>(earlier.id[row]);
      if (id >= row_by_id_.size()) row_by_id_.resize(id + 1, 0);
      row_by_id_[id] = static_cast<int>(row);
    }
  }
  /// Its row in that step, -1 where it was not in it. Entries of steps before are still in the map: the id
  /// tells.
  int row_of(RequestId id, const EarlierStep& earlier) const {
    const std::size_t at = static_cast<std::size_t>(id);
    if (at >= row_by_id_.size()) return -1;
    const int row = row_by_id_[at];
    return row < earlier.requests && earlier.id[static_cast<std::size_t>(row)] == id ? row : -1;
  }

  std::vector<int> row_by_id_;
  std::vector<int> drafted_;
  std::vector<float> confidence_;
  OwnedFrontier then_;  // the blocks of that step, over the requests of this one
  std::span<const float> sorted_;
};

}  // namespace dspark
