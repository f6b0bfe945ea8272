// SPDX-License-Identifier: Apache-2.0
// The daemon: the one place where the parts are made and handed to each other.
#pragma once

#include <iosfwd>

#include "config/config.hpp"

namespace causeway::app {

// Serves until SIGINT or SIGTERM; says on `out` what to open. Returns the exit code of the process. Throws
// std::runtime_error with a sentence when it cannot start.
int run(const config::Config& config, std::ostream& out);

}  // namespace causeway::app
