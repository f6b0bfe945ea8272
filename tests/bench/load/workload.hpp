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

struct ServerUnderLoad {
  std::string name;
  pid_t process = 0;
  Endpoint address;
  bool bare = false;  // tests/bench/bare_forwarder.cpp
};

// The CPU time of a process with all its threads.
class ServerClock {
 public:
  explicit ServerClock(const ServerUnderLoad& server);  // throws where there is no such process
  std::uint64_t nanoseconds() const;

 private:
  clockid_t clock_{};
};

struct Pace {
  std::size_t window = 128;       // closed loop: packets under way on all paths together
  double packets_per_second = 0;  // above 0: that rate, whatever is under way
  Clock::duration warm_up = std::chrono::milliseconds{10};
  Clock::duration measured = std::chrono::milliseconds{90};
};

class Workload {
 public:
  virtual ~Workload() = default;
  // `turn` tells the turns of a run apart.
  virtual Tally run(const Pace& pace, std::uint16_t turn) = 0;
};

}  // namespace causeway::load
