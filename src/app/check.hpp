// SPDX-License-Identifier: Apache-2.0
// What can be proved about a configuration before the start: folders, certificate, ports, addresses of this machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "causeway/base/time.hpp"
#include "config/config.hpp"
#include "config/finding.hpp"

namespace causeway::app {

// Warnings for what may be meant so, errors for what keeps the daemon from starting. Opens and closes every port.
config::Findings check(const config::Config& config, WallTime now);

}  // namespace causeway::app
