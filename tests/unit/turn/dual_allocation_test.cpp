// SPDX-License-Identifier: Apache-2.0
// One allocation with an IPv4 and an IPv6 relayed transport address: ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §7.2 step 9)
// and the Refresh of one family (§8.1).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr auto kV4 = AddressFamily::kIPv4;
constexpr auto kV6 = AddressFamily::kIPv6;

// Family and code of an ADDRESS-ERROR-CODE.
std::pair<AddressFamily, int> address_error(const Answer& answer) {
  const Bytes value = answer.message().value(AttributeType::kAddressErrorCode).value();
  EXPECT_EQ(value[1], 0);
  EXPECT_EQ(as_text(value.subspan(4)), stun::reason_phrase(ErrorCode{stun::read_error_code(value).value()}));
  return {AddressFamily{value[0]}, stun::read_error_code(value).value()};
}

TEST(DualAllocation, GivesOneAddressOfEachFamilyInOneAnswer) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.allocate_dual();
  ASSERT_TRUE(answer.success());
  const auto relayed = answer.addresses(AttributeType::kXorRelayedAddress);
  ASSERT_EQ(relayed.size(), 2u);
  EXPECT_EQ(relayed[0].address, ip("192.0.2.10"));
  EXPECT_EQ(relayed[1].address, ip("2001:db8::10"));
  EXPECT_FALSE(answer.has(AttributeType::kAddressErrorCode));
  EXPECT_EQ(answer.lifetime(), 600u);
  EXPECT_EQ(script.ports.open_relays.size(), 2u);
  EXPECT_EQ(script.events.created.size(), 1u);

  const Answer again = client.retransmit(Method::kAllocate, [](MessageBuilder& builder) {
    TurnClient::udp(builder);
    TurnClient::additional_ipv6(builder);
  });
  EXPECT_EQ(again.addresses(AttributeType::kXorRelayedAddress), relayed);
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_TRUE(script.ports.open_relays.empty());
}

TEST(DualAllocation, RelaysToAndFromPeersOfBothFamilies) {
  TurnScript script;
  TurnClient client{script};
  client.allocate_dual();
  const Endpoint v4 = at("9.9.9.9", 7000);
  const Endpoint v6 = at("2620:fe::9", 7000);
  EXPECT_TRUE(client.permit("9.9.9.9", "2620:fe::9").success()) << "one request, both families";
  EXPECT_TRUE(client.bind(0x4000, v4).success());
  EXPECT_TRUE(client.bind(0x4001, v6).success());
  EXPECT_NE(client.relay(kV4), client.relay(kV6));
  for (const auto& [peer, relay, number] :
       {std::tuple{v4, client.relay(kV4), std::uint16_t{0x4000}}, {v6, client.relay(kV6), std::uint16_t{0x4001}}}) {
    EXPECT_EQ(client.send(peer, "x").to_peer.value().relay, relay);
    EXPECT_EQ(client.channel_data(number, "x").to_peer.value().relay, relay);
    EXPECT_TRUE(script.from_peer(relay, peer, "x").is_channel_data(number));
  }
}

TEST(DualAllocation, IsOneAllocationToTheQuota) {
  TurnScript script;
  script.limits.allocations_per_user_max = 1;
  TurnClient client{script};
  TurnClient other{script, at("198.51.100.7", 40001)};
  EXPECT_EQ(client.allocate_dual().addresses(AttributeType::kXorRelayedAddress).size(), 2u);
  EXPECT_EQ(other.allocate().error(), 486);
  EXPECT_TRUE(client.refresh_family(kV4, 0).success());
  EXPECT_EQ(other.allocate().error(), 486) << "half of it is still there";
  EXPECT_TRUE(client.refresh_family(kV6, 0).success());
  EXPECT_TRUE(other.allocate_dual().success());
}

TEST(DualAllocation, AFamilyThatIsNotThereIsAnAddressError) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  TurnClient client{script};
  const Answer answer = client.allocate_dual();
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.addresses(AttributeType::kXorRelayedAddress).size(), 1u);
  EXPECT_EQ(answer.relayed().address, ip("192.0.2.10"));
  EXPECT_EQ(address_error(answer), std::pair(kV6, 440));
  const Answer again = client.retransmit(Method::kAllocate, [](MessageBuilder& builder) {
    TurnClient::udp(builder);
    TurnClient::additional_ipv6(builder);
  });
  EXPECT_EQ(address_error(again), std::pair(kV6, 440));
  EXPECT_EQ(client.permit("2620:fe::9").error(), 443);
}

