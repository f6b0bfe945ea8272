// SPDX-License-Identifier: Apache-2.0
// One simulated world: everything in it follows from its seed.
#pragma once

#include <cstdint>
#include <ostream>

#include "model.hpp"
#include "party.hpp"

namespace causeway::simulation {

struct WorldReport {
  double hours = 0;
  std::uint64_t events = 0;
  Model::Statistics server;
  World::Statistics parties;
};

// Throws a Violation. trace: each packet at the server; nullptr for silence.
WorldReport run_world(std::uint64_t seed, std::ostream* trace);

}  // namespace causeway::simulation
