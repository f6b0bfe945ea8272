// SPDX-License-Identifier: Apache-2.0
#include "load/turn.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

namespace causeway::load {
namespace {

constexpr auto kSilenceMax = std::chrono::milliseconds{100};  // then what is under way counts as lost
constexpr auto kBacklogMax = std::chrono::milliseconds{5};    // of a paced sender that did not get to run

std::uint32_t low_nanoseconds(Clock::time_point time) {
  return static_cast<std::uint32_t>(nanoseconds(time.time_since_epoch()));
}

}  // namespace

Turn::Turn(Paths& paths, std::size_t burst, const Pace& pace, std::uint16_t number)
    : paths_(paths), burst_(burst), pace_(pace), number_(number), counts_(paths.size()) {}

Tally Turn::run(const std::function<void(Clock::time_point)>& meanwhile) {
  auto now = Clock::now();
  TurnClock clock{paths_.server_clock(), pace_, now};
  last_arrival_ = next_send_ = now;
  for (auto phase = clock.phase(now); phase != TurnClock::Phase::kOver; phase = clock.phase(now = Clock::now())) {
    if (phase == TurnClock::Phase::kMeasured && !measuring_) {
      measuring_ = true;
      tally_ = {};
    }
    if (measuring_ && meanwhile) meanwhile(now);
    send_due(now);
    if (receive())
      last_arrival_ = now;
    else if (now - last_arrival_ > kSilenceMax)
      write_off();
  }
  measuring_ = false;
  tally_.cpu_nanoseconds = clock.cpu_nanoseconds();
  tally_.wall_nanoseconds = clock.wall_nanoseconds();
  drain();
  return tally_;
}

void Turn::send_due(Clock::time_point now) {
  if (pace_.packets_per_second == 0) {
    while (under_way_ + burst_ <= pace_.window && send_burst(now)) {
    }
    return;
  }
  const auto interval = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>{static_cast<double>(burst_) / pace_.packets_per_second});
  if (now - next_send_ > kBacklogMax) next_send_ = now;
  for (; next_send_ <= now && send_burst(now); next_send_ += interval) {
  }
}

bool Turn::send_burst(Clock::time_point now) {
  Count& path = counts_[next_path_];
  const Stamp stamp{number_, static_cast<std::uint16_t>(next_path_), path.sent, low_nanoseconds(now)};
  Link& sender = paths_.sender(next_path_);
  next_path_ = (next_path_ + 1) % counts_.size();
  if (!sender.send(stamp, burst_)) {
    ++tally_.refused;
    return false;
  }
  path.sent += static_cast<std::uint32_t>(burst_);
  under_way_ += burst_;
  tally_.sent += burst_;
  return true;
}

bool Turn::receive() {
  std::array<epoll_event, 128> events{};
  const int count = ::epoll_wait(paths_.epoll(), events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i) {
    now_ = low_nanoseconds(Clock::now());
    static_cast<Link*>(events[static_cast<std::size_t>(i)].data.ptr)->receive(*this);
  }
  return count > 0;
}

void Turn::arrived(const Stamp& stamp) {
  if (stamp.turn != number_) return;  // of an earlier turn, and counted as lost there
  if (stamp.path >= counts_.size()) return wrong();
  Count& path = counts_[stamp.path];
  const auto ahead = static_cast<std::int32_t>(stamp.sequence - path.expected);
  if (static_cast<std::int32_t>(stamp.sequence - path.sent) >= 0) return wrong();
  if (ahead < 0) {
    ++tally_.late;  // it counted as lost when a later one came
    tally_.lost -= std::min<std::uint64_t>(tally_.lost, 1);
  } else {
    tally_.lost += static_cast<std::uint64_t>(ahead);
    under_way_ -= std::min<std::uint64_t>(under_way_, static_cast<std::uint64_t>(ahead) + 1);
    path.expected = stamp.sequence + 1;
  }
  if (!measuring_) return;
  ++tally_.delivered;
  tally_.latency.add(now_ - stamp.nanoseconds);
}

void Turn::write_off() {
  for (Count& path : counts_) {
    tally_.lost += path.sent - path.expected;
    path.expected = path.sent;
  }
  under_way_ = 0;
  last_arrival_ = Clock::now();
}

void Turn::drain() {
  auto last = Clock::now();
  while (under_way_ > 0) {
    const auto now = Clock::now();
    if (receive()) last = now;
    if (now - last > kSilenceMax) write_off();
  }
}

}  // namespace causeway::load
