// SPDX-License-Identifier: Apache-2.0
// Delivery between two relayed addresses of one server, without a socket, and the server's own addresses as peers.
#include <gtest/gtest.h>

#include "hex.hpp"
#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct InProcess : testing::Test {
  TurnScript script;
  TurnClient anna{script, at("198.51.100.7", 40000)};
  TurnClient bert{script, at("198.51.100.8", 40000), at("192.0.2.10", 443), Transport::kTls};
  Endpoint anna_relayed, bert_relayed;

  void allocate() {
    anna_relayed = anna.allocate_lifetime(3600).relayed();
    bert_relayed = bert.as("bob", "builder").allocate_lifetime(3600).relayed();
  }
  Answer permit(TurnClient& client, const Endpoint& peer) { return client.permit(peer.address.to_string()); }
};

TEST_F(InProcess, ChannelDataBecomesTheOthersChannelData) {
  allocate();
  EXPECT_TRUE(anna.bind(0x4001, bert_relayed).success());
  EXPECT_TRUE(bert.bind(0x4FFE, anna_relayed).success());
  const Answer answer = anna.channel_data(0x4001, "hello");
  ASSERT_TRUE(answer.to_client);
  EXPECT_EQ(answer.to_client->client.five_tuple, bert.ref.five_tuple);
  EXPECT_EQ(answer.to_client->bytes, from_hex("4ffe 0005 68656c6c6f"));
  EXPECT_TRUE(bert.channel_data(0x4FFE, "back").is_channel_data(0x4001));
  EXPECT_EQ(anna.allocation()->from_client.payload_bytes, 5u);
  EXPECT_EQ(bert.allocation()->from_peers.payload_bytes, 5u);
  EXPECT_EQ(anna.allocation()->from_peers.payload_bytes, 4u);
}

TEST_F(InProcess, ChannelDataBecomesADataIndicationWhereTheOtherHasNoChannel) {
  allocate();
  EXPECT_TRUE(anna.bind(0x4001, bert_relayed).success());
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  for (const std::string_view payload : {"", "a", "abc", "abcd", "hello world"}) {
    const Answer answer = anna.channel_data(0x4001, payload);
    ASSERT_TRUE(answer.is_data_indication());
    EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), anna_relayed);
    EXPECT_EQ(answer.text(AttributeType::kData), payload);
  }
}

TEST_F(InProcess, SendBecomesChannelDataOrADataIndication) {
  allocate();
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  const Answer indication = anna.send(bert_relayed, "hello");
  ASSERT_TRUE(indication.is_data_indication());
  EXPECT_EQ(indication.text(AttributeType::kData), "hello");
  EXPECT_TRUE(bert.bind(0x4002, anna_relayed).success());
  EXPECT_EQ(anna.send(bert_relayed, "hello").to_client->bytes, from_hex("4002 0005 68656c6c6f"));
}

TEST_F(InProcess, AnOversizedPayloadFromAStreamIsDroppedWhereNoChannelTakesIt) {
  allocate();
  EXPECT_TRUE(bert.bind(0x4001, anna_relayed).success());
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_EQ(bert.channel_data(0x4001, std::string(65535, 'x')).drop, DropReason::kTooLargeForIndication);
  EXPECT_TRUE(anna.bind(0x4001, bert_relayed).success());
  EXPECT_EQ(bert.channel_data(0x4001, std::string(65535, 'x')).to_client->bytes.size(), 65539u);
}

