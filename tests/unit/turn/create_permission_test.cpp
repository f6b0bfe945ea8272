// SPDX-License-Identifier: Apache-2.0
// CreatePermission (RFC 8656 §10).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

TEST(CreatePermission, OpensTheWayForEachOfItsPeers) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.send(at("9.9.9.1", 7), "x").drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.permit("9.9.9.1", "9.9.9.2", "9.9.9.3").success());
  for (const std::string_view peer : {"9.9.9.1", "9.9.9.2", "9.9.9.3"})
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{1, 7, 65535})
      EXPECT_TRUE(client.send(at(peer, port), "x").to_peer) << "the port does not matter";
  EXPECT_EQ(client.send(at("9.9.9.4", 7), "x").drop, DropReason::kNoPermission);
}

TEST(CreatePermission, InstallsAllOrNothing) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  for (const auto& peers : std::vector<std::vector<std::string_view>>{
           {"9.9.9.1", "10.0.0.1"}, {"10.0.0.1", "9.9.9.1"}, {"9.9.9.1", "10.0.0.1", "9.9.9.2"}})
    EXPECT_EQ(client.permit_all(peers).error(), 403);
  EXPECT_EQ(client.permit("9.9.9.1", "2620:fe::9").error(), 443);
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
}

TEST(CreatePermission, ReportsTheFirstFault) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.permit("10.0.0.1", "2620:fe::9").error(), 403);
  EXPECT_EQ(client.permit("2620:fe::9", "10.0.0.1").error(), 443);
}

TEST(CreatePermission, NeedsAWellFormedPeer) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.request(Method::kCreatePermission).error(), 400);
  for (const Octets& value : {Octets{}, Octets(4), Octets{0, 1, 0, 0}, Octets{0, 3, 0, 0, 1, 2, 3, 4},
                              Octets{0, 2, 0, 0, 1, 2, 3, 4}, Octets(20, 1)}) {
    EXPECT_EQ(client
                  .request(Method::kCreatePermission,
                           [&](MessageBuilder& builder) {
                             builder.add_xor_address(AttributeType::kXorPeerAddress, at("9.9.9.1", 9));
                             builder.add(AttributeType::kXorPeerAddress, value);
                           })
                  .error(),
              400);
  }
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
}

TEST(CreatePermission, NeedsAnAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.permit("9.9.9.1").error(), 437);
  EXPECT_EQ(client.permit("10.0.0.1").error(), 437);
}

TEST(CreatePermission, PeersBehindTheIntegrityAreNotSeen) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  Octets request = client.build(
      Method::kCreatePermission, MessageClass::kRequest,
      [](MessageBuilder& builder) { builder.add_xor_address(AttributeType::kXorPeerAddress, at("9.9.9.1", 9)); }, true);
  Octets smuggled(64);
  MessageBuilder extra{smuggled, Method::kCreatePermission, MessageClass::kRequest, client.transaction};
  extra.add_xor_address(AttributeType::kXorPeerAddress, at("9.9.9.2", 9));
  const Bytes attribute = extra.finish().subspan(stun::kHeaderBytes);
  request.insert(request.end(), attribute.begin(), attribute.end());
  store_be16(request.data() + 2, static_cast<std::uint16_t>(request.size() - stun::kHeaderBytes));
  EXPECT_TRUE(script.from_client(client.ref, request).success());
  EXPECT_TRUE(client.allocation()->permissions.contains(ip("9.9.9.1")));
  EXPECT_FALSE(client.allocation()->permissions.contains(ip("9.9.9.2")));
}

TEST(CreatePermission, IsBoundedPerAllocation) {
  TurnScript script;
  script.options.limits.permissions_per_allocation_max = 3;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.permit("9.9.9.1", "9.9.9.2", "9.9.9.3", "9.9.9.4").error(), 508);
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
  EXPECT_TRUE(client.permit("9.9.9.1", "9.9.9.2", "9.9.9.3").success());
  EXPECT_EQ(client.permit("9.9.9.4").error(), 508);
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.4", 9)).error(), 508);
  EXPECT_TRUE(client.permit("9.9.9.1", "9.9.9.2").success()) << "a refresh needs no room";
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.3", 9)).success());
  script.pass(300s);
  EXPECT_TRUE(client.permit("9.9.9.4").success()) << "what has expired leaves its place, timer or not";
}

TEST(CreatePermission, TakesThousandsOfPeersInOneRequestAndStaysBounded) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  const Answer answer = client.request(Method::kCreatePermission, [](MessageBuilder& builder) {
    for (std::uint32_t i = 0; i < 5000; ++i) {
      const std::array<std::uint8_t, 4> v4{9, 9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
      builder.add_xor_address(AttributeType::kXorPeerAddress, {IpAddress{v4}, 9});
    }
  });
  EXPECT_EQ(answer.error(), 508);
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
}

TEST(CreatePermission, EndsAfterExactlyThreeHundredSecondsInBothDirections) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  script.pass(300s - 1ns);
  EXPECT_TRUE(client.send(at("9.9.9.1", 7), "x").to_peer);
  EXPECT_TRUE(script.from_peer(client.relay(), at("9.9.9.1", 7), "x").to_client);
  script.pass(1ns);
  EXPECT_EQ(client.send(at("9.9.9.1", 7), "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(script.from_peer(client.relay(), at("9.9.9.1", 7), "x").drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_TRUE(client.send(at("9.9.9.1", 7), "x").to_peer);
}

TEST(CreatePermission, TrafficDoesNotRefreshAPermissionButAnotherRequestDoes) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.permit("9.9.9.1", "9.9.9.2").success());
  script.pass_with_timer(200s);
  EXPECT_TRUE(client.send(at("9.9.9.1", 7), "x").to_peer);
  EXPECT_TRUE(client.permit("9.9.9.2").success());
  script.pass_with_timer(100s);
  EXPECT_EQ(client.send(at("9.9.9.1", 7), "x").drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.send(at("9.9.9.2", 7), "x").to_peer);
}

TEST(CreatePermission, TheTimerForgetsWhatHasExpired) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 3600s);
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 300s);
  script.pass_with_timer(100s);
  EXPECT_TRUE(client.permit("9.9.9.2").success());
  script.pass_with_timer(200s);
  EXPECT_EQ(client.allocation()->permissions.size(), 1u);
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 100s);
  script.pass_with_timer(100s);
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 3200s);
}

TEST(CreatePermission, OfAnIpv6AllocationIsForIpv6Peers) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate(TurnClient::ipv6).success());
  EXPECT_TRUE(client.permit("2620:fe::9").success());
  EXPECT_EQ(client.permit("9.9.9.1").error(), 443);
  EXPECT_TRUE(client.send(at("2620:fe::9", 7), "x").to_peer);
}

}  // namespace
}  // namespace causeway::turn
