// SPDX-License-Identifier: Apache-2.0
// The realms of the configuration, and all of TURN's configuration that may change while the daemon runs, in the
// shapes of the TURN core. Realm 0 is the first one, whose name stands at the top level.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/state_directory.hpp"
#include "causeway/turn/alternate_server.hpp"
#include "causeway/turn/limits.hpp"
#include "causeway/turn/peer_policy.hpp"
#include "causeway/turn/realm.hpp"
#include "causeway/turn/user_gate.hpp"
#include "config/config.hpp"
#include "net/realm_selector.hpp"

namespace causeway::app {

// `gate`: of the users of all realms; nullptr: everybody with a valid credential may come.
std::vector<turn::RealmOptions> turn_realms(const config::Config& config, const KeptSecrets& kept,
                                            const std::shared_ptr<const turn::UserGate>& gate);
std::vector<turn::RealmLimits> realm_limits(const config::Config& config);
turn::ServerLimits server_limits(const config::Config& config);
turn::PeerPolicyOptions peer_policy(const config::Config& config);
turn::AlternateServer alternate_server(const config::Config& config);
net::RealmSelector realm_selector(const config::Config& config);
// By which members of rooms get their credentials, one for each realm; empty: it has none, only users.
std::vector<std::string> member_secrets(const config::Config& config, const KeptSecrets& kept);

}  // namespace causeway::app
