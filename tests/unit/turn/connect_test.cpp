// SPDX-License-Identifier: Apache-2.0
// Connect (RFC 6062 §5.2).
#include "tcp_relay_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct ConnectTest : TcpRelayScript {
  const Endpoint peer = at("9.9.9.1", 80);
};

TEST_F(ConnectTest, ConnectsFromTheRelayedAddressAndAnswersWhenThePeerHas) {
  client.with_fingerprint = true;
  const Endpoint relayed = allocate().relayed();
  const Answer asked = connect(peer);
  ASSERT_TRUE(asked.connect);
  EXPECT_EQ(asked.connect->local, relayed);
  EXPECT_EQ(asked.connect->remote, peer);
  const auto transaction = client.transaction;
  EXPECT_TRUE(client.refresh().success()) << "other requests do not wait";

  const Answer answer = script.connect_result(asked.connect->connection, true);
  ASSERT_TRUE(answer.to_client);
  EXPECT_EQ(answer.to_client->client.five_tuple, client.ref.five_tuple);
  EXPECT_EQ(answer.to_client->client.link, client.ref.link);
  const auto message = answer.message();
  EXPECT_EQ(message.method(), Method::kConnect);
  EXPECT_EQ(message.message_class(), MessageClass::kSuccessResponse);
  EXPECT_EQ(message.transaction_id(), transaction);
  EXPECT_EQ(answer.connection_id(), asked.connect->connection);
  EXPECT_TRUE(stun::check_message_integrity(message, client.key().octets()));
  EXPECT_EQ(stun::check_fingerprint(message), stun::Fingerprint::kValid);
}

TEST_F(ConnectTest, AnswersWithTheAlgorithmOfTheRequest) {
  client.algorithm = stun::PasswordAlgorithm::kSha256;
  EXPECT_TRUE(allocate().success());
  const Answer asked = connect(peer);
  const Answer answer = script.connect_result(asked.connect->connection, false);
  EXPECT_TRUE(stun::check_message_integrity_sha256(answer.message(), client.key().octets()));
  EXPECT_FALSE(answer.has(AttributeType::kFingerprint));
}

TEST_F(ConnectTest, AFailureIs447) {
  EXPECT_TRUE(allocate().success());
  const Answer asked = connect(peer);
  const Answer answer = script.connect_result(asked.connect->connection, false);
  ASSERT_TRUE(answer.to_client);
  EXPECT_EQ(answer.message().message_class(), MessageClass::kErrorResponse);
  EXPECT_EQ(stun::read_error_code(answer.message().value(AttributeType::kErrorCode).value()), 447);
  EXPECT_TRUE(stun::check_message_integrity(answer.message(), client.key().octets()));
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(script.events.refused.back(), std::pair(ErrorCode::kConnectionTimeoutOrFailure, std::string{"alice"}));
  EXPECT_TRUE(connect(peer).connect) << "it may be tried again";
}

TEST_F(ConnectTest, ThePeerHas30Seconds) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connect(peer).connect->connection;
  script.pass_with_timer(30s - 1ns);
  EXPECT_FALSE(closed(id));
  script.pass_with_timer(1ns);
  EXPECT_TRUE(closed(id));
  EXPECT_EQ(connect(peer).error(), 446) << "not answered yet";
  EXPECT_EQ(stun::read_error_code(script.connect_result(id, false).message().value(AttributeType::kErrorCode).value()),
            447);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(ConnectTest, TheClientHas30SecondsToComeForTheConnection) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connect(peer).connect->connection;
  script.pass_with_timer(20s);
  script.connect_result(id, true);
  script.pass_with_timer(30s - 1ns);
  EXPECT_FALSE(closed(id));
  script.pass_with_timer(1ns);
  EXPECT_TRUE(closed(id));
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(bind(id).error(), 400);
}

TEST_F(ConnectTest, NeedsATcpAllocationOfTheUser) {
  EXPECT_EQ(connect(peer).error(), 437);
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(connect(peer).error(), 400) << "a UDP allocation";
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_TRUE(allocate().success());
  EXPECT_EQ(connect(client.as("bob", "builder"), peer).error(), 441);
}

TEST_F(ConnectTest, NeedsAPeer) {
  EXPECT_TRUE(allocate().success());
  EXPECT_EQ(client.request(Method::kConnect).error(), 400);
  const auto malformed = [](MessageBuilder& b) { b.add(AttributeType::kXorPeerAddress, Octets(5)); };
  EXPECT_EQ(client.request(Method::kConnect, malformed).error(), 400);
}

