// SPDX-License-Identifier: Apache-2.0
// TCP relays (RFC 6062) as sockets: a listener on each relayed transport address, and the connections with peers, which
// wait unread, in the kernel's bounded buffers, until a client's stream is joined to them.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "causeway/turn/outcome.hpp"
#include "causeway/turn/tcp_relay.hpp"
#include "net/asio.hpp"
#include "net/splice.hpp"
#include "net/stream.hpp"

namespace causeway::net {

class TcpRelays final : public turn::TcpRelayPorts {
 public:
  class Owner {
   public:
    // nullopt: close it.
    virtual std::optional<turn::ConnectionId> on_peer_connection(turn::RelayId relay, const Endpoint& from) = 0;
    // Once for each connect(), never from within it. False: the connection is not wanted any more.
    virtual bool on_connect_result(turn::ConnectionId id, bool established) = 0;

   protected:
    ~Owner() = default;
  };

  // `owner` outlives the relays, which outlive every run of the loop.
  TcpRelays(const asio::any_io_executor& executor, Owner& owner) noexcept : executor_(executor), owner_(owner) {}

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override;
  void close(turn::RelayId id) noexcept override;
  void close_connection(turn::ConnectionId id) noexcept override;

  void connect(const turn::Connect& wanted);
  // Joins the client's stream to the peer's connection until both have ended; at once when there is none any more.
  asio::awaitable<void> splice(turn::ConnectionId id, Stream& client, std::vector<std::uint8_t> first_bytes,
                               Splice::Observer observer);

  std::uint64_t accept_errors() const noexcept { return accept_errors_; }  // out of descriptors or memory

 private:
  struct Listener {
    turn::RelayId id;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };
  struct Connection {
    explicit Connection(tcp::socket of) : socket(std::move(of)) {}
    tcp::socket socket;
    Splice* splice = nullptr;  // which has the socket then
  };

  Listener* find(turn::RelayId id) noexcept;
  void accept(turn::RelayId id);
  void on_accepted(turn::RelayId id, tcp::socket socket);
  void finish_connect(turn::ConnectionId id, bool established);

  asio::any_io_executor executor_;
  Owner& owner_;
  std::unordered_map<std::uint32_t, Listener> listeners_;  // by the slot of their id
  std::unordered_map<turn::ConnectionId, Connection> connections_;
  std::uint64_t accept_errors_ = 0;
};

}  // namespace causeway::net
