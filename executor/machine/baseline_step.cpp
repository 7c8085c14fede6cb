#include "executor/machine/baseline_step.h"

#include <vector>

#include "executor/profile/repeated_measurement.h"
#include "executor/profile/step_timer.h"

namespace dspark {
namespace {

constexpr std::size_t kFewest = 3;
constexpr std::size_t kMost = 25;
constexpr double kEnoughSeconds = 0.02;

}  // namespace

double baseline_step_seconds(Kernels& kernels, TargetModel& target, int block_tokens) {
  StepTimer timer(kernels, target, block_tokens);
  std::vector<double> samples;
  double passed = 0;
  while (samples.size() < kFewest || (passed < kEnoughSeconds && samples.size() < kMost)) {
    samples.push_back(timer.seconds({.tokens = 1, .requests = 1, .context_tokens = 0}));
    passed += StepTimer::kPasses * samples.back();
  }
  return summarise(std::move(samples)).median;
}

}  // namespace dspark
