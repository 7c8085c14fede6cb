#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dspark {

/// XXH3-128. Finds damage and changes, not attackers.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Digest&) const = default;
};

Digest digest_of(std::string_view bytes);

/// `digest_of` of all parts in a row.
class DigestStream {
 public:
  DigestStream();
  void add(std::string_view part);
  Digest digest() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// 32 hexadecimal digits, most significant first.
std::string hex(const Digest& digest);

/// A text for `digest_of` in which no two lists of parts look the same: every part is preceded by its length.
class DigestText {
 public:
  void add(std::string_view part);
  void add(std::int64_t number) { add(std::to_string(number)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace dspark
