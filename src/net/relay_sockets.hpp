// SPDX-License-Identifier: Apache-2.0
// The sockets of relayed transport addresses, one each, in the DatagramLoop.
#pragma once

#include <cstdint>
#include <vector>

#include "causeway/turn/relay_ports.hpp"
#include "net/datagram_loop.hpp"
#include "net/send_batch.hpp"
#include "net/udp_socket.hpp"

namespace causeway::net {

class RelaySockets final : public turn::RelayPorts {
 public:
  // `sends` refers to sockets: it is flushed before one of them moves or is closed. Both outlive the sockets.
  RelaySockets(DatagramLoop& loop, SendBatch& sends) noexcept : loop_(loop), sends_(sends) {}

  struct Relay {
    turn::RelayId id;
    UdpSocket socket;
    std::uint32_t read_in_round = 0;  // the last time, for the one who reads
  };

  // Relays have the upper half of the loop's tokens.
  static constexpr std::uint64_t kTokenBit = std::uint64_t{1} << 63;

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override;
  void close(turn::RelayId id) noexcept override;

  // nullptr for a relay that is closed.
  Relay* find(turn::RelayId id) noexcept;
  Relay* find(std::uint64_t token) noexcept;

 private:
  DatagramLoop& loop_;
  SendBatch& sends_;
  std::vector<Relay> slots_;
};

}  // namespace causeway::net