TEST(DualAllocation, SpeaksTheNumbersOfTheDraftsToWhoeverUsesThem) {
  TurnScript script;
  const auto of_drafts = [](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kAdditionalAddressFamilyOfDrafts, 2u << 24);
  };
  TurnClient client{script};
  EXPECT_EQ(client.allocate(of_drafts).addresses(AttributeType::kXorRelayedAddress).size(), 2u);
  script.server().set_relay_addresses({.relay = {ip("192.0.2.10")}});
  TurnClient other{script, at("198.51.100.7", 40001)};
  const Answer answer = other.allocate(of_drafts);
  EXPECT_FALSE(answer.has(AttributeType::kAddressErrorCode));
  EXPECT_EQ(stun::read_error_code(answer.message().value(AttributeType::kAddressErrorCodeOfDrafts).value()), 440);
}

TEST(DualAllocation, GivesIpv6AloneWhereThereIsNoIpv4) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("::")};
  TurnClient client{script};
  const Answer answer = client.allocate_dual();
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.relayed().address, ip("2001:db8::10"));
  EXPECT_EQ(address_error(answer), std::pair(kV4, 440));
  TurnClient single{script, at("198.51.100.7", 40001)};
  EXPECT_EQ(single.allocate().error(), 440);
}

TEST(DualAllocation, AnExhaustedFamilyIsAnAddressErrorAndBothAre508) {
  TurnScript script;
  script.options.relay_port_max = 50000;
  TurnClient v4{script, at("198.51.100.7", 40001)};
  TurnClient v6{script, at("198.51.100.7", 40002)};
  TurnClient client{script};
  EXPECT_TRUE(v4.allocate().success());
  const Answer without_v4 = client.allocate_dual();
  ASSERT_TRUE(without_v4.success());
  EXPECT_EQ(without_v4.relayed().address, ip("2001:db8::10"));
  EXPECT_EQ(address_error(without_v4), std::pair(kV4, 508));
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_TRUE(v6.allocate(TurnClient::ipv6).success());
  EXPECT_EQ(client.allocate_dual().error(), 508);
  EXPECT_TRUE(v4.refresh(0).success());
  EXPECT_EQ(address_error(client.allocate_dual()), std::pair(kV6, 508));
  EXPECT_EQ(script.server().counters().relay_open_errors[static_cast<std::size_t>(RelayOpenError::kNoPortFree)], 4u);
}

TEST(DualAllocation, NeitherFamilyIs440AndOneOfThemExhausted508) {
  {
    TurnScript script;
    script.options.relay_addresses.relay = {};
    TurnClient client{script};
    EXPECT_EQ(client.allocate_dual().error(), 440);
  }
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  script.options.relay_port_max = 50000;
  TurnClient other{script, at("198.51.100.7", 40001)};
  TurnClient client{script};
  EXPECT_TRUE(other.allocate().success());
  EXPECT_EQ(client.allocate_dual().error(), 508);
}

TEST(DualAllocation, RefusesContradictions) {
  TurnScript script;
  TurnClient client{script};
  const auto additional = [](std::uint8_t family) {
    return [family](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kAdditionalAddressFamily, std::uint32_t{family} << 24);
    };
  };
  for (const std::uint8_t family : std::initializer_list<std::uint8_t>{0, 1, 3})
    EXPECT_EQ(client.allocate(additional(family)).error(), 400);
  EXPECT_EQ(client.allocate([](MessageBuilder& b) { b.add_flag(AttributeType::kAdditionalAddressFamily); }).error(),
            400);
  EXPECT_EQ(client
                .allocate([&](MessageBuilder& builder) {
                  TurnClient::ipv6(builder);
                  additional(2)(builder);
                })
                .error(),
            400)
      << "step 6";
  const auto even_port = [&](std::uint8_t r) {
    return [=](MessageBuilder& builder) {
      builder.add(AttributeType::kEvenPort, Bytes{&r, 1});
      additional(2)(builder);
    };
  };
  EXPECT_EQ(client.allocate(even_port(0x80)).error(), 400) << "step 8";
  EXPECT_TRUE(script.ports.tried.empty());
  const Answer even = client.allocate(even_port(0));
  for (const Endpoint& relayed : even.addresses(AttributeType::kXorRelayedAddress))
    EXPECT_EQ(relayed.port % 2, 0);
}

