#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/lossless/lossless_check.h"

namespace dspark {

/// A policy to be checked: as written, and how to make it.
struct CheckedPolicy {
  std::string text;
  PolicyMaker make;
  PolicyTraits traits;  // what it says of itself
};

/// The policy that `text` writes as an experiment would, or what is wrong with it.
std::optional<CheckedPolicy> read_checked_policy(const std::string& text, Errors& errors);

/// A registered policy with its defaults, and with small values where it has none.
std::string checked_form(const std::string& policy);

/// Every registered policy in that form, and further forms of those whose parameters decide what they look
/// at.
std::vector<std::string> all_checked_forms();

}  // namespace dspark
