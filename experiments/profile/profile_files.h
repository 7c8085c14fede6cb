#pragma once

#include <map>
#include <string>

#include "executor/profile/profile.h"
#include "experiments/profile/profile_facts.h"
#include "policies/parameters.h"

namespace dspark {

/// The files of a profile's folder, by name.
using ProfileFiles = std::map<std::string, std::string>;

constexpr const char* kProfileExperiment = "experiment.yaml";
/// What its requests ask and get.
constexpr int kExperimentPromptTokens = 64;
constexpr int kExperimentOutputTokens = 64;

/// What the experiment of a profile says beside what was measured.
struct ProfiledTraffic {
  std::string acceptance = {};  // a preset of survival_presets(); empty: none
  std::string rounds = {};      // recorded rounds in its place, an absolute path; empty: none
  /// An experiment whose engine, workload, prompts, policies, sweep, seed and stop rule are taken; empty: a
  /// small one is written.
  Value like = {};
  std::string like_folder = {};  // of its file, absolute: its paths are read from there
};

/// profile.csv (every point, and what the fit makes of it), verify_cost.csv and, with a drafter,
/// draft_cost.csv (what machines read), profile.h5 (all of these and the facts) and experiment.yaml, which
/// `dspark run` takes as it is; without an acceptance it has policy `none` only. `folder`: where they will
/// stand, absolute; the experiment names the model from there. The same profile and facts give the same
/// bytes. Errors: what HDF5 says.
Result<ProfileFiles> profile_files(const Profile& profile, const ProfileFacts& facts,
                                   const ProfiledTraffic& traffic, const std::string& folder);

/// Names of all files that a profile's folder may have.
bool is_profile_file(const std::string& name);

/// The experiment alone (profiled_experiment.cpp).
std::string profiled_experiment(const Profile& profile, const ProfileFacts& facts,
                                const ProfiledTraffic& traffic, const std::string& folder);

/// What a user wants to know of it.
std::string profile_summary(const Profile& profile, const ProfileFacts& facts);

}  // namespace dspark
