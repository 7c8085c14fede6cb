#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

/// A number of a market (or the name of a preset or form) that is known as a distribution:
///
///     {uniform: [least, most]}   {triangular: [least, mode, most]}   {any_of: [inelastic, nber]}
///     {normal: {mean: 1.5, sd: 0.2}}   {lognormal: {median: 0.5, sigma: 0.4}}
///
/// The entries of any_of are equally likely. Immutable but for its truncation.
class UncertainValue {
 public:
  enum class Kind { kUniform, kNormal, kLognormal, kTriangular, kAnyOf };

  /// True where `value` is a map of one key that names a distribution.
  static bool is_one(const Value& value);
  /// Reads what `is_one` takes. Errors at the position of what is wrong: bounds that do not rise, a spread
  /// that is not positive, a list of the wrong length or without entries.
  static Result<UncertainValue> read(const Value& value);

  Kind kind() const { return kind_; }
  bool is_number() const { return kind_ != Kind::kAnyOf; }
  const Value::List& entries() const { return entries_; }  // of any_of
  double least() const { return least_; }                  // of the support; may be infinite
  double most() const { return most_; }

  /// Cuts the distribution to [least, most] and scales what is left to 1. Returns the share that was cut off;
  /// all of it where nothing is left, and then the value is not to be used.
  double truncate(double least, double most);
  /// Of numbers; 0 < u < 1. Rises with u.
  double quantile(double u) const;
  /// The value as a file would write it: the quantile, or the entry of any_of that u falls on, in the order
  /// written.
  Value at(double u) const;

 private:
  double share_below(double x) const;
  double whole_quantile(double u) const;

  Kind kind_ = Kind::kUniform;
  Position position_ = {};
  Value::List entries_ = {};
  double a_ = 0;  // least, mean or median
  double b_ = 0;  // most, sd or sigma
  double mode_ = 0;
  double least_ = 0;
  double most_ = 0;
  double below_ = 0;  // share of the whole distribution below least_
  double inside_ = 1;
};

}  // namespace dspark
