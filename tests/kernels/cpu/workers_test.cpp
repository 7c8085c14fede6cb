#include "kernels/cpu/workers.h"

#include <gmock/gmock.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

namespace dspark {
namespace {

using testing::Each;

/// Counts how often each item comes, and that no two parts run under one worker's number at a time.
class Record {
 public:
  Record(std::size_t items, int threads)
      : times_(items), busy_(static_cast<std::size_t>(threads)), items_of_(busy_.size()) {}

  void take(std::size_t first, std::size_t end, std::size_t worker) {
    clashes_ += busy_.at(worker).exchange(true);
    for (std::size_t item = first; item < end; ++item) ++times_.at(item);
    items_of_[worker] += end - first;
    busy_[worker] = false;
  }

  const std::vector<int>& times() const { return times_; }
  int clashes() const { return clashes_; }
  /// That all workers did together: not atomic, one writer each.
  std::size_t items() const { return std::accumulate(items_of_.begin(), items_of_.end(), std::size_t{0}); }

 private:
  std::vector<int> times_;
  std::vector<std::atomic<bool>> busy_;
  std::vector<std::size_t> items_of_;
  std::atomic<int> clashes_{0};
};

class WorkersOf : public testing::TestWithParam<int> {};

TEST_P(WorkersOf, DoEachItemOnceInManyJobsOfAllSizes) {
  Workers workers(GetParam());
  for (std::size_t job = 0; job < 3000; ++job) {
    const std::size_t items = job % 41;
    Record record(items, GetParam());
    workers.split(items, 1 + job % 5, [&](std::size_t first, std::size_t end, std::size_t worker) {
      record.take(first, end, worker);
    });
    ASSERT_THAT(record.times(), Each(1)) << job;
    ASSERT_EQ(record.clashes(), 0);
    ASSERT_EQ(record.items(), items);
  }
}

TEST_P(WorkersOf, HandOutItemsOneByOne) {
  Workers workers(GetParam());
  for (std::size_t items = 0; items < 300; ++items) {
    Record record(items, GetParam());
    workers.each(items, [&](std::size_t item, std::size_t worker) { record.take(item, item + 1, worker); });
    ASSERT_THAT(record.times(), Each(1)) << items;
    ASSERT_EQ(record.clashes(), 0);
  }
}

TEST_P(WorkersOf, SeeWhatTheCallerWroteAndItSeesTheirs) {
  Workers workers(GetParam());
  std::vector<std::size_t> numbers(64, 0);
  for (std::size_t job = 1; job <= 2000; ++job) {
    workers.each(numbers.size(), [&](std::size_t item, std::size_t) {
      numbers[item] = numbers[item] + 1;  // whoever had it last
    });
    ASSERT_THAT(numbers, Each(job));
  }
}

TEST_P(WorkersOf, AreMadeAndLeftWithoutAWait) {
  for (int i = 0; i < 200; ++i) {
    Workers idle(GetParam());
    Workers workers(GetParam());
    std::atomic<int> done{0};
    workers.each(7, [&](std::size_t, std::size_t) { ++done; });
    ASSERT_EQ(done, 7);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, WorkersOf, testing::Values(1, 2, 3, 8));

TEST(Workers, OfSeveralThreadsAreApart) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      Workers workers(2);
      for (std::size_t job = 0; job < 500; ++job) {
        Record record(16, 2);
        workers.each(16, [&](std::size_t item, std::size_t worker) { record.take(item, item + 1, worker); });
        wrong += record.times() == std::vector<int>(16, 1) ? 0 : 1;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace dspark
