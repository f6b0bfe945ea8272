// SPDX-License-Identifier: Apache-2.0
// Executes what the command line asks for.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.hpp"

namespace causeway::app {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;    // the machine does not let it: a port, a file, the network; a failed probe
inline constexpr int kExitBadConfig = 2;  // the configuration or the command line is wrong

// `arguments` without the program's name. Never throws; what went wrong is one sentence a line on `err`.
int execute(std::vector<std::string> arguments, const config::Environment& environment, std::ostream& out,
            std::ostream& err);

// "causeway 1.2.3".
std::string version_text();

// "90" (seconds), "30m", "12h", "7d": from one second to ten years.
std::optional<std::chrono::seconds> parse_lifetime(std::string_view text);

}  // namespace causeway::app
