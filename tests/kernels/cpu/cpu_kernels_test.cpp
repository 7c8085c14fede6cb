#include "kernels/cpu/cpu_kernels.h"

#include <gtest/gtest.h>

#include "tests/kernels/cpu/cases.h"

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

TEST(CpuKernelsDeathTest, ABrokenContractStopsTheProgramAndNamesTheStatement) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto weights = cases::numbers(12, 1), x = cases::numbers(8, 2);
  std::vector<float> out(6);
  EXPECT_DEATH(
      {
        const auto kernels = cases::kernels();
        const auto matrix = kernels->load(ElementType::kF32, cases::bytes_of(weights), 3, 4);
        kernels->multiply(cases::view<2>(x, {2, 4}), *matrix, {}, false, cases::view<2>(out, {3, 2}));
      },
      "broken contract .*w.outputs");
}

TEST(CpuKernels, TakeMemoryThatIsZeroAndGiveBackWhatIsWritten) {
  const auto kernels = cases::kernels();
  for (const std::size_t count : {1u, 100u, 2000000u}) {
    const auto buffer = kernels->allocate(count * sizeof(float));
    std::vector<float> read(count, 1), written = cases::numbers(count, 1);
    kernels->read(buffer->data(), std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read, std::vector<float>(count));
    kernels->write(cases::bytes_of(written), buffer->data());
    kernels->read(buffer->data(), std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read, written);
  }
  EXPECT_EQ(kernels->allocate(std::size_t{1} << 60), nullptr);
}

}  // namespace
}  // namespace dspark
