#pragma once

#include <string>

#include "experiments/cli/commands.h"
#include "policies/parameters.h"

namespace dspark {

/// The options of `dspark profile` with nothing left open: what they do not say comes from the experiment
/// `like` (may be empty), read in `folder`, else is the usual. Of the experiment: target, drafter, block
/// size, weights and threads of machine.executor; sizes up to what engine.max_num_seqs, its γ and
/// engine.max_num_batched_tokens allow; contexts, where its lengths are fixed or lognormal (from the 1 % to
/// the 90 % quantile); temperature. Errors: no model.
Result<ProfileCommandOptions> completed(ProfileCommandOptions options, const Value& like,
                                        const std::string& folder);

}  // namespace dspark
