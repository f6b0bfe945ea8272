// SPDX-License-Identifier: Apache-2.0
// TCP relays (RFC 6062): what the core asks of the edge. A relayed transport address is a listening socket then, and
// each connection between it and a peer is known by the value of its CONNECTION-ID.
#pragma once

#include <cstdint>

#include "causeway/turn/relay_ports.hpp"

namespace causeway::turn {

// RFC 6062 §6.2.1. Random and in use once at most; a late report about a connection that has ended finds nothing.
enum class ConnectionId : std::uint32_t {};

class TcpRelayPorts : public RelayPorts {
 public:
  // RelayPorts::open() listens. Connections to peers are made from the very same address and port (§5.2).

  // Ends a connection at once: an attempt under way, the peer's, and the client's with it when they are joined. An
  // attempt is still reported to Server::on_connect_result(). Nothing happens for a connection that has ended already.
  virtual void close_connection(ConnectionId id) noexcept = 0;
};

}  // namespace causeway::turn
