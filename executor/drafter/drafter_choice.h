#pragma once

#include <memory>
#include <string>

#include "executor/drafter/drafter.h"
#include "policies/error.h"

namespace dspark {

struct DrafterChoice {
  std::string what = "none";  // none, or ngram
  int block_size = 7;         // γ of an n-gram drafter, 1 .. 64
};

/// The drafter that a user named; null for none. Errors: there is none of this name.
Result<std::unique_ptr<Drafter>> make_drafter(const DrafterChoice& choice);

}  // namespace dspark
