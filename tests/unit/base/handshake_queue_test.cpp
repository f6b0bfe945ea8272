// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/handshake_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "addresses.hpp"

namespace causeway {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ip;
using Priority = HandshakeQueue::Priority;
using Ticket = HandshakeQueue::Ticket;

class HandshakeQueueTest : public testing::Test {
 protected:
  static constexpr HandshakeQueueOptions kOptions{
      .share_percent = 25, .over_rate_share_percent = 10, .per_second = 1, .burst = seconds{5}, .waiting_max = 100};

  HandshakeQueue queue_{kOptions, 1};
  TimePoint now_{seconds{1000}};

  Ticket begin(const std::string& source) { return queue_.begin(ip(source), now_).value(); }
  // Takes each step that is due within `time`, `step` long; returns the tickets in their order.
  std::vector<Ticket> run(Duration time, Duration step) {
    std::vector<Ticket> turns;
    const TimePoint end = now_ + time;
    while (const auto at = queue_.next_turn()) {
      if (*at >= end) break;
      now_ = std::max(now_, *at);
      turns.push_back(queue_.next(now_).value());
      now_ += step;
      queue_.on_step(turns.back(), step, now_);
    }
    now_ = end;
    return turns;
  }
};

TEST_F(HandshakeQueueTest, a_handshake_on_an_idle_loop_goes_on_at_once) {
  EXPECT_FALSE(queue_.next_turn());
  EXPECT_FALSE(queue_.next(now_));
  const Ticket ticket = begin("192.0.2.1");
  EXPECT_EQ(ticket.priority, Priority::kOtherSource);
  EXPECT_EQ(queue_.next(now_), ticket);
  EXPECT_FALSE(queue_.next_turn());
}

TEST_F(HandshakeQueueTest, all_steps_together_take_their_share_one_at_a_time) {
  for (int i = 0; i < 100; ++i)
    begin("192.0.2." + std::to_string(i));
  queue_.on_step(*queue_.next(now_), milliseconds{1}, now_ + milliseconds{1});
  EXPECT_FALSE(queue_.next(now_ + milliseconds{1}));
  EXPECT_FALSE(queue_.next(now_ + milliseconds{4} - microseconds{1}));
  EXPECT_EQ(queue_.next_turn(), now_ + milliseconds{4});
  now_ += milliseconds{4};
  EXPECT_EQ(run(milliseconds{100}, milliseconds{1}).size(), 25U);
  EXPECT_EQ(queue_.counters().busy, milliseconds{26});
}

TEST_F(HandshakeQueueTest, whoever_comes_first_is_first) {
  const std::vector<Ticket> expected{begin("192.0.2.1"), begin("192.0.2.2"), begin("192.0.2.3")};
  EXPECT_EQ(run(seconds{1}, milliseconds{1}), expected);
}

TEST_F(HandshakeQueueTest, handshakes_go_on_before_others_begin_and_known_sources_come_first) {
  queue_.on_authenticated(ip("192.0.2.2"), now_);
  const Ticket other = begin("192.0.2.1");
  const Ticket known = begin("192.0.2.2");
  const Ticket goes_on = queue_.go_on();
  EXPECT_EQ(known.priority, Priority::kKnownSource);
  EXPECT_EQ(run(seconds{1}, milliseconds{1}), (std::vector<Ticket>{goes_on, known, other}));
}

TEST_F(HandshakeQueueTest, a_source_over_its_rate_waits_behind_all_others_and_gets_a_smaller_share) {
  queue_.on_authenticated(ip("192.0.2.1"), now_);
  for (int i = 0; i < 55; ++i)
    begin("192.0.2.1");
  EXPECT_EQ(queue_.counters().over_rate, 50U);
  const Ticket other = begin("192.0.2.2");
  const auto turns = run(milliseconds{124}, milliseconds{1});
  ASSERT_EQ(turns.size(), 16U) << "six times 4 ms, ten times 10 ms";
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(turns[i].priority, Priority::kKnownSource);
  EXPECT_EQ(turns[5], other);
  EXPECT_EQ(turns[6].priority, Priority::kOverRate);
  begin("192.0.2.3");
  EXPECT_EQ(run(milliseconds{4}, milliseconds{1}).front().priority, Priority::kOtherSource)
      << "does not wait for the share of the others";
}

TEST_F(HandshakeQueueTest, a_source_is_within_its_rate_again_after_a_while) {
  for (int i = 0; i < 6; ++i)
    begin("192.0.2.1");
  now_ += seconds{1};
  EXPECT_EQ(begin("192.0.2.1").priority, Priority::kOtherSource);
  EXPECT_EQ(begin("192.0.2.1").priority, Priority::kOverRate);
}

TEST_F(HandshakeQueueTest, no_rate_applies_to_this_machine_and_to_proxies) {
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(queue_.begin_trusted().value().priority, Priority::kKnownSource);
  EXPECT_EQ(queue_.counters().begun, 20U);
  EXPECT_EQ(queue_.counters().over_rate, 0U);
}

TEST_F(HandshakeQueueTest, the_queue_is_bounded_and_a_flood_of_one_source_does_not_fill_that_of_others) {
  for (int i = 0; i < 105; ++i)
    begin("192.0.2.1");
  EXPECT_FALSE(queue_.begin(ip("192.0.2.1"), now_));
  EXPECT_EQ(queue_.counters().refused, 1U);
  EXPECT_EQ(queue_.waiting(), 105U);
  EXPECT_TRUE(queue_.begin(ip("192.0.2.2"), now_));
}

TEST_F(HandshakeQueueTest, whoever_leaves_is_passed_over) {
  const Ticket gone = begin("192.0.2.1");
  const Ticket next = begin("192.0.2.2");
  queue_.leave(gone);
  queue_.leave(gone);
  EXPECT_EQ(queue_.next(now_), next);
  EXPECT_EQ(queue_.waiting(), 0U);
}

// 200 people behind one address, each with eight connections over TLS, at 0.8 ms for each handshake.
TEST(HandshakeQueueDefaultsTest, two_hundred_people_behind_one_source_are_within_their_rate) {
  HandshakeQueue queue{{}, 1};
  const TimePoint now{seconds{1000}};
  for (int i = 0; i < 200 * 8; ++i)
    EXPECT_EQ(queue.begin(ip("192.0.2.1"), now)->priority, Priority::kOtherSource);
  EXPECT_EQ(queue.counters().over_rate, 0U);
}

}  // namespace
}  // namespace causeway
