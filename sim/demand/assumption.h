#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

/// A number that a result rests on, with what backs it.
struct Assumption {
  std::string what = {};  // "chat: price elasticity"
  double value = 0;
  std::string source = {};  // empty: nothing, it is assumed
  std::string caveat = {};
};

/// A published value that a file can name in the place of a number.
struct ElasticityPreset {
  std::string name = {};
  double elasticity = 0;  // positive: Q ~ P^-elasticity
  std::string source = {};
  std::string caveat = {};
};
/// Price elasticities of usage, least first.
const std::vector<ElasticityPreset>& elasticity_presets();

/// What the readers of a segment share: its name, what a file says for all segments, and the list that they
/// fill.
struct SegmentContext {
  std::string segment = {};
  std::optional<Assumption> elasticity = {};  // the file's own, for segments that say none
  std::string source = {};                    // of the numbers of this segment, in the user's words
  std::vector<Assumption>* assumptions = nullptr;

  /// Notes a number under this segment's name and source.
  void note(std::string what, double value) const;
};

constexpr double kLargestElasticity = 50;
/// The type under which elasticities are recorded.
constexpr std::string_view kElasticityType = "number >= 0 or a preset";

/// An elasticity: a number >= 0 (Q ~ P^-elasticity) or the name of a preset. Errors, at its position: a
/// negative number, explained by the convention; an unknown name, with the nearest. Absent: `fallback`, else
/// an error.
Assumption read_elasticity(Parameters& parameters, std::string_view name, std::string_view meaning,
                           const std::optional<Assumption>& fallback);

/// `elasticity` of a form of demand, from the segment or from the file, noted as an assumption.
double read_noted_elasticity(Parameters& parameters, const SegmentContext& context);

}  // namespace dspark
