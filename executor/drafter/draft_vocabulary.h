#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "executor/checkpoint/checkpoint.h"
#include "policies/error.h"

namespace dspark {

/// The target's id of each token of a reduced draft vocabulary, from the tensor `d2t`: token i is the
/// target's i + d2t[i] (EAGLE-3's layout, which speculators keeps). Errors: the tensor is missing, of another
/// length or type; an id that the target has not; two tokens of one id.
Result<std::vector<std::int32_t>> read_draft_vocabulary(const Checkpoint& checkpoint,
                                                        std::size_t draft_vocabulary,
                                                        std::size_t target_vocabulary);

}  // namespace dspark
