// SPDX-License-Identifier: Apache-2.0
// The IP header of what is relayed: DSCP and ECN, and DONT-FRAGMENT (RFC 8656 §13–16).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr TrafficClass kVideoCongested{0x8B};  // AF41 and CE

Answer send_unfragmented(TurnClient& client, const Endpoint& peer) {
  return client.bare(
      Method::kSend,
      [&](MessageBuilder& builder) {
        builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
        builder.add_flag(AttributeType::kDontFragment);
        builder.add_text(AttributeType::kData, "x");
      },
      MessageClass::kIndication);
}

TEST(TrafficClassOfRelayedData, IsCopiedBothWaysInBothFramings) {
  TurnScript script;
  TurnClient client{script};
  client.allocate();
  client.permit("9.9.9.9");
  script.traffic_class = kVideoCongested;
  EXPECT_EQ(client.send(kPeer, "x").to_peer.value().traffic_class, kVideoCongested);
  EXPECT_EQ(script.from_peer(client.relay(), kPeer, "x").to_client.value().traffic_class, kVideoCongested);
  client.bind(0x4000, kPeer);
  EXPECT_EQ(client.channel_data(0x4000, "x").to_peer.value().traffic_class, kVideoCongested);
  EXPECT_EQ(script.from_peer(client.relay(), kPeer, "x").to_client.value().traffic_class, kVideoCongested);
  script.traffic_class = {};
  EXPECT_EQ(client.channel_data(0x4000, "x").to_peer.value().traffic_class, TrafficClass{});
}

TEST(TrafficClassOfRelayedData, IsCopiedBetweenTwoRelaysOfThisServer) {
  TurnScript script;
  TurnClient first{script};
  TurnClient second{script, at("198.51.100.7", 40001)};
  const Endpoint of_first = first.allocate().relayed();
  const Endpoint of_second = second.allocate().relayed();
  first.permit(of_second.address.to_string());
  second.permit(of_first.address.to_string());
  script.traffic_class = kVideoCongested;
  EXPECT_EQ(first.send(of_second, "x").to_client.value().traffic_class, kVideoCongested);
}

TEST(DontFragment, IsForTheDatagramThatAsksForItOnly) {
  TurnScript script;
  TurnClient client{script};
  client.allocate();
  client.permit("9.9.9.9");
  client.bind(0x4000, kPeer);
  EXPECT_TRUE(send_unfragmented(client, kPeer).to_peer.value().dont_fragment);
  EXPECT_FALSE(client.send(kPeer, "x").to_peer.value().dont_fragment);
  EXPECT_FALSE(client.channel_data(0x4000, "x").to_peer.value().dont_fragment);
}

TEST(DontFragment, IsIgnoredBetweenDatagramsThatAreNotBothOfIpv4) {
  TurnScript script;
  TurnClient v4{script};
  TurnClient v6{script, at("2001:db8:1::7", 40000), at("2001:db8::10", 3478)};
  for (TurnClient* client : {&v4, &v6}) {
    client->allocate_dual();
    client->permit("9.9.9.9", "2620:fe::9");
    EXPECT_EQ(send_unfragmented(*client, kPeer).to_peer.value().dont_fragment, client == &v4);
    EXPECT_FALSE(send_unfragmented(*client, kPeerV6).to_peer.value().dont_fragment);
  }
}

TEST(DontFragment, OfAStreamCountsForEveryPeer) {
  TurnScript script;
  TurnClient client{script, at("2001:db8:1::7", 40000), at("2001:db8::10", 3478), Transport::kTls};
  client.allocate_dual();
  client.permit("9.9.9.9", "2620:fe::9");
  for (const Endpoint& peer : {kPeer, kPeerV6})
    EXPECT_TRUE(send_unfragmented(client, peer).to_peer.value().dont_fragment);
}

}  // namespace
}  // namespace causeway::turn
