#include "experiments/profile/profile_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/results/hdf5_file.h"

namespace dspark {
namespace {

constexpr std::array kNames = {"profile.csv", "verify_cost.csv", "draft_cost.csv", "profile.h5",
                               kProfileExperiment};

std::string head(const ProfileFacts& facts, const char* what) {
  return fmt::format("# {}: {} on {}, {} (dspark profile)\n", what, facts.model, facts.cpu, facts.machine);
}

/// Every measured point in columns.
Table points_table(const Profile& profile) {
  Integers tokens, requests, context, repeats;
  Numbers median, minimum, noise, attended, fitted, residual;
  for (std::size_t i = 0; i < profile.points.size(); ++i) {
    const ProfilePoint& point = profile.points[i];
    const RepeatedSeconds& measured = profile.verify.points[i];
    tokens.push_back(point.tokens);
    requests.push_back(point.requests);
    context.push_back(point.context_tokens);
    median.push_back(1e3 * measured.median);
    minimum.push_back(1e3 * measured.minimum);
    noise.push_back(measured.noise);
    repeats.push_back(measured.repeats);
    attended.push_back(point.attended_tokens());
    fitted.push_back(1e3 * measured.median / (1 + profile.fit.residual[i]));
    residual.push_back(profile.fit.residual[i]);
  }
  return {"points",
          "one packed forward pass with the logits of every row and their likeliest tokens",
          false,
          {{"tokens", "tokens", "rows of the step", std::move(tokens)},
           {"requests", "1", "that the rows are spread over", std::move(requests)},
           {"context_tokens", "tokens", "of each request before its rows", std::move(context)},
           {"median_ms", "ms", "of the repeats", std::move(median)},
           {"minimum_ms", "ms", "of the repeats", std::move(minimum)},
           {"noise", "1", "1.4826 · median absolute deviation / median", std::move(noise)},
           {"repeats", "1", "after a warm-up", std::move(repeats)},
           {"attended_tokens", "tokens", "that the rows attend to, summed", std::move(attended)},
           {"fitted_ms", "ms", "table by tokens + per request + per attended token", std::move(fitted)},
           {"residual", "1", "median_ms / fitted_ms - 1", std::move(residual)}}};
}

Table draft_points_table(const Profile& profile) {
  Integers requests, repeats;
  Numbers median, minimum, noise;
  for (const DraftPoint& point : profile.draft) {
    requests.push_back(point.requests);
    median.push_back(1e3 * point.seconds.median);
    minimum.push_back(1e3 * point.seconds.minimum);
    noise.push_back(point.seconds.noise);
    repeats.push_back(point.seconds.repeats);
  }
  return {"draft_points",
          "drafting a whole block, with what the drafter learns of the step",
          false,
          {{"requests", "1", "that draft", std::move(requests)},
           {"median_ms", "ms", "of the steps", std::move(median)},
           {"minimum_ms", "ms", "of the steps", std::move(minimum)},
           {"noise", "1", "1.4826 · median absolute deviation / median", std::move(noise)},
           {"repeats", "1", "steps", std::move(repeats)}}};
}

Table cost_table(const char* name, const char* description, const char* size, const char* milliseconds,
                 const std::vector<CostTable::Point>& points) {
  Integers sizes;
  Numbers values;
  for (const CostTable::Point& point : points) {
    sizes.push_back(static_cast<std::int64_t>(point.size));
    values.push_back(1e3 * point.seconds);
  }
  return {name,
          description,
          false,
          {{size, "1", "size", std::move(sizes)}, {milliseconds, "ms", "fitted", std::move(values)}}};
}

/// Nine digits: what was fitted stays monotone.
std::string csv(const Table& table) {
  std::string text;
  for (const Column& column : table.columns) text += (text.empty() ? "" : ",") + column.name;
  text += "\n";
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (const Column& column : table.columns) {
      if (&column != &table.columns.front()) text += ",";
      if (const Numbers* numbers = std::get_if<Numbers>(&column.values)) {
        text += fmt::format("{:.9g}", (*numbers)[row]);
      } else {
        text += fmt::format("{}", std::get<Integers>(column.values)[row]);
      }
    }
    text += "\n";
  }
  return text;
}

ResultFile result_file(const Profile& profile, const ProfileFacts& facts, std::vector<Table> tables) {
  ResultFile file;
  file.attributes.emplace_back("kind", "profile");
  for (const auto& [name, value] : facts.named()) file.attributes.emplace_back(name, value);
  const auto add = [&file](const char* name, double value) {
    file.attributes.emplace_back(name, fmt::format("{:.9g}", value));
  };
  add("per_request_ms", 1e3 * profile.fit.terms.seconds_per_request);
  add("per_context_token_ms", 1e3 * profile.fit.terms.seconds_per_context_token);
  add("step_overhead_ms", 1e3 * profile.step_overhead_seconds);
  add("engine_ms", 1e3 * profile.engine_seconds);
  add("idle_drafter_tax", profile.idle_drafter_tax);
  add("one_token_share", profile.one_token_share);
  add("drift", profile.verify.drift);
  add("noise", profile.noise);
  add("median_residual", profile.fit.median_residual);
  add("worst_residual", profile.fit.worst_residual);
  file.tables = std::move(tables);
  return file;
}

}  // namespace

