#include "executor/drafter/draft_vocabulary.h"

#include <fmt/format.h>

#include <cstddef>

namespace dspark {

Result<std::vector<std::int32_t>> read_draft_vocabulary(const Checkpoint& checkpoint, int draft_vocabulary,
                                                        int vocabulary) {
  const std::size_t shape[] = {static_cast<std::size_t>(draft_vocabulary)};
  const auto offsets = checkpoint.integers("d2t", shape);
  if (!offsets) return offsets.error();
  std::vector<std::int32_t> ids;
  std::vector<bool> taken(static_cast<std::size_t>(vocabulary));
  for (std::size_t draft = 0; draft < offsets->size(); ++draft) {
    // Compared before they are added, so that nothing overflows.
    const std::int64_t offset = (*offsets)[draft];
    const auto own = static_cast<std::int64_t>(draft);
    if (offset < -own || offset >= vocabulary - own)
      return Error{fmt::format("{}: tensor 'd2t': draft token {} is none of the {} of the target",
                               checkpoint.folder(), draft, vocabulary)};
    const auto id = static_cast<std::size_t>(own + offset);
    if (taken[id])
      return Error{fmt::format("{}: tensor 'd2t': draft token {} is token {} of the target, as another is",
                               checkpoint.folder(), draft, id)};
    taken[id] = true;
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

}  // namespace dspark
