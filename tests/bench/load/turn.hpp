// SPDX-License-Identifier: Apache-2.0
// One turn of load on one server, and what came of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "load/fleet.hpp"

namespace causeway::load {

using Clock = std::chrono::steady_clock;

struct Pace {
  std::size_t window = 128;       // closed loop: packets under way on all paths together
  double packets_per_second = 0;  // above 0: that rate, whatever is under way
  Clock::duration warm_up = std::chrono::milliseconds{10};
  Clock::duration measured = std::chrono::milliseconds{90};
};

// Counts in steps of about 3 %, from 64 ns to four seconds.
class LatencyHistogram {
 public:
  void add(std::uint32_t nanoseconds) noexcept;
  std::uint32_t percentile(double share) const noexcept;  // 0 when there is none

 private:
  static constexpr std::size_t kSteps = 32;  // from one power of two to the next
  std::array<std::uint32_t, 27 * kSteps> counts_{};
  std::uint64_t total_ = 0;
};

struct Tally {
  std::uint64_t sent = 0, refused = 0, delivered = 0, lost = 0, late = 0, wrong = 0;
  std::uint64_t cpu_nanoseconds = 0, wall_nanoseconds = 0;
  LatencyHistogram latency;
};

// Spins instead of sleeping: a server's send never pays for waking this process up.
class Turn final : public Arrivals {
 public:
  Turn(Fleet& fleet, std::size_t burst, const Pace& pace, std::uint16_t number);
  Tally run();

  void arrived(const Stamp& stamp) override;
  void wrong() override { ++tally_.wrong; }

 private:
  struct Path {
    std::uint32_t sent = 0;      // the next sequence number
    std::uint32_t expected = 0;  // the next that should arrive
  };

  void send_due(Clock::time_point now);
  bool send_burst(Clock::time_point now);  // false: the kernel did not take it
  bool receive();
  void write_off();
  void begin_measuring(Clock::time_point now);
  void end_measuring(Clock::time_point now);
  void drain();

  Fleet& fleet_;
  std::size_t burst_;
  Pace pace_;
  std::uint16_t number_;
  std::vector<Path> paths_;
  std::size_t next_path_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint32_t now_ = 0;  // when what arrives arrives
  Clock::time_point last_arrival_, next_send_;
  bool measuring_ = false;
  Tally tally_;
};

}  // namespace causeway::load
