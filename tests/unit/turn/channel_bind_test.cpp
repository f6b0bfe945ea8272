// SPDX-License-Identifier: Apache-2.0
// ChannelBind (RFC 8656 §12.2).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

TEST(ChannelBind, BindsANumberAndInstallsAPermission) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
  EXPECT_TRUE(client.send(at("9.9.9.1", 8), "x").to_peer) << "the permission is for all ports";
  EXPECT_EQ(client.channel_data(0x4001, "x").drop, DropReason::kUnknownChannel);
}

TEST(ChannelBind, TakesTheNumbersOfRfc5766Too) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  std::uint16_t port = 1;
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{0x4000, 0x4FFF, 0x5000, 0x6123, 0x7FFF}) {
    EXPECT_TRUE(client.bind(number, at("9.9.9.1", port++)).success());
    EXPECT_TRUE(client.channel_data(number, "x").to_peer);
  }
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{0x0000, 0x0001, 0x3FFF, 0x8000, 0xFFFF})
    EXPECT_EQ(client.bind(number, at("9.9.9.1", port)).error(), 400);
}

TEST(ChannelBind, NeedsBothAttributesWellFormed) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  const auto number = [](MessageBuilder& b) { b.add_u32(AttributeType::kChannelNumber, 0x40000000); };
  const auto peer = [](MessageBuilder& b) { b.add_xor_address(AttributeType::kXorPeerAddress, at("9.9.9.1", 7)); };
  EXPECT_EQ(client.request(Method::kChannelBind).error(), 400);
  EXPECT_EQ(client.request(Method::kChannelBind, number).error(), 400);
  EXPECT_EQ(client.request(Method::kChannelBind, peer).error(), 400);
  EXPECT_EQ(client
                .request(Method::kChannelBind,
                         [&](MessageBuilder& b) {
                           b.add(AttributeType::kChannelNumber, Octets{0x40, 0});
                           peer(b);
                         })
                .error(),
            400);
  EXPECT_EQ(client
                .request(Method::kChannelBind,
                         [&](MessageBuilder& b) {
                           number(b);
                           b.add(AttributeType::kXorPeerAddress, Octets(7));
                         })
                .error(),
            400);
  EXPECT_EQ(client.allocation()->channels.size(), 0u);
  EXPECT_EQ(client.allocation()->permissions.size(), 0u);
}

TEST(ChannelBind, NeedsAnAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.1", 7)).error(), 437);
}

TEST(ChannelBind, RefusesForbiddenPeersAndTheOtherFamily) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.bind(0x4000, at("10.0.0.1", 7)).error(), 403);
  EXPECT_EQ(client.bind(0x4000, at("2620:fe::9", 7)).error(), 443);
  EXPECT_EQ(client.allocation()->channels.size(), 0u);
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success()) << "the number is still free";
}

TEST(ChannelBind, RefusesConflictsBothWays) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.1", 8)).error(), 400) << "the number belongs to another peer";
  EXPECT_EQ(client.bind(0x4001, at("9.9.9.1", 7)).error(), 400) << "the peer has another number";
  EXPECT_TRUE(client.bind(0x4001, at("9.9.9.1", 8)).success());
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.1", 8)).error(), 400) << "both are taken, by different bindings";
  TurnClient other{script, at("198.51.100.7", 40001)};
  EXPECT_TRUE(other.allocate().success());
  EXPECT_TRUE(other.bind(0x4000, at("9.9.9.1", 8)).success()) << "numbers are an allocation's own";
}

TEST(ChannelBind, ExpiresAfterTenMinutesUnlessRefreshed) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  const Endpoint peer = at("9.9.9.1", 7);
  EXPECT_TRUE(client.bind(0x4000, peer).success());
  script.pass_with_timer(500s);
  EXPECT_TRUE(client.bind(0x4000, peer).success());
  script.pass_with_timer(400s);
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  script.pass_with_timer(200s - 1ns);
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
  EXPECT_TRUE(script.from_peer(client.relay(), peer, "x").is_channel_data(0x4000));
  script.pass_with_timer(1ns);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kUnknownChannel);
  EXPECT_TRUE(script.from_peer(client.relay(), peer, "x").is_data_indication());
}

TEST(ChannelBind, KeepsNumberAndPeerApartForFiveMinutesAfterExpiry) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  script.pass_with_timer(900s - 1ns);
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.1", 8)).error(), 400);
  EXPECT_EQ(client.bind(0x4001, at("9.9.9.1", 7)).error(), 400);
  script.pass_with_timer(1ns);
  EXPECT_EQ(client.allocation()->channels.size(), 0u);
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 8)).success());
  EXPECT_TRUE(client.bind(0x4001, at("9.9.9.1", 7)).success());
}

TEST(ChannelBind, TheSamePairMayBeBoundAgainWhileItCoolsDown) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  script.pass_with_timer(700s);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kUnknownChannel);
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  script.pass_with_timer(299s);
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
}

TEST(ChannelBind, CoolDownEndsAlsoWhereTheTimerIsLate) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  script.pass(900s);
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 8)).success());
}

TEST(ChannelBind, ItsTrafficNeedsALivePermission) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success());
  script.pass_with_timer(300s);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(script.from_peer(client.relay(), at("9.9.9.1", 7), "x").drop, DropReason::kNoPermission);
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 7)).success()) << "refreshes both";
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
}

TEST(ChannelBind, IsBoundedPerAllocation) {
  TurnScript script;
  script.options.limits.channels_per_allocation_max = 2;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 1)).success());
  EXPECT_TRUE(client.bind(0x4001, at("9.9.9.1", 2)).success());
  EXPECT_EQ(client.bind(0x4002, at("9.9.9.1", 3)).error(), 508);
  EXPECT_TRUE(client.bind(0x4001, at("9.9.9.1", 2)).success());
  script.pass_with_timer(899s);
  EXPECT_EQ(client.bind(0x4002, at("9.9.9.1", 3)).error(), 508) << "what cools down still takes room";
  script.pass_with_timer(1s);
  EXPECT_TRUE(client.bind(0x4002, at("9.9.9.1", 3)).success());
}

TEST(ChannelBind, TheTimerGoesAwayWithTheAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.bind(0x4000, at("9.9.9.1", 1)).success());
  script.pass_with_timer(599s);
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 1s);
  script.pass_with_timer(1s);
  EXPECT_EQ(script.server().next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace causeway::turn
