// SPDX-License-Identifier: Apache-2.0
// A run of turns, and what it came to, as JSON on standard output.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/tally.hpp"
#include "load/workload.hpp"

namespace causeway::load {

struct ServerReport {
  std::string name;
  std::vector<Tally> turns;
};

// What the server's process has in memory, before and after the clients were set up.
struct MemoryReport {
  std::string name;
  std::size_t clients = 0;
  std::uint64_t before_bytes = 0, after_bytes = 0;
};

// Each server's workload runs once a round.
std::vector<ServerReport> take_turns(const std::vector<ServerUnderLoad>& servers,
                                     const std::vector<std::unique_ptr<Workload>>& workloads, std::size_t rounds,
                                     const Pace& pace);

void print_turn(const Tally& turn);
void print_report(const std::vector<ServerReport>& servers);
void print_report(const std::vector<MemoryReport>& servers);

}  // namespace causeway::load