TEST_F(InProcess, BothSidesNeedAPermission) {
  allocate();
  EXPECT_EQ(anna.send(bert_relayed, "x").drop, DropReason::kNoPermission);
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_EQ(anna.send(bert_relayed, "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(bert.allocation()->from_peers.packets, 0u);
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  EXPECT_TRUE(anna.send(bert_relayed, "x").to_client);
  script.pass(300s);
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_EQ(anna.send(bert_relayed, "x").drop, DropReason::kNoPermission) << "the other's has ended";
}

TEST_F(InProcess, TheAdvertisedExternalAddressIsWhatBothSidesSee) {
  script.options.relay_addresses.external = {{ip("203.0.113.9")}};
  allocate();
  EXPECT_EQ(bert_relayed.address, ip("203.0.113.9"));
  EXPECT_TRUE(permit(anna, bert_relayed).success()) << "though 203.0.113.0/24 is denied";
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  EXPECT_EQ(anna.send(bert_relayed, "x").address(AttributeType::kXorPeerAddress), anna_relayed);
  const Endpoint bert_local{ip("192.0.2.10"), bert_relayed.port};
  EXPECT_TRUE(permit(anna, bert_local).success());
  EXPECT_EQ(anna.send(bert_local, "x").address(AttributeType::kXorPeerAddress), anna_relayed)
      << "the bound address leads there too; the sender is seen as advertised";
}

TEST_F(InProcess, AnOwnAddressThatIsNotRelayedIsDroppedAndCounted) {
  allocate();
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_EQ(anna.send(at("192.0.2.10", 22), "x").drop, DropReason::kOwnAddressNotRelayed);
  EXPECT_EQ(anna.send(at("192.0.2.10", 3478), "x").drop, DropReason::kOwnAddressNotRelayed);
  EXPECT_EQ(script.drops(DropReason::kOwnAddressNotRelayed), 2u);
  EXPECT_TRUE(anna.bind(0x4001, at("192.0.2.10", 22)).success());
  EXPECT_EQ(anna.channel_data(0x4001, "x").drop, DropReason::kOwnAddressNotRelayed);
  EXPECT_EQ(anna.allocation()->from_client.packets, 0u);
}

TEST_F(InProcess, EndsWithTheOthersAllocation) {
  allocate();
  EXPECT_TRUE(anna.bind(0x4001, bert_relayed).success());
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  EXPECT_TRUE(anna.channel_data(0x4001, "x").to_client);
  script.server().on_client_gone(bert.ref.five_tuple, script.now);
  EXPECT_EQ(anna.channel_data(0x4001, "x").drop, DropReason::kOwnAddressNotRelayed);
}

TEST_F(InProcess, AClientMayReachItself) {
  allocate();
  EXPECT_TRUE(anna.bind(0x4001, anna_relayed).success());
  const Answer answer = anna.channel_data(0x4001, "echo");
  ASSERT_TRUE(answer.is_channel_data(0x4001));
  EXPECT_EQ(answer.to_client->client.five_tuple, anna.ref.five_tuple);
}

TEST_F(InProcess, AnExplicitAllowLeadsToTheSocketForWhatIsNoRelay) {
  script.options.peers.allow = {cidr("192.0.2.10/32")};
  allocate();
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  const Answer out = anna.send(at("192.0.2.10", 22), "x");
  ASSERT_TRUE(out.to_peer);
  EXPECT_EQ(out.to_peer->peer, at("192.0.2.10", 22));
  EXPECT_TRUE(anna.send(bert_relayed, "x").to_client) << "a live relay is still reached in process";
}

TEST_F(InProcess, WorksOverIpv6) {
  bert.ref.five_tuple.server = at("2001:db8::10", 443);
  anna_relayed = anna.allocate(TurnClient::ipv6).relayed();
  bert_relayed = bert.allocate(TurnClient::ipv6).relayed();
  EXPECT_TRUE(permit(anna, bert_relayed).success());
  EXPECT_TRUE(permit(bert, anna_relayed).success());
  const Answer answer = anna.send(bert_relayed, "hello");
  ASSERT_TRUE(answer.is_data_indication());
  EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), anna_relayed);
}

