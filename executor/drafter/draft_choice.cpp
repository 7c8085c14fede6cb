#include "executor/drafter/draft_choice.h"

#include <vector>

#include "policies/invariant.h"

namespace dspark {

void choose_tokens(Kernels& kernels, std::span<const DraftRequest> requests, int k,
                   View<const float, 2> distributions, const DraftBlocks& blocks) {
  std::vector<float> probabilities;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    DraftChoice* choice = requests[r].choice;
    if (choice == nullptr || requests[r].rule.temperature == 0 || blocks.drafted[r] < k) continue;
    const std::size_t entry = static_cast<std::size_t>(k - 1) * blocks.stride + r;
    probabilities.resize(distributions.shape[1]);
    kernels.read(reinterpret_cast<const std::byte*>(distributions.row(entry)),
                 std::as_writable_bytes(std::span(probabilities)));
    const std::int32_t token = choice->choose(k, probabilities, blocks.tokens[entry]);
    DSPARK_INVARIANT(probabilities[static_cast<std::size_t>(token)] > 0);
    blocks.tokens[entry] = token;
    if (!blocks.chosen.empty()) blocks.chosen[entry] = probabilities[static_cast<std::size_t>(token)];
  }
}

}  // namespace dspark
