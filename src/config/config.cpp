// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"

#include <array>

namespace causeway::config {

const char* name_of(Transport transport) noexcept {
  switch (transport) {
    case Transport::kUdp:
      return "udp";
    case Transport::kTcp:
      return "tcp";
    case Transport::kTls:
      return "tls";
    case Transport::kDtls:
      return "dtls";
  }
  return "";
}

std::vector<Listener> default_listeners(const IpAddress& address, const DefaultPorts& ports) {
  return {
      {Transport::kUdp, address, ports.turn, true, false},     {Transport::kTcp, address, ports.turn, true, false},
      {Transport::kTls, address, ports.turn_tls, true, false}, {Transport::kDtls, address, ports.turn_tls, true, false},
      {Transport::kTcp, address, ports.web, true, true},       {Transport::kTls, address, ports.web_tls, true, true},
  };
}

std::vector<Endpoint> NatDiscovery::endpoints() const {
  std::vector<Endpoint> all;
  for (const IpAddress& address : addresses) {
    all.push_back({address, port});
    all.push_back({address, alternate_port});
  }
  return all;
}

Config::Config() {
  const IpAddress any_v6{std::array<std::uint8_t, 16>{}};
  listeners = default_listeners(any_v6, {});
  turn.relay.addresses = {IpAddress{}, any_v6};
}

}  // namespace causeway::config
