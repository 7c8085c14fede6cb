#include "executor/drafter/ngram_drafter.h"

#include <algorithm>

#include "policies/invariant.h"

namespace dspark {

NgramDrafter::NgramDrafter(const NgramOptions& options) : options_(options) {
  DSPARK_INVARIANT(options.block_size >= 1 && options.shortest_match >= 1 &&
                   options.shortest_match <= options.longest_match);
}

NgramMatch find_ngram(std::span<const std::int32_t> text, int shortest, int longest) {
  NgramMatch best{.next = text.size(), .length = 0};
  const std::size_t size = text.size();
  // `end` is the index behind a candidate; the latest one wins among equals.
  for (std::size_t end = size - 1; size > 1 && end >= 1 && best.length < longest; --end) {
    int length = 0;
    while (length < longest && static_cast<std::size_t>(length) < end &&
           text[end - 1 - static_cast<std::size_t>(length)] ==
               text[size - 1 - static_cast<std::size_t>(length)]) {
      ++length;
    }
    if (length >= shortest && length > best.length) best = {.next = end, .length = length};
  }
  return best;
}

void NgramDrafter::draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) {
  const auto fill = [](std::span<float> column, std::size_t index, float value) {
    if (!column.empty()) column[index] = value;
  };
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const DraftRequest& request = requests[r];
    blocks.drafted[r] = 0;
    if (request.planned == 0) continue;
    const NgramMatch match = find_ngram(request.text, options_.shortest_match, options_.longest_match);
    if (match.length == 0) continue;
    // A match that overlaps the text's end goes on with what it has proposed itself: a period repeats.
    const std::size_t period = request.text.size() - match.next;
    blocks.drafted[r] = request.planned;
    for (int k = 1; k <= request.planned; ++k) {
      const std::size_t i = static_cast<std::size_t>(k - 1) * blocks.stride + r;
      blocks.tokens[i] = request.text[match.next + static_cast<std::size_t>(k - 1) % period];
      blocks.confidence[i] = 0.5f;
      fill(blocks.top1, i, 1);
      fill(blocks.margin, i, static_cast<float>(match.length));
      fill(blocks.entropy, i, 0);
      fill(blocks.chosen, i, 1);
    }
  }
}

}  // namespace dspark
