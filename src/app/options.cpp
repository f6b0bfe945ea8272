// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "app/turn_realms.hpp"
#include "net/interfaces.hpp"
#include "net/system_clock.hpp"
#include "net/tls_context.hpp"

namespace causeway::app {
namespace {

using config::Config;
using config::Listener;

// Connections that are neither a member's WebSocket nor a TURN client's: pages being loaded, handshakes.
constexpr std::size_t kOtherConnectionsMax = 1024;

// Whoever enters a full room sends an offer and a dozen candidates to each of the others at once.
constexpr std::chrono::seconds kMessageBurst{5};

turn::NatDiscoveryOptions nat_discovery_options(const config::NatDiscovery& config) {
  turn::NatDiscoveryOptions options;
  options.port = config.port;
  options.alternate_port = config.alternate_port;
  for (const auto family : {AddressFamily::kIPv4, AddressFamily::kIPv6}) {
    std::vector<turn::NatDiscoveryOptions::Address> addresses;
    for (std::size_t i = 0; i < config.addresses.size(); ++i) {
      const IpAddress& local = config.addresses[i];
      if (local.family() != family) continue;
      addresses.push_back({local, config.external_addresses.empty() ? local : config.external_addresses[i]});
    }
    if (addresses.size() == 2) options.pairs.push_back({addresses[0], addresses[1]});
  }
  return options;
}

// Where clients are told to go leads here, whatever stands between.
std::vector<IpAddress> leading_here(const Config& config) {
  std::vector<IpAddress> found = config.turn.nat_discovery.external_addresses;
  for (const Listener& listener : config.listeners) {
    if (!listener.address.is_unspecified()) found.push_back(listener.address);
  }
  if (const auto host = config.turn.public_host ? IpAddress::parse(*config.turn.public_host) : std::nullopt)
    found.push_back(*host);
  return found;
}

}  // namespace

std::vector<IpAddress> lan_addresses(const std::vector<IpAddress>& of_machine) {
  std::vector<IpAddress> addresses = net::default_route_sources();
  for (const IpAddress& address : of_machine) {
    if (address.is_v4() && !address.is_loopback()) addresses.push_back(address);
  }
  return addresses;
}

turn::RelayAddressOptions relay_addresses(const Config& config, const std::vector<turn::ExternalAddress>& external,
                                          const std::vector<IpAddress>& of_machine) {
  return {config.turn.relay.addresses, net::default_route_sources(), external, of_machine, leading_here(config)};
}

turn::ServerOptions turn_options(const Config& config, turn::RelayAddressOptions relay_addresses) {
  turn::ServerOptions options;
  options.limits = server_limits(config);
  options.tcp_relay = config.turn.tcp_relay;
  options.relay_port_min = config.turn.relay.port_min;
  options.relay_port_max = config.turn.relay.port_max;
  options.peers = peer_policy(config);
  options.alternate = alternate_server(config);
  options.relay_addresses = std::move(relay_addresses);
  options.mobility = config.turn.mobility;
  options.nat_discovery = nat_discovery_options(config.turn.nat_discovery);
  return options;
}

signaling::HubOptions hub_options(const Config& config) {
  signaling::HubOptions options;
  options.sessions_max = config.signaling.sessions_max;
  options.sessions_per_address = config.signaling.sessions_per_address;
  options.limits_loopback = !config.web.trusted_proxies.empty();
  options.rooms_max = config.signaling.rooms_max;
  options.room_members_max = config.signaling.room_members_max;
  options.message_bytes_max = config.signaling.message_bytes_max;
  options.waiting_room = config.signaling.waiting_room;
  options.resume_grace = config.signaling.resume_grace_seconds;
  options.away_max = config.signaling.sessions_max;
  return options;
}

http::SignalingServiceOptions signaling_options(const Config& config) {
  http::SignalingServiceOptions options;
  options.origins = config.signaling.origins;
  options.message_bytes_max = config.signaling.message_bytes_max;
  options.rates = {{config.signaling.messages_per_second, kMessageBurst},
                   {config.signaling.bytes_per_second, kMessageBurst}};
  options.outbound_bytes_max = config.signaling.queue_bytes_max;
  return options;
}

http::TrustedProxies trusted_proxies(const config::Web& web) {
  const bool standard = web.forwarded_header == config::ForwardedHeader::kForwarded;
  return {web.trusted_proxies, standard ? http::ForwardedHeader::kForwarded : http::ForwardedHeader::kXForwardedFor};
}

std::shared_ptr<const net::TlsContext> tls_context(const Config& config, const StateDirectory& state,
                                                   spdlog::logger& logger) {
  const bool wanted = std::any_of(config.listeners.begin(), config.listeners.end(),
                                  [](const Listener& listener) { return needs_certificate(listener.transport); });
  if (!wanted) return nullptr;
  if (config.tls.certificate && config.tls.private_key) {
    auto context = std::make_shared<net::TlsContext>(*config.tls.certificate, *config.tls.private_key);
    // It may be renewed in a minute: no reason to keep plain TURN from starting.
    if (context->not_after() <= read_clock().wall) {
      logger.error("{} has expired: clients will refuse TLS until it is renewed and the daemon reloaded",
                   config.tls.certificate->string());
    }
    return context;
  }
  const CertificateFiles files = state.self_signed_certificate(read_clock().wall);
  if (!files.renewal_problem.empty()) {
    logger.warn("{} ends within 30 days and cannot be renewed: {}", files.certificate.string(), files.renewal_problem);
  }
  return std::make_shared<net::TlsContext>(files.certificate, files.private_key);
}

ConnectionLimits connection_limits(const Config& config) {
  const std::size_t of_tcp_relays = config.turn.tcp_relay ? config.turn.limits.connections_total : 0;
  const auto& relay = config.turn.relay;
  const std::size_t relay_ports = std::size_t{relay.port_max} - relay.port_min + 1;
  const std::size_t allocations_max =
      config.turn.limits.allocations_total == 0 ? relay_ports : config.turn.limits.allocations_total;
  const std::size_t authenticated_max = config.signaling.sessions_max + allocations_max + of_tcp_relays;
  return {.connections_max = authenticated_max + kOtherConnectionsMax,
          .unauthenticated_per_source = config.limits.unauthenticated_connections_per_address};
}

net::StreamAdmissionOptions admission_options(const Config& config) {
  return {.connections = connection_limits(config), .trusted_proxies = config.web.trusted_proxies};
}

}  // namespace causeway::app
