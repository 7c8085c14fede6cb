#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dspark {

struct BadByte {
  int line = 0;
  int column = 0;  // in bytes, from 1
  std::string what;
};

/// The first byte that is no part of well-formed UTF-8 text, or that is a control character other than tab
/// and line ends (a binary file is better told so than parsed).
std::optional<BadByte> find_bad_utf8(std::string_view text);

}  // namespace dspark
