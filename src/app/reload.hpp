// SPDX-License-Identifier: Apache-2.0
// What of a configuration that was read again a running daemon takes over, and what only a restart can bring.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace causeway::app {

// Each stands for itself and all keys below it. Every other key needs a restart.
inline constexpr std::array<std::string_view, 14> kLiveKeys{"tls",
                                                            "limits",
                                                            "turn.users",
                                                            "turn.shared_secrets",
                                                            "turn.peers",
                                                            "turn.binding",
                                                            "turn.limits",
                                                            "turn.lifetimes",
                                                            "turn.alternate",
                                                            "signaling.tokens",
                                                            "log.level",
                                                            "realms[].shared_secrets",
                                                            "realms[].users",
                                                            "realms[].limits"};

// The keys, or sections, in which `read` differs from `running` and that need a restart.
std::vector<std::string_view> keys_that_need_a_restart(const config::Config& running, const config::Config& read);

// Takes over into `running` what is live: also of realms that are there already, by their names.
void take_over(config::Config& running, const config::Config& read);

}  // namespace causeway::app
