#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/virtual_time.h"

namespace dspark {

/// What can happen. The order is the priority at equal times: what frees comes first, what arrives next, and
/// a step starts last, so that all that is due at an instant is in it.
enum class EventKind : std::uint8_t {
  kStepEnd,      // a: replica
  kPrefillDone,  // a: replica, b: request
  kArrival,      // a: index of the arrival
  kStepStart,    // a: replica
};

struct Event {
  VirtualTime time = 0;
  EventKind kind = EventKind::kStepEnd;
  std::uint64_t sequence = 0;
  std::int32_t a = 0;
  std::int32_t b = 0;
};

/// Pending events in the total order (time, kind, sequence number): equal times never depend on the heap.
class EventQueue {
 public:
  void push(VirtualTime time, EventKind kind, std::int32_t a, std::int32_t b = 0) {
    heap_.push_back({time, kind, next_sequence_++, a, b});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  std::optional<Event> next() {
    if (heap_.empty()) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }
  std::size_t size() const { return heap_.size(); }

 private:
  static bool later(const Event& x, const Event& y) {
    if (x.time != y.time) return x.time > y.time;
    if (x.kind != y.kind) return x.kind > y.kind;
    return x.sequence > y.sequence;
  }

  std::vector<Event> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace dspark
