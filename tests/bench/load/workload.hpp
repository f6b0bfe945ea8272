// SPDX-License-Identifier: Apache-2.0
// A kind of load that is set up with one server and runs in turns.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "causeway/base/endpoint.hpp"
#include "load/tally.hpp"

namespace causeway::load {

using Clock = std::chrono::steady_clock;
std::uint64_t nanoseconds(Clock::duration duration) noexcept;

struct ServerUnderLoad {
  std::string name;
  pid_t process = 0;
  Endpoint address;
  std::string kind{};  // what it speaks where that is not what most do
};

// The CPU time of a process with all its threads.
class ServerClock {
 public:
  explicit ServerClock(const ServerUnderLoad& server);  // throws where there is no such process
  std::uint64_t nanoseconds() const;

 private:
  clockid_t clock_{};
};

// What the process has in memory, in octets. Exact, other than /proc/PID/statm.
std::uint64_t resident_bytes(const ServerUnderLoad& server);

struct Pace {
  std::size_t window = 128;       // closed loop: packets under way on all paths together
  double packets_per_second = 0;  // above 0: that rate, whatever is under way
  Clock::duration warm_up = std::chrono::milliseconds{10};
  Clock::duration measured = std::chrono::milliseconds{90};
};

// When a turn is warm and when it is over. On a machine that others use as well it goes on, up to eight times as long
// as asked for, until a saturated server had half of the time: a turn in which it did not get to run says nothing.
class TurnClock {
 public:
  TurnClock(const ServerClock& server, const Pace& pace, Clock::time_point start)
      : server_(server), pace_(pace), warm_at_(start + pace.warm_up) {}

  enum class Phase : std::uint8_t { kWarmUp, kMeasured, kOver };
  Phase phase(Clock::time_point now);
  // What it measured, when it is over.
  std::uint64_t cpu_nanoseconds() const noexcept { return cpu_; }
  std::uint64_t wall_nanoseconds() const noexcept { return wall_; }

 private:
  bool has_enough(Clock::time_point now);

  const ServerClock& server_;
  Pace pace_;
  Clock::time_point warm_at_, begun_at_, look_at_;  // look_at_: when the server's clock is read next
  Phase phase_ = Phase::kWarmUp;
  std::uint64_t cpu_at_begin_ = 0, cpu_ = 0, wall_ = 0;
};

class Workload {
 public:
  virtual ~Workload() = default;
  // `turn` tells the turns of a run apart.
  virtual Tally run(const Pace& pace, std::uint16_t turn) = 0;
};

}  // namespace causeway::load
