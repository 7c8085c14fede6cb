#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <tuple>

#include "sim/random/random_key.h"

namespace dspark {
namespace {

TEST(EventQueue, GivesEventsByTimeThenKindThenOrderOfPushing) {
  EventQueue queue;
  std::vector<std::tuple<VirtualTime, EventKind, std::int32_t>> expected;
  for (std::int32_t i = 0; i < 2000; ++i) {
    const RandomWords w = draw_words({1, 1}, Stream::kArrival, 0, static_cast<std::uint32_t>(i));
    const auto time = static_cast<VirtualTime>(w[0] % 50);
    const auto kind = static_cast<EventKind>(w[1] % 4);
    queue.push(time, kind, i);
    expected.emplace_back(time, kind, i);
  }
  std::stable_sort(expected.begin(), expected.end(), [](const auto& x, const auto& y) {
    return std::tie(std::get<0>(x), std::get<1>(x)) < std::tie(std::get<0>(y), std::get<1>(y));
  });
  for (const auto& [time, kind, i] : expected) {
    const auto event = queue.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(std::tie(event->time, event->kind, event->a), std::tie(time, kind, i));
  }
  EXPECT_FALSE(queue.next());
}

TEST(EventQueue, AStepStartsAfterAllElseThatIsDueAtItsInstant) {
  EventQueue queue;
  queue.push(5, EventKind::kStepStart, 0);
  queue.push(5, EventKind::kArrival, 1);
  queue.push(5, EventKind::kPrefillDone, 2);
  queue.push(5, EventKind::kStepEnd, 3);
  for (const std::int32_t expected : {3, 2, 1, 0}) EXPECT_EQ(queue.next()->a, expected);
}

}  // namespace
}  // namespace dspark
