// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/nat_discovery.hpp"

namespace causeway::turn {

std::optional<NatDiscovery::Answer> NatDiscovery::answer(const Endpoint& asked, stun::ChangeRequest change) const {
  if (asked.port != options_.port && asked.port != options_.alternate_port) return std::nullopt;
  const std::uint16_t other_port = asked.port == options_.port ? options_.alternate_port : options_.port;
  for (const auto& pair : options_.pairs) {
    for (std::size_t i = 0; i < pair.size(); ++i) {
      if (pair[i].local != asked.address) continue;
      // RFC 5780 §6.1, table 1; OTHER-ADDRESS is the last row of it, whatever was asked for.
      const auto& other = pair[1 - i];
      const auto& from = change.address ? other : pair[i];
      const std::uint16_t port = change.port ? other_port : asked.port;
      return Answer{{from.local, port}, {from.advertised, port}, {other.advertised, other_port}};
    }
  }
  return std::nullopt;
}

}  // namespace causeway::turn
