// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/timer_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace causeway {
namespace {

struct Lease : Timer {
  int number = 0;
};

TimePoint at(int seconds) {
  return TimePoint{} + std::chrono::seconds(seconds);
}

TEST(TimerQueue, StartsEmpty) {
  TimerQueue<Lease> queue;
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.next_deadline(), std::nullopt);
  EXPECT_EQ(queue.pop_expired(TimePoint::max()), nullptr);
}

TEST(TimerQueue, ExpiresInTheOrderOfDeadlines) {
  TimerQueue<Lease> queue;
  std::array<Lease, 4> leases;
  queue.schedule(leases[0], at(30));
  queue.schedule(leases[1], at(10));
  queue.schedule(leases[2], at(20));
  queue.schedule(leases[3], at(10));
  EXPECT_EQ(queue.next_deadline(), at(10));
  EXPECT_EQ(queue.pop_expired(at(9)), nullptr);
  EXPECT_EQ(queue.pop_expired(at(20))->deadline(), at(10));
  EXPECT_EQ(queue.pop_expired(at(20))->deadline(), at(10));
  EXPECT_EQ(queue.pop_expired(at(20)), &leases[2]);
  EXPECT_FALSE(leases[2].scheduled());
  EXPECT_EQ(queue.pop_expired(at(20)), nullptr);
  EXPECT_TRUE(leases[0].scheduled());
  EXPECT_EQ(queue.next_deadline(), at(30));
  queue.cancel(leases[0]);
}

TEST(TimerQueue, MovesADeadlineBothWays) {
  TimerQueue<Lease> queue;
  std::array<Lease, 2> leases;
  queue.schedule(leases[0], at(10));
  queue.schedule(leases[1], at(20));
  queue.schedule(leases[0], at(30));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.next_deadline(), at(20));
  queue.schedule(leases[0], at(5));
  EXPECT_EQ(queue.pop_expired(at(100)), &leases[0]);
  EXPECT_EQ(queue.pop_expired(at(100)), &leases[1]);
}

TEST(TimerQueue, CancellingTwiceIsNothing) {
  TimerQueue<Lease> queue;
  Lease lease;
  queue.cancel(lease);
  queue.schedule(lease, at(1));
  queue.cancel(lease);
  queue.cancel(lease);
  EXPECT_FALSE(lease.scheduled());
  EXPECT_EQ(queue.size(), 0u);
}

// Random operations against a map of what should be scheduled.
TEST(TimerQueue, AgreesWithASimpleModel) {
  std::mt19937 random{8656};
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  std::array<Lease, 64> leases;
  for (int i = 0; i < 64; ++i)
    leases[static_cast<std::size_t>(i)].number = i;
  TimerQueue<Lease> queue;
  queue.reserve(leases.size());
  std::map<int, TimePoint> model;
  const auto earliest = [&] {
    std::optional<TimePoint> deadline;
    for (const auto& [number, when] : model) {
      if (!deadline || when < *deadline) deadline = when;
    }
    return deadline;
  };

  int now = 0;
  for (int step = 0; step < 20000; ++step) {
    Lease& lease = leases[static_cast<std::size_t>(below(64))];
    switch (below(4)) {
      case 0:
      case 1:
        model[lease.number] = at(now + below(50));
        queue.schedule(lease, model[lease.number]);
        break;
      case 2:
        model.erase(lease.number);
        queue.cancel(lease);
        break;
      default:
        now += below(5);
        while (const Lease* expired = queue.pop_expired(at(now))) {
          ASSERT_LE(expired->deadline(), at(now));
          ASSERT_EQ(expired->deadline(), earliest());
          ASSERT_EQ(model.erase(expired->number), 1u);
        }
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.next_deadline(), earliest());
    ASSERT_EQ(lease.scheduled(), model.contains(lease.number));
  }
}

}  // namespace
}  // namespace causeway
