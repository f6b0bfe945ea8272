// SPDX-License-Identifier: Apache-2.0
// One queue of deadlines for many owners: a binary heap of pointers, each owner knowing its own place in it.
// next_deadline() is O(1), schedule() and cancel() are O(log n), nothing is allocated once the heap has grown.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "causeway/base/time.hpp"

namespace causeway {

// Base of whatever can be scheduled. The owner cancels it before it dies or moves.
class Timer {
 public:
  bool scheduled() const noexcept { return position_ != kNowhere; }
  TimePoint deadline() const noexcept { return deadline_; }

 private:
  template <class T>
  friend class TimerQueue;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  TimePoint deadline_{};
  std::size_t position_ = kNowhere;
};

template <class T>  // T derives from Timer
class TimerQueue {
 public:
  void reserve(std::size_t timers) { heap_.reserve(timers); }
  std::size_t size() const noexcept { return heap_.size(); }

  std::optional<TimePoint> next_deadline() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return timer(0).deadline_;
  }

  // Schedules anew or moves one that is scheduled already.
  void schedule(T& owner, TimePoint deadline) {
    Timer& entry = owner;
    entry.deadline_ = deadline;
    if (!entry.scheduled()) {
      heap_.push_back(&owner);
      entry.position_ = heap_.size() - 1;
    }
    sift_down(sift_up(entry.position_));
  }

  void cancel(T& owner) noexcept {
    Timer& entry = owner;
    if (!entry.scheduled()) return;
    const std::size_t hole = std::exchange(entry.position_, Timer::kNowhere);
    T* last = heap_.back();
    heap_.pop_back();
    if (last == &owner) return;
    place(hole, last);
    sift_down(sift_up(hole));
  }

  // The earliest owner whose deadline is not after `now`, taken out of the queue; nullptr when there is none.
  T* pop_expired(TimePoint now) noexcept {
    if (heap_.empty() || timer(0).deadline_ > now) return nullptr;
    T* owner = heap_.front();
    cancel(*owner);
    return owner;
  }

 private:
  Timer& timer(std::size_t position) const noexcept { return *heap_[position]; }

  void place(std::size_t position, T* owner) noexcept {
    heap_[position] = owner;
    timer(position).position_ = position;
  }

  std::size_t sift_up(std::size_t position) noexcept {
    T* moving = heap_[position];
    while (position > 0) {
      const std::size_t parent = (position - 1) / 2;
      if (timer(parent).deadline_ <= static_cast<Timer&>(*moving).deadline_) break;
      place(position, heap_[parent]);
      position = parent;
    }
    place(position, moving);
    return position;
  }

  void sift_down(std::size_t position) noexcept {
    T* moving = heap_[position];
    for (;;) {
      std::size_t child = 2 * position + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && timer(child + 1).deadline_ < timer(child).deadline_) ++child;
      if (static_cast<Timer&>(*moving).deadline_ <= timer(child).deadline_) break;
      place(position, heap_[child]);
      position = child;
    }
    place(position, moving);
  }

  std::vector<T*> heap_;
};

}  // namespace causeway
