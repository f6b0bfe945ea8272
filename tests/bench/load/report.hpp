// SPDX-License-Identifier: Apache-2.0
// What a run of turns came to, as JSON on standard output.
#pragma once

#include <string>
#include <vector>

#include "load/tally.hpp"

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

void print_report(const std::vector<ServerReport>& servers);
void print_report(const std::vector<MemoryReport>& servers);

}  // namespace causeway::load
