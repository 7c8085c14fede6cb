#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "experiments/calibration/calibration_study.h"
#include "experiments/results/statistics.h"
#include "sim/recording/run_recording.h"

namespace dspark {

/// How the drafts at a position fare.
struct PositionQuality {
  int position = 1;          // k
  std::int64_t rounds = 0;   // verified to k
  double survival = 0;       // share of them whose first k drafts were accepted; NaN without rounds
  std::int64_t reached = 0;  // of them, those whose first k - 1 drafts were
  double acceptance = 0;     // share of these whose draft k was too: conditional acceptance; NaN where none
  Interval acceptance_interval = {};  // 95 %, Wilson
};

/// How a drafter fares on some requests, whole blocks verified.
struct DrafterQuality {
  std::int64_t requests = 0;
  std::int64_t rounds = 0;        // of those requests
  std::int64_t whole_rounds = 0;  // that the end of a reply did not cut
  /// τ: tokens per whole round, the bonus token included. The interval is that of a ratio of sums over
  /// requests, 95 %, Student's t with n - 1 degrees of freedom, n the requests with whole rounds; NaN without
  /// any.
  Interval accepted_length = {};
  std::vector<PositionQuality> positions;  // 1 .. γ, over whole rounds
  /// Of the confidence head, on whole rounds; none without a head, or with too few rounds.
  std::optional<CalibrationStudy> calibration;
};

/// Which recorded requests a quality is of.
using RequestChoice = std::function<bool(const RecordedRequest&)>;

/// The rounds of the chosen requests that the end of a reply neither cut nor may have cut: those whose block
/// and bonus token would have fitted into the reply, without the one in which the model itself ended it. A
/// round counts by what could have happened in it and not by what did, which would choose short ones.
Rounds whole_rounds(const RunRecording& recording, const RequestChoice& chosen);

DrafterQuality measure_quality(const RunRecording& recording, const RequestChoice& chosen);

}  // namespace dspark
