#include "executor/drafter/draft_vocabulary.h"

#include <fmt/format.h>

namespace dspark {

Result<std::vector<std::int32_t>> read_draft_vocabulary(const Checkpoint& checkpoint,
                                                        std::size_t draft_vocabulary,
                                                        std::size_t target_vocabulary) {
  const auto offsets = checkpoint.integers("d2t", draft_vocabulary);
  if (!offsets) return offsets.error();
  std::vector<std::int32_t> ids;
  std::vector<bool> taken(target_vocabulary, false);
  for (std::size_t i = 0; i < offsets->size(); ++i) {
    const std::int64_t offset = (*offsets)[i];
    const auto most = static_cast<std::int64_t>(target_vocabulary) - static_cast<std::int64_t>(i);
    if (offset < -static_cast<std::int64_t>(i) || offset >= most)
      return Error{fmt::format("tensor 'd2t': number {} is {}, which leads out of the target's {} tokens", i,
                               offset, target_vocabulary)};
    const auto id = static_cast<std::size_t>(static_cast<std::int64_t>(i) + offset);
    if (taken[id]) return Error{fmt::format("tensor 'd2t': two tokens are token {} of the target", id)};
    taken[id] = true;
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

}  // namespace dspark
