#pragma once

#include "experiments/results/result_differences.h"

namespace dspark {

/// What was compared, for CSV and JSON: one row for each metric and point, with the shares of throughput's
/// error (natural logarithms) in the rows of that metric.
Table differences_table(const ResultDifferences& differences);
/// One row for each metric and role.
Table error_summary_table(const ResultDifferences& differences);
/// One row for each metric and setting in which policies compete.
Table rank_agreement_table(const ResultDifferences& differences);
/// The points without a partner, as their files write them; "a" or "b", policy and axes.
Table lone_points_table(const ResultDifferences& differences, const ResultFile& a, const ResultFile& b);

/// The point in a sentence: "dspark, 8 users", "none against dspark, rate 2".
std::string point_words(const ResultDifferences& differences, std::size_t point);
/// "8 users", "rate 2, auc 0.5"; empty where no axis tells settings apart.
std::string setting_words(const ResultDifferences& differences, std::size_t setting);

}  // namespace dspark
