#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dspark {

/// The candidate with the smallest edit distance to `name`, or empty where none is near (distance above a
/// third of its length, at least 2). Ties: the first.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// "did you mean 'b'?" where one is near, else "known: a, b, c"; the advice of every unknown-name error.
std::string known_names_advice(std::string_view name, std::span<const std::string> candidates);

}  // namespace dspark
