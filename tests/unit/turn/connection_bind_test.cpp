// SPDX-License-Identifier: Apache-2.0
// ConnectionBind (RFC 6062 §5.4) and the life of a bound connection (§5.5).
#include "tcp_relay_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct ConnectionBind : TcpRelayScript {
  const Endpoint peer = at("9.9.9.1", 80);
};

TEST_F(ConnectionBind, JoinsAStreamOfTheClientToTheConnection) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  TurnClient over = stream(Transport::kTls);
  over.with_fingerprint = true;
  const Answer answer = bind(over, id);
  EXPECT_TRUE(answer.success());
  EXPECT_EQ(answer.bound, id);
  script.pass_with_timer(599s);
  EXPECT_FALSE(closed(id)) << "no deadline any more";
}

TEST_F(ConnectionBind, OnceOnly) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  EXPECT_TRUE(bind(id).bound);
  EXPECT_EQ(bind(id).error(), 400);
}

TEST_F(ConnectionBind, NeedsAConnectionThatWaits) {
  EXPECT_EQ(bind(ConnectionId{7}).error(), 400);
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connect(peer).connect->connection;
  EXPECT_EQ(bind(id).error(), 400) << "the peer has not answered yet";
  TurnClient over = stream();
  EXPECT_EQ(over.request(Method::kConnectionBind).error(), 400);
  const auto short_id = [](MessageBuilder& b) { b.add(AttributeType::kConnectionId, Octets(2)); };
  EXPECT_EQ(over.request(Method::kConnectionBind, short_id).error(), 400);
}

TEST_F(ConnectionBind, NeedsAStream) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  TurnClient datagrams = stream(Transport::kUdp);
  EXPECT_EQ(bind(datagrams, id).error(), 400);
}

TEST_F(ConnectionBind, NeedsTheUserOfTheAllocation) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  TurnClient over = stream();
  over.as("bob", "builder");
  EXPECT_EQ(bind(over, id).error(), 441);
  EXPECT_TRUE(bind(id).bound) << "the connection still waits";
}

TEST_F(ConnectionBind, NotOverAControlConnection) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  EXPECT_EQ(bind(client, id).error(), 437);
  EXPECT_TRUE(bind(id).bound);
}

TEST_F(ConnectionBind, CountsWhatPasses) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  EXPECT_TRUE(bind(id).bound);
  script.server().on_connection_data(id, true, 1000, script.now);
  script.server().on_connection_data(id, true, 1, script.now);
  script.server().on_connection_data(id, false, 70, script.now);
  EXPECT_EQ(client.allocation()->from_client.payload_bytes, 1001u);
  EXPECT_EQ(client.allocation()->from_peers.payload_bytes, 70u);
  script.server().on_connection_ended(id);
  script.server().on_connection_data(id, true, 1, script.now);  // the last of it, a moment late
  EXPECT_EQ(client.allocation()->from_client.payload_bytes, 1001u);
}

TEST_F(ConnectionBind, WhoHasSpentItsBandwidthWaits) {
  script.limits.allocation_bytes_per_second_max = 1000;
  script.limits.user_bytes_per_second_max = 4000;
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  EXPECT_TRUE(bind(id).bound);
  Server& server = script.server();
  EXPECT_EQ(server.on_connection_data(id, true, 900, script.now), 0ns) << "a burst of one second";
  EXPECT_EQ(server.on_connection_data(id, true, 5100, script.now), 5001ms);
  EXPECT_EQ(server.on_connection_data(id, false, 900, script.now), 0ns) << "each way by itself";
  script.pass(5001ms);
  EXPECT_EQ(server.on_connection_data(id, true, 1, script.now), 1ms);
}

TEST_F(ConnectionBind, TheEndOfOneConnectionLeavesTheOthers) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId first = connected(at("9.9.9.1", 1));
  const ConnectionId second = connected(at("9.9.9.1", 2));
  EXPECT_TRUE(bind(first).bound);
  script.server().on_connection_ended(first);
  EXPECT_TRUE(bind(second).bound);
  EXPECT_NE(client.allocation(), nullptr);
}

}  // namespace
}  // namespace causeway::turn