TEST(OwnAddress, OfAnInterfaceNoRelayUsesIsForbidden) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  script.options.relay_addresses.interfaces.push_back(ip("9.9.9.10"));
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.permit("9.9.9.10").error(), 403);
  EXPECT_TRUE(client.permit("9.9.9.11").success());
  EXPECT_TRUE(client.permit("192.0.2.10").success());
}

TEST(OwnAddress, AnExplicitAllowOpensAnInterface) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  script.options.relay_addresses.interfaces.push_back(ip("9.9.9.10"));
  script.options.peers.allow = {cidr("9.9.9.10/32")};
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.10").success());
  EXPECT_TRUE(client.send(at("9.9.9.10", 7), "x").to_peer);
}

TEST(OwnAddress, AnAllowedNetworkDoesNotOpenAnInterfaceInIt) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  script.options.relay_addresses.interfaces.push_back(ip("10.20.0.5"));
  script.options.peers.allow = {cidr("10.20.0.0/16"), cidr("192.0.2.0/24")};
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.permit("10.20.0.5").error(), 403);
  EXPECT_TRUE(client.permit("10.20.0.6", "192.0.2.10").success());
  EXPECT_EQ(client.send(at("192.0.2.10", 22), "x").drop, DropReason::kOwnAddressNotRelayed);
}

TEST(OwnAddress, EmbeddedInAnAllowedIpv6PrefixIsStillForbidden) {
  TurnScript script;
  script.options.relay_addresses.interfaces.push_back(ip("9.9.9.10"));
  script.options.peers.allow = {cidr("64:ff9b::/96")};
  TurnClient client{script};
  EXPECT_TRUE(client.allocate(TurnClient::ipv6).success());
  EXPECT_EQ(client.permit("64:ff9b::9.9.9.10").error(), 403);
  EXPECT_EQ(client.permit("64:ff9b::10.0.0.1").error(), 403);
  EXPECT_TRUE(client.permit("64:ff9b::9.9.9.11").success());
}

TEST(OwnAddress, LoopbackIsAPeerOnlyWhileARelayIsOpenOnIt) {
  TurnScript script;
  TurnClient anna{script, at("127.0.0.1", 40000), at("127.0.0.1", 3478)};
  TurnClient bert{script, at("198.51.100.8", 40000)};
  EXPECT_TRUE(bert.allocate().success());
  EXPECT_EQ(bert.permit("127.0.0.1").error(), 403);
  const Answer allocated = anna.allocate();
  EXPECT_EQ(allocated.relayed().address, ip("127.0.0.1"));
  EXPECT_TRUE(bert.permit("127.0.0.1").success());
  EXPECT_EQ(bert.send(at("127.0.0.1", 22), "x").drop, DropReason::kOwnAddressNotRelayed);
  EXPECT_EQ(bert.permit("127.0.0.2").error(), 403);
  EXPECT_TRUE(anna.refresh(0).success());
  EXPECT_EQ(bert.permit("127.0.0.1").error(), 403);
  EXPECT_EQ(bert.send(allocated.relayed(), "x").drop, DropReason::kOwnAddressNotRelayed);
}

TEST(OwnAddress, LoopbackIsNeverReplacedByTheExternalAddress) {
  TurnScript script;
  script.options.relay_addresses.external = {{ip("203.0.113.9")}};
  TurnClient anna{script, at("127.0.0.1", 40000), at("127.0.0.1", 3478)};
  EXPECT_EQ(anna.allocate().relayed().address, ip("127.0.0.1"));
}

TEST(OwnAddress, AWildcardIsNoPeer) {
  TurnScript script;
  script.options.peers.lan = true;
  TurnClient v4{script}, v6{script, at("198.51.100.7", 40001)};
  EXPECT_TRUE(v4.allocate().success());
  EXPECT_TRUE(v6.allocate(TurnClient::ipv6).success());
  EXPECT_EQ(v4.permit("0.0.0.0").error(), 403);
  EXPECT_EQ(v6.permit("::").error(), 403);
}

}  // namespace
}  // namespace causeway::turn
