// Planted faults that the sanitizers of this build must end the program for, with their own report: else a
// green run of the other tests under them says nothing. Built with the flags of everything else, only where
// DSPARK_SANITIZE is set.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace dspark {
namespace {

using ::testing::ExitedWithCode;

// What the compiler cannot see through.
volatile int three = 3;
volatile int sink = 0;

#ifdef DSPARK_SANITIZE_ADDRESS
TEST(AddressSanitizerDeathTest, EndsTheProgramAtAReadBehindTheHeapsEnd) {
  const std::unique_ptr<int[]> numbers(new int[3]());
  EXPECT_EXIT(sink = numbers[static_cast<std::size_t>(three)], ExitedWithCode(1),
              "AddressSanitizer: heap-buffer-overflow");
}

// Which the address sanitizer alone does not see.
TEST(LibraryAssertionsDeathTest, EndTheProgramAtAReadBehindAVectorsEndWithinItsCapacity) {
  std::vector<int> numbers(3);
  numbers.reserve(8);
  EXPECT_EXIT(sink = numbers[static_cast<std::size_t>(three)], ::testing::KilledBySignal(SIGABRT),
              "Assertion");
}

TEST(AddressSanitizerDeathTest, EndsTheProgramAtALeak) {
  const auto leak = [] {
    // Nobody keeps the pointers; one may linger in a register, where it would count as kept.
    for (int i = 0; i < 100; ++i) sink = *new int(three);  // NOLINT
    std::exit(0);
  };
  EXPECT_EXIT(leak(), ExitedWithCode(1), "LeakSanitizer: detected memory leaks");
}
#endif

#ifdef DSPARK_SANITIZE_UNDEFINED
TEST(UndefinedBehaviourSanitizerDeathTest, EndsTheProgramAtASignedOverflowAndAtAShiftTooFar) {
  EXPECT_EXIT(sink = three + 0x7fffffff, ExitedWithCode(1), "runtime error: signed integer overflow");
  EXPECT_EXIT(sink = 1 << (11 * three), ExitedWithCode(1), "runtime error: shift exponent 33 is too large");
}
#endif

#ifdef DSPARK_SANITIZE_THREAD
TEST(ThreadSanitizerDeathTest, EndsTheProgramAtARace) {
  const auto race = [] {
    int shared = 0;
    std::thread other([&] { ++shared; });
    ++shared;
    other.join();
    sink = shared;
    std::exit(0);
  };
  EXPECT_EXIT(race(), ExitedWithCode(66), "ThreadSanitizer: data race");
}
#endif

}  // namespace
}  // namespace dspark
