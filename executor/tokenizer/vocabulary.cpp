#include "executor/tokenizer/vocabulary.h"

#include <utility>

namespace dspark {

bool Vocabulary::add(std::string text, std::int32_t id) {
  const auto slot = static_cast<std::size_t>(id);
  if (has(id) || ids_.contains(text)) return false;
  if (slot >= texts_.size()) texts_.resize(slot + 1);
  texts_[slot] = &storage_.emplace_back(std::move(text));
  ids_.emplace(storage_.back(), id);
  return true;
}

}  // namespace dspark
