#include "kernels/cpu/cpu_kernels.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

TEST(CpuKernels, SayWhatTheyAre) {
  CpuOptions options;
  options.weight_type = ElementType::kF32;
  options.threads = 2;
  options.instruction_set = InstructionSet::kAvx2;
  const auto made = make_cpu_kernels(options);
  ASSERT_NE(made.kernels, nullptr) << made.error;
  EXPECT_EQ(made.kernels->description(), "cpu, avx2, 2 threads");
}

TEST(CpuKernels, RefuseWhatTheyDoNotHave) {
  CpuOptions options;
  options.weight_type = ElementType::kF16;
  EXPECT_NE(make_cpu_kernels(options).error, "");
  options.weight_type = ElementType::kF32;
  options.threads = 0;
  EXPECT_EQ(make_cpu_kernels(options).error, "threads must be 1 .. 1024, not 0");
  EXPECT_EQ(make_cpu_kernels(options).kernels, nullptr);
}

}  // namespace
}  // namespace dspark
