#include "executor/drafter/drafter_choice.h"

#include <fmt/format.h>

#include "executor/drafter/ngram_drafter.h"

namespace dspark {

Result<std::unique_ptr<Drafter>> make_drafter(const DrafterChoice& choice) {
  if (choice.what == "none") return std::unique_ptr<Drafter>();
  if (choice.what == "ngram") {
    return std::unique_ptr<Drafter>(
        std::make_unique<NgramDrafter>(NgramOptions{.block_size = choice.block_size}));
  }
  return Error{fmt::format("there is no drafter '{}'", choice.what), {}, "known are none and ngram"};
}

}  // namespace dspark
