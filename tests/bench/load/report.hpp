// SPDX-License-Identifier: Apache-2.0
// What a run of turns came to, as JSON on standard output.
#pragma once

#include <string>
#include <vector>

#include "load/turn.hpp"

namespace causeway::load {

struct ServerReport {
  std::string name;
  std::vector<Tally> turns;
};

void print_report(const std::vector<ServerReport>& servers);

}  // namespace causeway::load
