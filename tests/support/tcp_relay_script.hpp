// SPDX-License-Identifier: Apache-2.0
// A script of the TURN core with TCP relays (RFC 6062), and what its clients ask of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "turn_client.hpp"

namespace causeway::test {

using turn::ConnectionId;

struct TcpRelayScript : testing::Test {
  TurnScript script;
  TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 3478), turn::Transport::kTcp};
  std::uint16_t next_port = 50000;  // of a further connection of that client

  TcpRelayScript() { script.options.tcp_relay = true; }

  static Answer allocate(TurnClient& of, const TurnClient::Add& add = {}) {
    return of.request(Method::kAllocate, [&add](MessageBuilder& builder) {
      TurnClient::tcp(builder);
      if (add) add(builder);
    });
  }
  Answer allocate() { return allocate(client); }

  static Answer connect(TurnClient& of, const Endpoint& peer) {
    if (of.nonce.empty()) of.challenge();
    return script_request(of, Method::kConnect,
                          [&](MessageBuilder& b) { b.add_xor_address(AttributeType::kXorPeerAddress, peer); });
  }
  Answer connect(const Endpoint& peer) { return connect(client, peer); }
  // Connects and lets the peer answer.
  ConnectionId connected(const Endpoint& peer) {
    const Answer answer = connect(peer);
    return script.connect_result(answer.connect.value().connection, true).connection_id();
  }

  // A further connection of the same client.
  TurnClient stream(turn::Transport transport = turn::Transport::kTcp) {
    TurnClient other{script, at("198.51.100.7", next_port++), client.ref.five_tuple.server, transport};
    other.as(client.username, client.password);
    return other;
  }
  static Answer bind(TurnClient& over, ConnectionId id) {
    return over.request(Method::kConnectionBind, [id](MessageBuilder& b) {
      b.add_u32(AttributeType::kConnectionId, static_cast<std::uint32_t>(id));
    });
  }
  Answer bind(ConnectionId id) {
    TurnClient over = stream();
    return bind(over, id);
  }

  bool closed(ConnectionId id) const {
    const auto& all = script.tcp_ports.closed;
    return std::find(all.begin(), all.end(), id) != all.end();
  }
  std::size_t connections() { return script.server().connections().size(); }

 private:
  // Without the check of a reply: there is none yet.
  static Answer script_request(TurnClient& of, Method method, const TurnClient::Add& add) {
    const Answer answer = of.script.from_client(of.ref, of.build(method, MessageClass::kRequest, add, true));
    if (answer.reply) of.check_reply(answer, method);
    return answer;
  }
};

}  // namespace causeway::test
