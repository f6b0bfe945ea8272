// SPDX-License-Identifier: Apache-2.0
// One turn of packets on all paths through a server.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "load/fleet.hpp"
#include "load/paths.hpp"
#include "load/workload.hpp"

namespace causeway::load {

// Spins instead of sleeping: a server's send never pays for waking this process up.
class Turn final : public Arrivals {
 public:
  Turn(Paths& paths, std::size_t burst, const Pace& pace, std::uint16_t number);
  // `meanwhile` is called again and again while it measures.
  Tally run(const std::function<void(Clock::time_point)>& meanwhile = {});

  void arrived(const Stamp& stamp) override;
  void wrong() override { ++tally_.wrong; }

 private:
  struct Count {
    std::uint32_t sent = 0;      // the next sequence number
    std::uint32_t expected = 0;  // the next that should arrive
  };

  void send_due(Clock::time_point now);
  bool send_burst(Clock::time_point now);  // false: the kernel did not take it
  bool receive();
  void write_off();
  void drain();

  Paths& paths_;
  std::size_t burst_;
  Pace pace_;
  std::uint16_t number_;
  std::vector<Count> counts_;  // by path
  std::size_t next_path_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint32_t now_ = 0;  // when what arrives arrives
  Clock::time_point last_arrival_, next_send_;
  bool measuring_ = false;
  Tally tally_;
};

class RelayLoad final : public Workload {
 public:
  RelayLoad(const ServerUnderLoad& server, const Plan& plan, const Account& account, std::uint8_t number)
      : fleet_(server, plan, account, number), burst_(plan.burst.packets) {}
  Tally run(const Pace& pace, std::uint16_t turn) override { return Turn{fleet_.paths(), burst_, pace, turn}.run(); }

 private:
  Fleet fleet_;
  std::size_t burst_;
};

}  // namespace causeway::load