TEST_F(ConnectTest, OneConnectionToAPeer) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connect(peer).connect->connection;
  EXPECT_EQ(connect(peer).error(), 446) << "connecting";
  script.connect_result(id, true);
  EXPECT_EQ(connect(peer).error(), 446) << "waiting for ConnectionBind";
  EXPECT_TRUE(bind(id).bound);
  EXPECT_EQ(connect(peer).error(), 446) << "in use";
  EXPECT_TRUE(connect(at("9.9.9.1", 81)).connect) << "another port is another peer";
  script.server().on_connection_ended(id);
  EXPECT_TRUE(connect(peer).connect);
}

TEST_F(ConnectTest, AnotherAllocationMayHaveAConnectionToTheSamePeer) {
  EXPECT_TRUE(allocate().success());
  TurnClient other = stream();
  EXPECT_TRUE(allocate(other).success());
  const Answer first = connect(peer);
  const Answer second = connect(other, peer);
  ASSERT_TRUE(first.connect && second.connect);
  EXPECT_NE(first.connect->local, second.connect->local);
  EXPECT_NE(first.connect->connection, second.connect->connection);
}

TEST_F(ConnectTest, TheIdIsRandomAndInUseOnce) {
  EXPECT_TRUE(allocate().success());
  script.random.scripted = {0x1'0000'0007, 0x2'0000'0007, 0x0'0000'0008};
  EXPECT_EQ(connect(peer).connect->connection, ConnectionId{7});
  EXPECT_EQ(connect(at("9.9.9.2", 80)).connect->connection, ConnectionId{8});
}

TEST_F(ConnectTest, ThePolicyJudgesThePeer) {
  script.options.peers.allow = {cidr("10.1.0.0/16")};
  EXPECT_TRUE(allocate().success());
  for (const auto* denied : {"10.2.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"})
    EXPECT_EQ(connect(at(denied, 80)).error(), 403) << denied;
  EXPECT_TRUE(connect(at("10.1.0.1", 80)).connect);
  EXPECT_EQ(connect(at("2001:4860::1", 80)).error(), 443);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(ConnectTest, AStricterPolicyEndsConnections) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId denied = connected(at("9.9.9.1", 1));
  const ConnectionId attempt = connect(at("9.9.9.1", 2)).connect->connection;
  const ConnectionId other = connected(at("9.9.8.1", 1));
  script.server().set_peer_policy({.deny = {cidr("9.9.9.0/24")}});
  EXPECT_TRUE(closed(denied) && closed(attempt));
  EXPECT_FALSE(closed(other));
  EXPECT_EQ(bind(denied).error(), 400);
  const Answer late = script.connect_result(attempt, false);
  EXPECT_EQ(stun::read_error_code(late.message().value(AttributeType::kErrorCode).value()), 447);
}

TEST_F(ConnectTest, AnAddressThatTheMachineGetsEndsConnectionsToIt) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId own = connected(at("9.9.9.10", 22));
  const ConnectionId attempt = connect(at("9.9.9.10", 23)).connect->connection;
  const ConnectionId other = connected(at("9.9.9.11", 22));
  TurnClient second = stream();
  const ConnectionId relay = connected(allocate(second).relayed());
  turn::RelayAddressOptions changed = script.options.relay_addresses;
  changed.interfaces.push_back(ip("9.9.9.10"));
  script.server().set_relay_addresses(changed);
  EXPECT_TRUE(closed(own) && closed(attempt));
  EXPECT_FALSE(closed(other) || closed(relay));
  EXPECT_EQ(connect(at("9.9.9.10", 22)).error(), 403);
  EXPECT_TRUE(script.connect_result(attempt, false).to_client);
}

// Also one that relays still advertise, though the machine or the configuration has it no longer.
TEST_F(ConnectTest, AnAddressThatRelaysAreOpenOnStaysOwn) {
  script.options.relay_addresses.external = {{ip("203.0.113.5")}};
  EXPECT_TRUE(allocate().success());
  turn::RelayAddressOptions changed = script.options.relay_addresses;
  changed.external = {{ip("203.0.113.6")}};
  script.server().set_relay_addresses(changed);
  EXPECT_EQ(connect(at("203.0.113.5", 22)).error(), 403);
}

TEST_F(ConnectTest, AnAllowedNetworkDoesNotOpenAnOwnAddressInIt) {
  script.options.peers.allow = {cidr("192.0.2.0/24")};
  EXPECT_TRUE(allocate().success());
  EXPECT_EQ(connect(at("192.0.2.10", 22)).error(), 403);
  EXPECT_TRUE(connect(at("192.0.2.11", 22)).connect);
}

TEST_F(ConnectTest, AnOwnAddressIsOnlyForLiveTcpRelays) {
  const Endpoint relayed = allocate().relayed();
  EXPECT_EQ(connect(at("192.0.2.10", 22)).error(), 403);
  EXPECT_EQ(connect(relayed).error(), 403) << "itself";
  TurnClient datagrams = stream(Transport::kUdp);
  EXPECT_EQ(connect(datagrams.allocate().relayed()).error(), 403) << "a UDP relay";
  TurnClient other = stream();
  const Endpoint target = allocate(other).relayed();
  EXPECT_EQ(connect(target).connect->remote, target);
  EXPECT_TRUE(other.refresh(0).success());
  EXPECT_EQ(connect(at("192.0.2.10", static_cast<std::uint16_t>(target.port + 1))).error(), 403);
}

