// SPDX-License-Identifier: Apache-2.0
// Relayed data between a client and peers (RFC 8656 §11, §12), octet by octet.
#include <gtest/gtest.h>

#include "hex.hpp"
#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Pair : testing::Test {
  TurnScript script;
  TurnClient client{script};
  Endpoint peer = at("9.9.9.1", 7000);

  void SetUp() override {
    ASSERT_TRUE(client.allocate_lifetime(3600).success());
    ASSERT_TRUE(client.permit("9.9.9.1").success());
  }
};

using RelayPath = Pair;

TEST_F(RelayPath, SendGoesOutOfTheAllocationsRelay) {
  const Answer answer = client.send(peer, "hello");
  ASSERT_TRUE(answer.to_peer);
  EXPECT_EQ(answer.to_peer->relay, client.relay());
  EXPECT_EQ(answer.to_peer->peer, peer);
  EXPECT_EQ(answer.to_peer->payload, octets_of("hello"));
  EXPECT_EQ(client.allocation()->from_client.packets, 1u);
  EXPECT_EQ(client.allocation()->from_client.payload_bytes, 5u);
}

TEST_F(RelayPath, SendTakesItsAttributesInAnyOrderAndAnEmptyPayload) {
  const Answer answer = client.bare(
      Method::kSend,
      [this](MessageBuilder& builder) {
        builder.add_flag(AttributeType::kData);
        builder.add_flag(AttributeType::kSoftware);
        builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
        builder.add_fingerprint();
      },
      MessageClass::kIndication);
  ASSERT_TRUE(answer.to_peer);
  EXPECT_TRUE(answer.to_peer->payload.empty());
}

TEST_F(RelayPath, SendUsesTheFirstOfSeveralPeersAndPayloads) {
  const Answer answer = client.bare(
      Method::kSend,
      [this](MessageBuilder& builder) {
        builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
        builder.add_xor_address(AttributeType::kXorPeerAddress, at("9.9.9.2", 1));
        builder.add_text(AttributeType::kData, "first");
        builder.add_text(AttributeType::kData, "second");
      },
      MessageClass::kIndication);
  ASSERT_TRUE(answer.to_peer);
  EXPECT_EQ(answer.to_peer->peer, peer);
  EXPECT_EQ(answer.to_peer->payload, octets_of("first"));
}

TEST_F(RelayPath, SendIgnoresWhatIsKnownButOutOfPlaceAndNothingElse) {
  const auto send = [this](AttributeType type) {
    return client.bare(
        Method::kSend,
        [&](MessageBuilder& builder) {
          builder.add(type, Octets(4));
          builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
          builder.add_text(AttributeType::kData, "x");
        },
        MessageClass::kIndication);
  };
  for (const auto type : {AttributeType::kUsername, AttributeType::kLifetime, AttributeType::kChannelNumber,
                          AttributeType::kXorMappedAddress, AttributeType{0xC001}})
    EXPECT_TRUE(send(type).to_peer);
  EXPECT_EQ(send(AttributeType{0x7001}).drop, DropReason::kUnknownAttributeInIndication);
}

TEST_F(RelayPath, SendWithoutAllItNeedsIsDropped) {
  const auto send = [this](const TurnClient::Add& add) {
    return client.bare(Method::kSend, add, MessageClass::kIndication).drop;
  };
  const auto to = [this](MessageBuilder& builder) { builder.add_xor_address(AttributeType::kXorPeerAddress, peer); };
  EXPECT_EQ(send({}), DropReason::kMalformedIndication);
  EXPECT_EQ(send(to), DropReason::kMalformedIndication);
  EXPECT_EQ(send([](MessageBuilder& b) { b.add_text(AttributeType::kData, "x"); }), DropReason::kMalformedIndication);
  EXPECT_EQ(send([](MessageBuilder& b) {
              b.add(AttributeType::kXorPeerAddress, Octets(3));
              b.add_text(AttributeType::kData, "x");
            }),
            DropReason::kMalformedIndication);
  EXPECT_EQ(send([&](MessageBuilder& b) {
              to(b);
              b.add_text(AttributeType::kData, "x");
              b.add_flag(AttributeType{0x7001});
            }),
            DropReason::kUnknownAttributeInIndication);
}

