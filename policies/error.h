#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dspark {

/// Where a value was written: a file (or a command-line option) with line and column, both from 1; 0 is
/// unknown.
struct Position {
  std::shared_ptr<const std::string> source;
  int line = 0;
  int column = 0;
};

/// What is wrong with an input, where, and what would be right. The project's only error type: invalid input
/// is returned as a value and never thrown across a folder's border; broken invariants stop the program
/// (invariant.h).
struct Error {
  std::string message;
  Position position = {};
  std::string advice = {};
};

using Errors = std::vector<Error>;

/// `file:line:column: message (advice)`, on one line. Unknown parts are left out.
std::string to_string(const Error& error);

/// A value or the error that stands in its place.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() & { return std::get<0>(content_); }
  const T& operator*() const& { return std::get<0>(content_); }
  T&& operator*() && { return std::get<0>(std::move(content_)); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

}  // namespace dspark