TEST_F(ConnectTest, AnOwnAddressThatTheOperatorAllowsIsForEverything) {
  script.options.peers.allow = {cidr("192.0.2.10/32")};
  const Endpoint relayed = allocate().relayed();
  EXPECT_EQ(connect(at("192.0.2.10", 22)).connect->remote, at("192.0.2.10", 22));
  EXPECT_EQ(connect(relayed).error(), 403) << "but not for itself";
}

TEST_F(ConnectTest, ARelayBehindANatIsReachedWhereItIsBound) {
  script.options.relay_addresses.external = {{ip("203.0.113.7")}};
  const Endpoint relayed = allocate().relayed();
  TurnClient other = stream();
  const Endpoint target = allocate(other).relayed();
  EXPECT_EQ(target.address, ip("203.0.113.7"));
  const Answer asked = connect(target);
  ASSERT_TRUE(asked.connect);
  EXPECT_EQ(asked.connect->local, (Endpoint{ip("192.0.2.10"), relayed.port}));
  EXPECT_EQ(asked.connect->remote, (Endpoint{ip("192.0.2.10"), target.port}));

  EXPECT_TRUE(other.permit("203.0.113.7").success());
  const Answer attempt = script.from_connecting_peer(other.relay(), asked.connect->local);
  ASSERT_TRUE(attempt.announced);
  EXPECT_EQ(attempt.address(AttributeType::kXorPeerAddress), relayed) << "as the other client knows it";
}

TEST_F(ConnectTest, LimitsOfAllocationUserAndServer) {
  script.options.limits.connections_per_allocation_max = 2;
  script.options.limits.connections_per_user_max = 3;
  script.options.limits.connections_total_max = 4;
  TurnClient other = stream();
  TurnClient bob = stream();
  bob.as("bob", "builder");
  for (TurnClient* each : {&client, &other, &bob})
    EXPECT_TRUE(allocate(*each).success());
  const ConnectionId first = connect(at("9.9.9.1", 1)).connect->connection;
  EXPECT_TRUE(connect(at("9.9.9.1", 2)).connect);
  EXPECT_EQ(connect(at("9.9.9.1", 3)).error(), 508) << "of the allocation";
  EXPECT_TRUE(connect(other, at("9.9.9.1", 1)).connect);
  EXPECT_EQ(connect(other, at("9.9.9.1", 2)).error(), 486) << "of the user";
  EXPECT_TRUE(connect(bob, at("9.9.9.1", 1)).connect);
  EXPECT_EQ(connect(bob, at("9.9.9.1", 2)).error(), 508) << "of the server";
  script.connect_result(first, false);
  EXPECT_TRUE(connect(bob, at("9.9.9.1", 2)).connect);
}

TEST_F(ConnectTest, EndsWithItsAllocation) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId connecting = connect(at("9.9.9.1", 1)).connect->connection;
  const ConnectionId unbound = connected(at("9.9.9.1", 2));
  const ConnectionId bound = connected(at("9.9.9.1", 3));
  EXPECT_TRUE(bind(bound).bound);
  script.server().on_client_gone(client.ref.five_tuple, script.now);
  for (const ConnectionId id : {connecting, unbound, bound})
    EXPECT_TRUE(closed(id));
  EXPECT_EQ(script.connect_result(connecting, true).drop, DropReason::kUnknownConnection) << "too late";
  script.server().on_connection_ended(bound);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(ConnectTest, EndsWhenItsAllocationIsNotRefreshed) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId bound = connected(peer);
  EXPECT_TRUE(bind(bound).bound);
  script.pass_with_timer(600s - 1ns);
  EXPECT_FALSE(closed(bound)) << "however long it is silent";
  script.pass_with_timer(1ns);
  EXPECT_TRUE(closed(bound));
}

TEST_F(ConnectTest, OverUdpThereIsNoTcpAllocation) {
  TurnClient datagrams = stream(Transport::kUdp);
  EXPECT_TRUE(datagrams.allocate().success());
  EXPECT_EQ(connect(datagrams, peer).error(), 400);
}

TEST_F(ConnectTest, AResultComesOnce) {
  EXPECT_TRUE(allocate().success());
  const ConnectionId id = connected(peer);
  EXPECT_EQ(script.connect_result(id, true).drop, DropReason::kUnknownConnection);
  EXPECT_EQ(script.connect_result(ConnectionId{1}, false).drop, DropReason::kUnknownConnection);
  EXPECT_EQ(connections(), 1u);
}

}  // namespace
}  // namespace causeway::turn