TEST(DualAllocation, ARefreshOfOneFamilyLeavesTheOtherToItsEnd) {
  TurnScript script;
  TurnClient client{script};
  client.allocate_dual();
  client.permit("9.9.9.9", "2620:fe::9");
  script.pass_with_timer(400s);
  EXPECT_EQ(client.refresh_family(kV6, 900).lifetime(), 900u);
  EXPECT_TRUE(client.permit("9.9.9.9", "2620:fe::9").success());
  script.pass_with_timer(200s - 1ns);
  EXPECT_TRUE(client.send(at("9.9.9.9", 9), "x").to_peer);
  script.pass_with_timer(1ns);
  EXPECT_EQ(client.send(at("9.9.9.9", 9), "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(client.permit("9.9.9.9").error(), 443);
  EXPECT_TRUE(client.send(at("2620:fe::9", 9), "x").to_peer);
  EXPECT_EQ(script.ports.open_relays.size(), 1u);
  script.pass_with_timer(700s);
  EXPECT_EQ(client.allocation(), nullptr);
  EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kExpired);
}

TEST(DualAllocation, ARefreshWithoutFamilyIsForBoth) {
  TurnScript script;
  TurnClient client{script};
  client.allocate_dual();
  script.pass_with_timer(500s);
  EXPECT_EQ(client.refresh().lifetime(), 600u);
  script.pass_with_timer(599s);
  EXPECT_EQ(client.allocation()->relays.size(), 2u);
  script.pass_with_timer(1s);
  EXPECT_EQ(client.allocation(), nullptr);
}

TEST(DualAllocation, BothEndTogetherWhenNeitherIsRefreshedWhateverTheTimerDoes) {
  TurnScript script;
  TurnClient client{script};
  client.allocate_dual();
  script.pass(400s);
  EXPECT_TRUE(client.refresh_family(kV4, 600).success());
  script.pass(200s);  // and no timer has fired yet
  EXPECT_EQ(client.refresh_family(kV6, 600).error(), 443) << "it ended before";
  EXPECT_TRUE(client.refresh_family(kV4, 600).success());
}

TEST(DualAllocation, LifetimeZeroRemovesOneFamilyWithItsPermissionsAndChannels) {
  TurnScript script;
  TurnClient client{script};
  const auto relayed = client.allocate_dual().addresses(AttributeType::kXorRelayedAddress);
  const Endpoint v4 = at("9.9.9.9", 7000);
  const Endpoint v6 = at("2620:fe::9", 7000);
  client.bind(0x4000, v4);
  client.bind(0x4001, v6);
  const RelayId v4_relay = client.relay(kV4);

  EXPECT_EQ(client.refresh_family(kV4, 0).lifetime(), 0u);
  EXPECT_EQ(client.retransmit(Method::kRefresh, TurnClient::refresh_of(kV4, 0)).lifetime(), 0u)
      << "the answer may have been lost";
  EXPECT_EQ(client.refresh_family(kV4, 0).error(), 443);
  EXPECT_EQ(client.refresh_family(kV4, 600).error(), 443);
  EXPECT_EQ(script.ports.open_relays.size(), 1u);
  EXPECT_TRUE(script.events.ended.empty());
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kUnknownChannel);
  EXPECT_EQ(client.send(v4, "x").drop, DropReason::kNoPermission);
  EXPECT_EQ(script.from_peer(v4_relay, v4, "x").drop, DropReason::kUnknownRelay);
  EXPECT_EQ(client.permit("9.9.9.9").error(), 443);
  EXPECT_EQ(client.bind(0x4002, v4).error(), 400) << "the peer cools down with its channel";
  EXPECT_EQ(client.bind(0x4000, at("2620:fe::10", 7000)).error(), 400);
  EXPECT_TRUE(client.channel_data(0x4001, "x").to_peer);
  EXPECT_TRUE(client.send(v6, "x").to_peer);

  script.pass_with_timer(300s);
  EXPECT_EQ(client.bind(0x4002, v4).error(), 443);
  EXPECT_TRUE(client.bind(0x4000, at("2620:fe::10", 7000)).success());
  EXPECT_TRUE(client.refresh_family(kV6, 0).success()) << "the last one ends the allocation";
  EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kReleased);
  EXPECT_EQ(client.refresh_family(kV6, 0).error(), 437);
}

TEST(DualAllocation, ARefreshOfASingleOneWithItsOwnFamilyIsAnOrdinaryOne) {
  TurnScript script;
  TurnClient client{script};
  client.allocate();
  EXPECT_EQ(client.refresh_family(kV6, 600).error(), 443);
  EXPECT_EQ(client.refresh_family(kV6, 0).error(), 443);
  EXPECT_EQ(client.refresh_family(AddressFamily{3}, 600).error(), 443);
  EXPECT_EQ(client.refresh_family(kV4, 700).lifetime(), 700u);
  EXPECT_TRUE(client.refresh_family(kV4, 0).success());
  EXPECT_EQ(client.allocation(), nullptr);
}

TEST(DualAllocation, ReachesAnotherInProcessByTheAddressOfTheSameFamily) {
  TurnScript script;
  TurnClient first{script};
  TurnClient second{script, at("198.51.100.7", 40001)};
  const auto of_first = first.allocate_dual().addresses(AttributeType::kXorRelayedAddress);
  const auto of_second = second.allocate_dual().addresses(AttributeType::kXorRelayedAddress);
  for (const std::size_t family : {0u, 1u}) {
    EXPECT_TRUE(first.permit(of_second[family].address.to_string()).success());
    EXPECT_TRUE(second.permit(of_first[family].address.to_string()).success());
    const Answer answer = first.send(of_second[family], "hello");
    ASSERT_TRUE(answer.is_data_indication());
    EXPECT_EQ(answer.to_client->client.five_tuple, second.ref.five_tuple);
    EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), of_first[family]);
  }
}

}  // namespace
}  // namespace causeway::turn
