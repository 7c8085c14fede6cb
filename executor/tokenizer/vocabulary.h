#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dspark {

/// The texts of tokens and their ids, each once. Ids need not be dense.
class Vocabulary {
 public:
  static constexpr std::int32_t kNone = -1;
  static constexpr std::int32_t kMostIds = 1 << 22;

  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;  // not copied: it points into itself
  Vocabulary& operator=(Vocabulary&&) = default;

  /// False where the text or the id, 0 .. kMostIds - 1, is there already.
  bool add(std::string text, std::int32_t id);

  std::int32_t id(std::string_view text) const {
    const auto found = ids_.find(text);
    return found == ids_.end() ? kNone : found->second;
  }
  bool has(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < texts_.size() &&
           texts_[static_cast<std::size_t>(id)] != nullptr;
  }
  /// The text of an id that there is.
  const std::string& text(std::int32_t id) const { return *texts_[static_cast<std::size_t>(id)]; }

  /// Tokens.
  std::int32_t size() const { return static_cast<std::int32_t>(ids_.size()); }
  /// One more than the highest id.
  std::int32_t id_end() const { return static_cast<std::int32_t>(texts_.size()); }

 private:
  std::deque<std::string> storage_;  // which never moves its elements
  std::vector<const std::string*> texts_;
  std::unordered_map<std::string_view, std::int32_t> ids_;  // only looked up, never walked
};

}  // namespace dspark
