#pragma once

#include <map>
#include <string>

#include "executor/profile/profile.h"
#include "experiments/profile/profile_facts.h"

namespace dspark {

/// The files of a profile's folder, by name.
using ProfileFiles = std::map<std::string, std::string>;

constexpr const char* kProfileExperiment = "experiment.yaml";
/// What its requests ask and get.
constexpr int kExperimentPromptTokens = 64;
constexpr int kExperimentOutputTokens = 64;

/// profile.csv (every point, and what the fit makes of it), verify_cost.csv and, with a drafter,
/// draft_cost.csv (what machines read), profile.h5 (all of these and the facts) and experiment.yaml, which
/// `dspark run` takes as it is. `acceptance`: a preset of survival_presets(), or empty: then the experiment
/// has policy `none` only. `folder`: where they will stand, absolute; the experiment names the model from
/// there. The same profile and facts give the same bytes. Errors: what HDF5 says.
Result<ProfileFiles> profile_files(const Profile& profile, const ProfileFacts& facts,
                                   const std::string& acceptance, const std::string& folder);

/// Names of all files that a profile's folder may have.
bool is_profile_file(const std::string& name);

/// The experiment alone (profiled_experiment.cpp).
std::string profiled_experiment(const Profile& profile, const ProfileFacts& facts,
                                const std::string& acceptance, const std::string& folder);

/// What a user wants to know of it.
std::string profile_summary(const Profile& profile, const ProfileFacts& facts);

}  // namespace dspark
