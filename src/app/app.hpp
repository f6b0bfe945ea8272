// SPDX-License-Identifier: Apache-2.0
// The daemon: the one place where the parts are made and handed to each other.
#pragma once

#include <functional>

#include "causeway/base/result.hpp"
#include "config/config.hpp"
#include "config/finding.hpp"

namespace causeway::app {

// The configuration from where it came at the start, as it is now.
using ReadAgain = std::function<Result<config::Config, config::Findings>()>;

// Serves until SIGINT or SIGTERM, or after SIGUSR1 until there are no allocations; SIGHUP applies what `read_again`
// says as far as a running daemon can. Says on standard output what to open. Returns the exit code of the process.
// Throws std::runtime_error with a sentence when it cannot start.
int run(config::Config config, ReadAgain read_again);

}  // namespace causeway::app
