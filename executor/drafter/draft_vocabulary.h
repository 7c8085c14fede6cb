#pragma once

#include <cstdint>
#include <vector>

#include "executor/checkpoint/checkpoint.h"

namespace dspark {

/// The target's id of each token that a drafter of a reduced vocabulary knows, from the tensor `d2t` (I64),
/// which holds target id less draft id (EAGLE-3; `speculators`). Errors: it is missing, of another type or
/// shape, or names a token outside the vocabulary or twice.
Result<std::vector<std::int32_t>> read_draft_vocabulary(const Checkpoint& checkpoint, int draft_vocabulary,
                                                        int vocabulary);

}  // namespace dspark
