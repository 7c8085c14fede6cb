#include "policies/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace dspark {

std::string to_string(const Error& error) {
  std::string text;
  const Position& at = error.position;
  if (at.source) {
    text = *at.source;
    if (at.line > 0) text += fmt::format(":{}:{}", at.line, at.column);
    text += ": ";
  }
  text += error.message;
  if (!error.advice.empty()) text += " (" + error.advice + ")";
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  return text;
}

}  // namespace dspark