TEST_F(RelayPath, NothingIsRelayedWithoutAnAllocation) {
  TurnClient stranger{script, at("198.51.100.7", 40001)};
  EXPECT_EQ(stranger.send(peer, "x").drop, DropReason::kNoAllocation);
  EXPECT_EQ(stranger.channel_data(0x4000, "x").drop, DropReason::kNoAllocation);
  EXPECT_EQ(script.from_peer({77, 1}, peer, "x").drop, DropReason::kUnknownRelay);
  EXPECT_EQ(script.from_peer({0xFFFFFFFF, 0}, peer, "x").drop, DropReason::kUnknownRelay);
}

TEST_F(RelayPath, APeersDatagramBecomesADataIndication) {
  for (const std::string_view payload : {"", "a", "ab", "abc", "abcd", "abcde"}) {
    const Answer answer = script.from_peer(client.relay(), peer, payload);
    ASSERT_TRUE(answer.is_data_indication()) << payload;
    EXPECT_EQ(answer.to_client->client.five_tuple, client.ref.five_tuple);
    EXPECT_EQ(answer.to_client->client.link, 42u);
    EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), peer);
    EXPECT_EQ(answer.text(AttributeType::kData), payload);
    EXPECT_EQ(answer.to_client->bytes.size(), 20 + 12 + 4 + (payload.size() + 3) / 4 * 4);
    for (std::size_t i = 36 + payload.size(); i < answer.to_client->bytes.size(); ++i)
      EXPECT_EQ(answer.to_client->bytes[i], 0) << "padding";
  }
}

TEST_F(RelayPath, ADataIndicationIsExactToTheOctet) {
  const Answer answer = script.from_peer(client.relay(), peer, "hello");
  Octets expected = from_hex(
      "0017 0018 2112a442 000000000000000000000000"
      "0012 0008 0001 3a4a 281bad43"
      "0013 0005 68656c6c6f 000000");
  ASSERT_EQ(answer.to_client->bytes.size(), expected.size());
  std::copy_n(answer.to_client->bytes.begin() + 8, 12, expected.begin() + 8);  // the transaction id
  EXPECT_EQ(answer.to_client->bytes, expected);
}

TEST_F(RelayPath, EachDataIndicationHasATransactionIdOfItsOwn) {
  std::set<stun::TransactionId> ids;
  for (int i = 0; i < 200; ++i)
    ids.insert(script.from_peer(client.relay(), peer, "x").message().transaction_id());
  EXPECT_EQ(ids.size(), 200u);
}

TEST_F(RelayPath, OnABoundChannelBothWaysAreFramedAsChannelData) {
  ASSERT_TRUE(client.bind(0x4ABC, peer).success());
  const Answer out = client.channel_data(0x4ABC, "hello");
  ASSERT_TRUE(out.to_peer);
  EXPECT_EQ(out.to_peer->peer, peer);
  EXPECT_EQ(out.to_peer->payload, octets_of("hello"));
  const Answer in = script.from_peer(client.relay(), peer, "hello");
  ASSERT_TRUE(in.to_client);
  EXPECT_EQ(in.to_client->bytes, from_hex("4abc 0005 68656c6c6f"));
  EXPECT_EQ(script.from_peer(client.relay(), peer, "").to_client->bytes, from_hex("4abc 0000"));
  EXPECT_TRUE(script.from_peer(client.relay(), at("9.9.9.1", 7001), "x").is_data_indication()) << "another port";
}

TEST_F(RelayPath, ChannelDataIgnoresWhatFollowsItsLength) {
  ASSERT_TRUE(client.bind(0x4000, peer).success());
  EXPECT_EQ(script.from_client(client.ref, from_hex("4000 0002 6162 0000 ffff")).to_peer->payload, octets_of("ab"));
  EXPECT_EQ(script.from_client(client.ref, from_hex("4000 0000")).to_peer->payload, Octets{});
}

// RFC 8656 §12.6: data keeps neither the channel nor the permission alive.
TEST_F(RelayPath, ChannelDataRefreshesNothing) {
  ASSERT_TRUE(client.bind(0x4000, peer).success());
  script.pass_with_timer(299s);
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
  EXPECT_TRUE(script.from_peer(client.relay(), peer, "x").to_client);
  script.pass_with_timer(1s);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kNoPermission);
  ASSERT_TRUE(client.permit("9.9.9.1").success());
  script.pass_with_timer(299s);
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
  script.pass_with_timer(1s);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kUnknownChannel);
}

