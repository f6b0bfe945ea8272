// SPDX-License-Identifier: Apache-2.0
// Many idle members lose their connections at the same moment and come back within some seconds, while others talk.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "load/tally.hpp"
#include "signaling/rooms.hpp"

namespace causeway::load {

struct StormPlan {
  std::size_t members = 10'000;
  Clock::duration spread = std::chrono::seconds{8};  // their returns begin evenly spread over it
  Clock::duration measured = std::chrono::seconds{10};
  double packets_per_second = 1000;  // of those who talk
};

struct StormReport {
  std::string name;
  std::size_t members = 0, resumed = 0, joined_anew = 0, failed = 0;
  std::map<std::string, std::size_t> reasons;  // of those that failed
  LatencyHistogram return_time;                // from connecting to `joined`
  std::uint64_t last_back_nanoseconds = 0;     // since all connections went
  Tally before, during;                        // of those who talk
};

StormReport run_storm(Rooms& rooms, const std::string& name, const StormPlan& plan);
void print_report(const std::vector<StormReport>& servers);

}  // namespace causeway::load
