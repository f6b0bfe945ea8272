// SPDX-License-Identifier: Apache-2.0
// The environment as a value, and the keys that it sets: CAUSEWAY_TURN__RELAY__PORT_MIN=50000 is turn.relay.port_min.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/document.hpp"
#include "config/finding.hpp"

namespace causeway::config {

using Environment = std::map<std::string, std::string, std::less<>>;

Environment process_environment();

// Sets in `document` what the variables that begin with CAUSEWAY_ say: JSON, or else a plain string. Reports those that
// name no key.
void apply_environment(const Environment& environment, const std::set<std::string>& known_keys, Document& document,
                       Findings& findings);

// $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/causeway, else ~/.local/state/causeway; nullopt without $HOME too.
std::optional<std::filesystem::path> default_state_directory(const Environment& environment);

// causeway.json in $CONFIGURATION_DIRECTORY (systemd), else in /etc/causeway or /usr/local/etc/causeway. nullopt where
// there is none; one that is there but cannot be read is returned, so that it is not passed over in silence.
std::optional<std::filesystem::path> default_file(const Environment& environment);

}  // namespace causeway::config