TEST_F(RelayPath, MalformedChannelDataIsDropped) {
  ASSERT_TRUE(client.bind(0x4000, peer).success());
  for (const std::string_view packet : {"40", "4000", "400000", "4000 0001", "4000 ffff 00", "7fff 0005 61626364"})
    EXPECT_EQ(script.from_client(client.ref, from_hex(packet)).drop, DropReason::kMalformedChannelData) << packet;
}

TEST_F(RelayPath, APeerWithoutPermissionIsDropped) {
  EXPECT_EQ(script.from_peer(client.relay(), at("9.9.9.2", 7000), "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(client.allocation()->from_peers.packets, 0u);
  EXPECT_EQ(script.drops(DropReason::kNoPermission), 1u);
}

TEST_F(RelayPath, TheLargestPayloadsFit) {
  ASSERT_TRUE(client.bind(0x4000, peer).success());
  const std::string largest(65535, 'x');
  EXPECT_EQ(client.channel_data(0x4000, largest).to_peer->payload.size(), 65535u);
  EXPECT_EQ(script.from_peer(client.relay(), peer, largest).to_client->bytes.size(), 65539u);
  const Endpoint unbound = at("9.9.9.1", 7001);
  for (std::size_t bytes = 65500; bytes <= 65504; ++bytes) {
    const Answer answer = script.from_peer(client.relay(), unbound, std::string(bytes, 'x'));
    ASSERT_TRUE(answer.is_data_indication());
    EXPECT_EQ(answer.text(AttributeType::kData).size(), bytes);
  }
  EXPECT_EQ(script.from_peer(client.relay(), unbound, std::string(65505, 'x')).drop,
            DropReason::kTooLargeForIndication);
}

TEST_F(RelayPath, AStaleRelayIdFindsNothing) {
  const RelayId old = client.relay();
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_EQ(script.from_peer(old, peer, "x").drop, DropReason::kUnknownRelay);
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_EQ(client.relay().slot, old.slot);
  EXPECT_EQ(script.from_peer(old, peer, "x").drop, DropReason::kUnknownRelay);
  EXPECT_TRUE(script.from_peer(client.relay(), peer, "x").to_client);
}

TEST(RelayPathIpv6, FramesWithTheLongerAddress) {
  TurnScript script;
  TurnClient client{script, at("2001:db8:1::7", 40000), at("2001:db8::10", 3478)};
  const Endpoint peer = at("2620:fe::9", 7000);
  ASSERT_TRUE(client.allocate(TurnClient::ipv6).success());
  ASSERT_TRUE(client.permit("2620:fe::9").success());
  for (const std::string_view payload : {"", "a", "abcd"}) {
    const Answer answer = script.from_peer(client.relay(), peer, payload);
    ASSERT_TRUE(answer.is_data_indication());
    EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), peer);
    EXPECT_EQ(answer.text(AttributeType::kData), payload);
    EXPECT_EQ(answer.to_client->bytes.size(), 48 + (payload.size() + 3) / 4 * 4);
  }
  ASSERT_TRUE(client.bind(0x4000, peer).success());
  EXPECT_EQ(client.channel_data(0x4000, "x").to_peer->peer, peer);
  EXPECT_EQ(script.from_peer(client.relay(), peer, "x").to_client->bytes, from_hex("4000 0001 78"));
}

TEST(RelayPathStream, FramesForTcpAndTlsClientsWithoutPadding) {
  for (const Transport transport : {Transport::kTcp, Transport::kTls}) {
    TurnScript script;
    TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 443), transport};
    const Endpoint peer = at("9.9.9.1", 7000);
    ASSERT_TRUE(client.allocate().success());
    ASSERT_TRUE(client.bind(0x4000, peer).success());
    const Answer in = script.from_peer(client.relay(), peer, "hello");
    EXPECT_EQ(in.to_client->client.five_tuple.transport, transport);
    EXPECT_EQ(in.to_client->bytes.size(), 9u) << "padding is the edge's";
    EXPECT_TRUE(client.send(peer, "x").to_peer);
    script.server().on_client_gone(client.ref.five_tuple, script.now);
    EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kNoAllocation);
  }
}

}  // namespace
}  // namespace causeway::turn
