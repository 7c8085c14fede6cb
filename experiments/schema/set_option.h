#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/error.h"
#include "policies/parameters.h"

namespace dspark {

/// `a.b.c` as keys; an error where one is empty.
Result<std::vector<std::string>> split_path(std::string_view path, const Position& position);

/// The value below `root` at `path`, or nullptr.
const Value* find_path(const Value& root, const std::vector<std::string>& path);

/// Puts `value` at `path`, replacing what stands there; missing maps on the way are created with `position`.
/// An error where the way leads through a scalar or a list. Numbers of list items are not supported.
std::optional<Error> assign_path(Value& root, const std::vector<std::string>& path, Value value,
                                 const Position& position);

/// Applies one `--set path.to.key=value`; the value is YAML (`[1, 2]`, `{fixed: {k: 7}}`). Its position is
/// the option itself, so that whatever reads the tree complains about it like about a line of the file. Keys
/// that hold dots themselves, as those of `sweep.grid` do, are found as they stand:
/// `sweep.grid.workload.users=[1, 2]`.
std::optional<Error> apply_set_option(Value& root, std::string_view option);

/// True for values that came from `--set`.
bool is_set_option(const Position& position);

}  // namespace dspark
