// SPDX-License-Identifier: Apache-2.0
// The configuration and this machine's addresses in the shapes of the parts that App puts together. What of it may
// change while the daemon runs is in turn_realms.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "app/state_directory.hpp"
#include "causeway/signaling/hub.hpp"
#include "causeway/turn/server.hpp"
#include "config/config.hpp"
#include "http/forwarded.hpp"
#include "http/signaling_service.hpp"
#include "net/asio.hpp"
#include "net/stream_admission.hpp"

namespace causeway::net {
class TlsContext;
}

namespace causeway::app {

// The addresses by which other machines reach this one, the likeliest first.
std::vector<IpAddress> lan_addresses(const std::vector<IpAddress>& of_machine);

turn::RelayAddressOptions relay_addresses(const config::Config& config,
                                          const std::vector<turn::ExternalAddress>& external,
                                          const std::vector<IpAddress>& of_machine);
turn::ServerOptions turn_options(const config::Config& config, turn::RelayAddressOptions relay_addresses);
signaling::HubOptions hub_options(const config::Config& config);
http::SignalingServiceOptions signaling_options(const config::Config& config);
http::TrustedProxies trusted_proxies(const config::Web& web);

// nullptr where no listener needs one. Throws std::runtime_error.
std::shared_ptr<const net::TlsContext> tls_context(const config::Config& config, const StateDirectory& state,
                                                   spdlog::logger& logger);

// Over all stream listeners.
ConnectionLimits connection_limits(const config::Config& config);
net::StreamAdmissionOptions admission_options(const config::Config& config);

}  // namespace causeway::app
