// SPDX-License-Identifier: Apache-2.0
// Virtual time: a heap of what is to happen when. Time jumps from one event to the next; events of the same moment
// happen in the order in which they were announced.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "causeway/base/time.hpp"

namespace causeway::simulation {

class EventQueue {
 public:
  using Action = std::function<void()>;

  TimePoint time() const noexcept { return time_; }
  Now now() const noexcept { return {time_, kWallStart + std::chrono::floor<std::chrono::seconds>(time_ - kStart)}; }
  std::uint64_t events() const noexcept { return happened_; }

  void at(TimePoint time, Action action) {
    heap_.push_back({std::max(time, time_), announced_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), is_later);
  }
  void after(Duration delay, Action action) { at(time_ + delay, std::move(action)); }

  // Lets everything happen that is due until then, and what that brings about.
  void run_until(TimePoint end) {
    while (!heap_.empty() && heap_.front().time <= end) {
      std::pop_heap(heap_.begin(), heap_.end(), is_later);
      const Event event = std::move(heap_.back());
      heap_.pop_back();
      time_ = event.time;
      ++happened_;
      event.action();
    }
    time_ = end;
  }

 private:
  struct Event {
    TimePoint time;
    std::uint64_t order = 0;
    Action action;
  };
  static bool is_later(const Event& a, const Event& b) noexcept {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
  static constexpr TimePoint kStart{std::chrono::seconds{1000}};
  static constexpr WallTime kWallStart{std::chrono::seconds{1'800'000'000}};

  TimePoint time_ = kStart;
  std::uint64_t announced_ = 0;
  std::uint64_t happened_ = 0;
  std::vector<Event> heap_;
};

}  // namespace causeway::simulation
