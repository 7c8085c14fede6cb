#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sim/demand/market.h"

namespace dspark::testing {

/// Reads the text of a YAML flow map without quotes, as tests write markets: `{gain: 2, segments: {chat:
/// {…}}}`.
class FlowReader {
 public:
  explicit FlowReader(std::string_view text) : text_(text) {}

  Value value() {
    Value result;
    result.position.line = 1;
    if (!skip("{") && !skip("[")) {
      result.content = std::string(word(",}]"));
      return result;
    }
    if (text_[at_ - 1] == '[') {
      Value::List list;
      while (!skip("]")) list.push_back(value()), skip(",");
      result.content = std::move(list);
      return result;
    }
    Value::Map map;
    while (!skip("}")) {
      Value::Entry entry;
      entry.key = word(":");
      entry.key_position.line = 1;
      skip(":");
      entry.value = value();
      map.push_back(std::move(entry));
      skip(",");
    }
    result.content = std::move(map);
    return result;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool skip(std::string_view token) {
    blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  std::string_view word(std::string_view ends) {
    blanks();
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(ends, at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The market that `text` describes; a failure of the test where it is none.
inline Market market_of(const std::string& text, SurfaceSource* surfaces = nullptr) {
  Parameters parameters(FlowReader(text).value());
  Market market = read_market(parameters, surfaces);
  parameters.finish();
  for (const Error& error : parameters.errors()) ADD_FAILURE() << to_string(error) << "\nin " << text;
  return market;
}

/// The first error of a market that is none; empty where there is none.
inline std::string error_of_market(const std::string& text, SurfaceSource* surfaces = nullptr) {
  Parameters parameters(FlowReader(text).value());
  read_market(parameters, surfaces);
  parameters.finish();
  return parameters.errors().empty() ? std::string() : to_string(parameters.errors().front());
}

}  // namespace dspark::testing
