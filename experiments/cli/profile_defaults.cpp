#include "experiments/cli/profile_defaults.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/schema/set_option.h"
#include "policies/elementary.h"

namespace dspark {
namespace {

const std::string* text_at(const Value& like, const std::vector<std::string>& path) {
  const Value* value = find_path(like, path);
  return value == nullptr ? nullptr : value->scalar();
}

constexpr int kLongest = 1 << 20;    // tokens
constexpr double kLargestSigma = 5;  // of the workload's lognormal lengths

/// A whole number of 1 .. 2^20; nothing where there is another thing, which `dspark check` objects to.
std::optional<int> count_at(const Value& like, const std::vector<std::string>& path) {
  const std::string* text = text_at(like, path);
  const auto number = text == nullptr ? std::nullopt : parse_number(*text);
  const bool counts = number && *number >= 1 && *number <= kLongest && *number == static_cast<int>(*number);
  return counts ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// In tokens; shortest and longest are the 10 % and the 90 % quantile.
struct Lengths {
  int shortest = 0, typical = 0, longest = 0;
};

/// Of a distribution that is fixed or lognormal; nothing of others, nor of numbers that a workload cannot
/// have.
std::optional<Lengths> lengths_at(const Value& like, const std::string& name) {
  if (const auto fixed = count_at(like, {"workload", name, "fixed"})) return Lengths{*fixed, *fixed, *fixed};
  const auto of = [&](const char* key) {
    const std::string* text = text_at(like, {"workload", name, "lognormal", key});
    return text == nullptr ? std::nullopt : parse_number(*text);
  };
  const auto median = of("median"), sigma = of("sigma");
  if (!median || !sigma || *median < 1 || *sigma < 0 || *sigma > kLargestSigma) return std::nullopt;
  const double most = count_at(like, {"workload", name, "lognormal", "max"}).value_or(kLongest);
  const auto quantile = [&](double share) {
    const double length = *median * exp_portable(normal_quantile(share) * *sigma);
    return static_cast<int>(std::lround(std::clamp(length, 1.0, most)));
  };
  return Lengths{quantile(0.1), quantile(0.5), quantile(0.9)};
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
  const auto prompt = lengths_at(like, "prompt_tokens");
  const auto output = lengths_at(like, "output_tokens");
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
