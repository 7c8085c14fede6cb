#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/results/result_differences.h"

namespace dspark {

/// Two results and what differs between them.
struct ComparedResults {
  std::string path_a;
  std::string path_b;
  const ResultFile& a;
  const ResultFile& b;
  ResultDifferences differences;
  bool policies_differ = false;  // one policy is compared with another: signed differences, not errors
};

/// Largest |error| that passes, as shares; nothing where it is not judged.
struct ErrorLimits {
  std::optional<double> median;
  std::optional<double> worst;
};

/// What a limit says of one metric.
struct Judgement {
  std::string metric;
  double median = 0;
  double worst = 0;
  bool passes = true;
};

/// Of the points that were not fitted, for throughput and user_speed_mean, or for all metrics if `all`. Empty
/// without limits, or where no such point is there.
std::vector<Judgement> judge(const ResultDifferences& differences, const ErrorLimits& limits, bool all);

/// A metric for a sentence: "user speed".
std::string metric_words(const std::string& metric);

/// "Modelled against measured over 18 points: user speed is 3.1 % off in the median and 9 % at worst (dspark,
/// 8 users)." Of user speed where it is among the metrics, else of the first; of the points that were not
/// fitted, where there are such.
std::string difference_sentence(const ComparedResults& compared);

/// The tables for people, the `judgement`, and the sentence as the last line; `explain` adds where errors of
/// throughput come from.
std::string difference_text(const ComparedResults& compared, bool explain, const std::string& judgement);

/// Everything, for programs and for figures/compare.py.
std::string difference_json(const ComparedResults& compared, const ErrorLimits& limits,
                            const std::vector<Judgement>& judgements);

}  // namespace dspark
