#include "experiments/cli/profile_defaults.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/schema/set_option.h"

namespace dspark {
namespace {

const std::string* text_at(const Value& like, const std::vector<std::string>& path) {
  const Value* value = find_path(like, path);
  return value == nullptr ? nullptr : value->scalar();
}

/// A whole number of 1 .. 2^20; nothing where there is another thing, which `dspark check` objects to.
std::optional<int> count_at(const Value& like, const std::vector<std::string>& path) {
  const std::string* text = text_at(like, path);
  const auto number = text == nullptr ? std::nullopt : parse_number(*text);
  const bool counts = number && *number >= 1 && *number <= 1 << 20 && *number == static_cast<int>(*number);
  return counts ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// In tokens; shortest and longest are the 10 % and the 90 % quantile.
struct Lengths {
  int shortest = 0, typical = 0, longest = 0;
};

constexpr double kLongestContext = 1 << 20;

/// Of a lognormal distribution.
Lengths lengths_around(double median, double sigma, double most) {
  constexpr double kDeviations = 1.2816;  // standard normal, 90 %
  const auto at = [&](double deviations) {
    return static_cast<int>(std::lround(
        std::clamp(median * std::exp(deviations * sigma), 1.0, std::clamp(most, 1.0, kLongestContext))));
  };
  return {at(-kDeviations), at(0), at(kDeviations)};
}

/// Of a distribution that is fixed or lognormal; nothing of others.
std::optional<Lengths> lengths_at(const Value& like, std::vector<std::string> path) {
  const auto of = [&](std::vector<std::string> keys) {
    keys.insert(keys.begin(), path.begin(), path.end());
    const std::string* text = text_at(like, keys);
    return text == nullptr ? std::nullopt : parse_number(*text);
  };
  if (const auto fixed = of({"fixed"})) return lengths_around(*fixed, 0, kLongestContext);
  const auto median = of({"lognormal", "median"}), sigma = of({"lognormal", "sigma"});
  if (!median || !sigma) return std::nullopt;
  return lengths_around(*median, *sigma, of({"lognormal", "max"}).value_or(kLongestContext));
}

std::string path_from(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

/// 1, 2, 4 ... and `most` itself.
std::vector<int> doubling(int most) {
  std::vector<int> sizes;
  for (int size = 1; size < most; size *= 2) sizes.push_back(size);
  sizes.push_back(most);
  return sizes;
}

void complete_models(ProfileCommandOptions& options, const Value& like, const std::string& folder) {
  const auto executor = [&](const char* key) { return text_at(like, {"machine", "executor", key}); };
  if (const auto* target = executor("target"); target != nullptr && options.model.empty())
    options.model = path_from(folder, *target);
  if (const auto* drafter = executor("drafter"); drafter != nullptr && options.drafter.empty()) {
    const bool is_folder = *drafter != "none" && *drafter != "ngram";
    options.drafter = is_folder ? path_from(folder, *drafter) : *drafter;
  }
  if (options.block_size == 0)
    options.block_size = count_at(like, {"machine", "executor", "block_size"}).value_or(7);
  if (const auto* weights = executor("weights"); weights != nullptr && options.weights.empty())
    options.weights = *weights;
  if (!options.threads) options.threads = count_at(like, {"machine", "executor", "threads"}).value_or(0);
  if (options.drafter.empty()) options.drafter = "none";
  if (options.weights.empty()) options.weights = "auto";
}

void complete_sizes(ProfileCommandOptions& options, const Value& like) {
  ProfileSizes usual;
  if (const auto requests = count_at(like, {"engine", "max_num_seqs"})) {
    const int rows = *requests * (1 + (options.drafter == "none" ? 0 : options.block_size));
    usual.requests = doubling(*requests);
    usual.tokens = doubling(
        std::max(2, std::min(rows, count_at(like, {"engine", "max_num_batched_tokens"}).value_or(rows))));
  }
  const auto prompt = lengths_at(like, {"workload", "prompt_tokens"});
  const auto output = lengths_at(like, {"workload", "output_tokens"});
  if (prompt && output)
    usual.context_tokens = {prompt->shortest, prompt->typical + (output->typical + 1) / 2,
                            prompt->longest + output->longest + 1};
  const auto complete = [](std::vector<int>& sizes, std::vector<int>& by_default) {
    if (sizes.empty()) sizes = std::move(by_default);
  };
  complete(options.sizes.tokens, usual.tokens);
  complete(options.sizes.requests, usual.requests);
  complete(options.sizes.context_tokens, usual.context_tokens);
}

}  // namespace

Result<ProfileCommandOptions> completed(ProfileCommandOptions options, const Value& like,
                                        const std::string& folder) {
  complete_models(options, like, folder);
  if (options.model.empty())
    return Error{"no model", {}, "--model names its folder, or machine.executor.target of --experiment"};
  complete_sizes(options, like);
  if (!options.temperature) {
    // A workload's default is 1.
    const std::string* text = text_at(like, {"workload", "temperature"});
    const double of_workload = (text != nullptr ? parse_number(*text) : std::nullopt).value_or(1);
    options.temperature = like.empty() ? 0 : std::clamp(of_workload, 0.0, 10.0);
  }
  return options;
}

}  // namespace dspark