bool is_profile_file(const std::string& name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Result<ProfileFiles> profile_files(const Profile& profile, const ProfileFacts& facts,
                                   const ProfiledTraffic& traffic, const std::string& folder) {
  std::vector<Table> tables = {
      points_table(profile),
      cost_table("verify_cost", "what a modelled machine reads, beside its linear terms", "tokens", "step_ms",
                 profile.fit.table)};
  ProfileFiles files;
  files["profile.csv"] = head(facts, "Steps as measured and as fitted") + csv(tables[0]);
  files["verify_cost.csv"] =
      head(facts, "Steps by their rows, without what requests and contexts add") + csv(tables[1]);
  if (!profile.draft_table.empty()) {
    tables.push_back(draft_points_table(profile));
    tables.push_back(cost_table("draft_cost",
                                facts.sequential_drafter ? "of one draft step" : "of a whole block",
                                "requests", "draft_ms", profile.draft_table));
    files["draft_cost.csv"] =
        head(facts, facts.sequential_drafter ? "One draft step" : "A whole draft block") + csv(tables.back());
  }
  files[kProfileExperiment] = profiled_experiment(profile, facts, traffic, folder);
  auto hdf5 = encode_hdf5(result_file(profile, facts, std::move(tables)));
  if (!hdf5) return hdf5.error();
  files["profile.h5"] = *std::move(hdf5);
  return files;
}

std::string profile_summary(const Profile& profile, const ProfileFacts& facts) {
  const LinearTerms& terms = profile.fit.terms;
  std::string text = fmt::format("{} on {}, {}\n", facts.model, facts.cpu, facts.machine);
  text += fmt::format(
      "verification  {} points; a table of {} sizes + {:.4g} ms per request + {:.4g} ms per 1000 "
      "attended tokens\n",
      profile.points.size(), profile.fit.table.size(), 1e3 * terms.seconds_per_request,
      1e6 * terms.seconds_per_context_token);
  for (const CostTable::Point& point : profile.fit.table)
    text += fmt::format("  {:>6} tokens  {:>10.3f} ms\n", point.size, 1e3 * point.seconds);
  text += fmt::format("residuals     median {:.1f} %, worst {:.1f} % of the fit\n",
                      100 * profile.fit.median_residual, 100 * profile.fit.worst_residual);
  text += fmt::format("noise         {:.1f} % within a point (median), drift {:+.1f} % from first to last\n",
                      100 * profile.noise, 100 * profile.verify.drift);
  text += fmt::format(
      "per step      {:.4f} ms beside the forward pass; {:.3f} ms of the engine itself, which "
      "experiments do not count\n",
      1e3 * profile.step_overhead_seconds, 1e3 * profile.engine_seconds);
  for (const DraftPoint& point : profile.draft) {
    text += fmt::format("drafting      {:>3} requests  {:>10.3f} ms a block\n", point.requests,
                        1e3 * point.seconds.median);
  }
  if (profile.one_token_share < 1)
    text += fmt::format("a block of one token takes {:.0f} % of that\n", 100 * profile.one_token_share);
  if (!profile.draft.empty()) {
    text += fmt::format("an idle drafter adds {:.1f} % to a step\n", 100 * profile.idle_drafter_tax);
  }
  return text;
}

}  // namespace dspark
