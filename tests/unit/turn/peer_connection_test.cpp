// SPDX-License-Identifier: Apache-2.0
// Connections that peers make to a TCP relay (RFC 6062 §5.3).
#include "tcp_relay_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct PeerConnection : TcpRelayScript {
  const Endpoint peer = at("9.9.9.1", 34567);
};

TEST_F(PeerConnection, IsAnnouncedWithAnIdThatTheClientBinds) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  const Answer attempt = script.from_connecting_peer(client.relay(), peer);
  ASSERT_TRUE(attempt.announced);
  EXPECT_EQ(attempt.to_client->client.five_tuple, client.ref.five_tuple);
  const auto message = attempt.message();
  EXPECT_EQ(message.method(), Method::kConnectionAttempt);
  EXPECT_EQ(message.message_class(), MessageClass::kIndication);
  EXPECT_EQ(attempt.address(AttributeType::kXorPeerAddress), peer);
  EXPECT_EQ(attempt.connection_id(), *attempt.announced);
  EXPECT_TRUE(bind(*attempt.announced).bound);
}

TEST_F(PeerConnection, NeedsAPermissionForItsAddress) {
  EXPECT_TRUE(allocate().success());
  EXPECT_EQ(script.from_connecting_peer(client.relay(), peer).drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.permit("9.9.9.2").success());
  EXPECT_EQ(script.from_connecting_peer(client.relay(), peer).drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  script.pass_with_timer(300s);
  EXPECT_EQ(script.from_connecting_peer(client.relay(), peer).drop, DropReason::kNoPermission) << "expired";
  EXPECT_EQ(connections(), 0u);
}

TEST_F(PeerConnection, OutlivesThePermissionItCameBy) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  const ConnectionId id = *script.from_connecting_peer(client.relay(), peer).announced;
  EXPECT_TRUE(bind(id).bound);
  script.pass_with_timer(301s);
  EXPECT_FALSE(closed(id));
}

TEST_F(PeerConnection, WaitsFor30Seconds) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  const ConnectionId id = *script.from_connecting_peer(client.relay(), peer).announced;
  script.pass_with_timer(30s - 1ns);
  EXPECT_FALSE(closed(id));
  script.pass_with_timer(1ns);
  EXPECT_TRUE(closed(id));
  EXPECT_EQ(bind(id).error(), 400);
}

TEST_F(PeerConnection, IsAConnectionToThatPeer) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_TRUE(script.from_connecting_peer(client.relay(), peer).announced);
  EXPECT_EQ(connect(peer).error(), 446);
}

TEST_F(PeerConnection, AtARelayThatHasEnded) {
  EXPECT_TRUE(allocate().success());
  const RelayId relay = client.relay();
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_EQ(script.from_connecting_peer(relay, peer).drop, DropReason::kUnknownRelay);
}

TEST_F(PeerConnection, BeyondALimitIsClosed) {
  script.options.limits.connections_per_allocation_max = 2;
  script.options.limits.connections_total_max = 3;
  TurnClient other = stream();
  for (TurnClient* each : {&client, &other}) {
    EXPECT_TRUE(allocate(*each).success());
    EXPECT_TRUE(each->permit("9.9.9.1").success());
  }
  EXPECT_TRUE(script.from_connecting_peer(client.relay(), at("9.9.9.1", 1)).announced);
  EXPECT_TRUE(script.from_connecting_peer(client.relay(), at("9.9.9.1", 2)).announced);
  EXPECT_EQ(script.from_connecting_peer(client.relay(), at("9.9.9.1", 3)).drop, DropReason::kConnectionLimit);
  EXPECT_TRUE(script.from_connecting_peer(other.relay(), at("9.9.9.1", 3)).announced);
  EXPECT_EQ(script.from_connecting_peer(other.relay(), at("9.9.9.1", 4)).drop, DropReason::kConnectionLimit);
  EXPECT_EQ(script.drops(DropReason::kConnectionLimit), 2u);
}

TEST_F(PeerConnection, EndsWithTheAllocation) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  const ConnectionId id = *script.from_connecting_peer(client.relay(), peer).announced;
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_TRUE(closed(id));
}

}  // namespace
}  // namespace causeway::turn
