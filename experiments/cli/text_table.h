#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dspark {

using Row = std::vector<std::string>;

/// Rows, at least one and all of one length, with aligned columns: the first `fixed` to the left, the others
/// to the right and broken into as many blocks as the width asks for.
std::string aligned(const std::vector<Row>& rows, std::size_t fixed, std::size_t width);

/// Decimals that show a number of this size with four digits or more.
int decimals_of(double value);
/// A number for people; "-" where there is none.
std::string number(double value);

}  // namespace dspark
