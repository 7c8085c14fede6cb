// When each request of an experiment's first point was served, first replication, as JSON on the standard
// output:
//
//     build/release/tests/request_times EXPERIMENT.yaml
//
// A result file keeps no times of single requests; this runs the same scenario with one more watcher.
// `digest` is that of the event trace, equal to the one in the result of `dspark run`, so that the times are
// those of that run. Times are virtual nanoseconds; `rows` are decoding requests, draft tokens and prompt
// tokens, summed over `steps`.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/cli/report.h"
#include "experiments/digest.h"
#include "experiments/schema/experiment.h"
#include "sim/engine/watcher.h"

namespace dspark {
namespace {

class RequestTimes final : public Watcher {
 public:
  void finished(const FinishedRequest& request) override {
    rows_.push_back(fmt::format("[{}, {}, {}, {}]", request.spec.ordinal, request.spec.arrival,
                                request.first_token, request.last_token));
  }
  void step_ended(const StepRecord& step) override {
    ++steps_;
    step_rows_ += step.decode_requests() + step.draft_rows + step.prefill_rows;
  }

  std::string json(const Digest& digest) const {
    return fmt::format(
        "{{\"digest\": \"{}\", \"steps\": {}, \"rows\": {},\n\"columns\": [\"request\", \"arrived\", "
        "\"first_token\", \"completed\"],\n\"requests\": [\n{}\n]}}\n",
        hex(digest), steps_, step_rows_, fmt::join(rows_, ",\n"));
  }

 private:
  std::vector<std::string> rows_;
  std::int64_t steps_ = 0;
  std::int64_t step_rows_ = 0;
};

int print_request_times(const std::string& path) {
  Errors errors;
  const auto experiment = read_experiment(path, {}, errors);
  if (!experiment) {
    print_errors(errors);
    return 2;
  }
  RequestTimes times;
  const auto result = experiment->points.front().scenario->run(experiment->seed, 0, nullptr, &times);
  if (!result) {
    print_error(result.error());
    return 2;
  }
  return print_output(times.json({result->digest[0], result->digest[1]})) ? 0 : 3;
}

}  // namespace
}  // namespace dspark

int main(int count, char** arguments) {
  if (count != 2) {
    dspark::print_error({"one argument is expected: the experiment's YAML file", {}, {}});
    return 2;
  }
  return dspark::print_request_times(arguments[1]);
}
