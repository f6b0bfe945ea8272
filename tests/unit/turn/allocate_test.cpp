// SPDX-License-Identifier: Apache-2.0
// Allocate (RFC 8656 §7).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr auto kTcp = [](MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedTransport, 6u << 24); };

TurnClient::Add even_port(bool reserve_next) {
  return [reserve_next](MessageBuilder& builder) {
    const std::uint8_t value = reserve_next ? 0x80 : 0;
    builder.add(AttributeType::kEvenPort, Bytes{&value, 1});
  };
}

TurnClient::Add family(std::uint8_t number) {
  return [number](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kRequestedAddressFamily, std::uint32_t{number} << 24);
  };
}

TurnClient::Add token(const Octets& octets) {
  return [octets](MessageBuilder& builder) { builder.add(AttributeType::kReservationToken, octets); };
}

Octets reserved_by(const Answer& answer) {
  return octets_of(answer.message().value(AttributeType::kReservationToken).value());
}

TEST(Allocate, AnswersWithRelayedAddressLifetimeAndMappedAddress) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.allocate();
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.relayed().address, ip("192.0.2.10"));
  EXPECT_GE(answer.relayed().port, 50000);
  EXPECT_LE(answer.relayed().port, 50099);
  EXPECT_EQ(answer.lifetime(), 600u);
  EXPECT_EQ(answer.address(AttributeType::kXorMappedAddress), at("198.51.100.7", 40000));
  EXPECT_TRUE(answer.has(AttributeType::kMessageIntegrity));
  EXPECT_FALSE(answer.has(AttributeType::kReservationToken));
  EXPECT_FALSE(answer.has(AttributeType::kNonce));
  EXPECT_EQ(script.ports.open_relays.size(), 1u);
  EXPECT_EQ(script.events.created, std::vector<std::string>{"alice"});
  EXPECT_EQ(client.allocation()->client.link, 42u);
}

TEST(Allocate, MirrorsFingerprintInSuccessAndError) {
  TurnScript script;
  TurnClient client{script};
  client.with_fingerprint = true;
  EXPECT_EQ(client.allocate(even_port(false)).error(), 0);  // check_reply() looks at it
  EXPECT_EQ(client.allocate().error(), 437);
}

TEST(Allocate, NeedsRequestedTransportUdp) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.request(Method::kAllocate).error(), 400);
  EXPECT_EQ(client.request(Method::kAllocate, kTcp).error(), 442);
  for (const std::size_t bytes : {0, 1, 3, 5, 8}) {
    const Octets value(bytes, 17);
    EXPECT_EQ(client
                  .request(Method::kAllocate,
                           [&](MessageBuilder& builder) { builder.add(AttributeType::kRequestedTransport, value); })
                  .error(),
              400);
  }
  EXPECT_TRUE(script.ports.tried.empty());
}

TEST(Allocate, RefusesUnknownAttributesAfterAuthenticationAndListsThem) {
  TurnScript script;
  TurnClient client{script};
  const auto add = [](MessageBuilder& builder) {
    builder.add_u32(AttributeType{0x7001}, 1);
    builder.add_flag(AttributeType{0x7002});
    builder.add_flag(AttributeType{0x7001});
    builder.add_flag(AttributeType{0xC001});  // comprehension-optional
  };
  EXPECT_EQ(client.bare(Method::kAllocate, add).error(), 401);
  const Answer answer = client.request(Method::kAllocate, add);
  EXPECT_EQ(answer.error(), 420);
  EXPECT_EQ(answer.unknown_attributes(), (std::vector<std::uint16_t>{0x7001, 0x7002}));
}

TEST(Allocate, IgnoresWhatIsKnownButOutOfPlace) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.allocate([](MessageBuilder& builder) {
    for (const auto type : {AttributeType::kMappedAddress, AttributeType::kErrorCode, AttributeType::kUnknownAttributes,
                            AttributeType::kXorMappedAddress, AttributeType::kXorRelayedAddress, AttributeType::kData,
                            AttributeType::kChannelNumber, AttributeType::kXorPeerAddress})
      builder.add(type, Octets(8));
  });
  EXPECT_TRUE(answer.success());
}

TEST(Allocate, ListsAtMostSixteenUnknownAttributes) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.allocate([](MessageBuilder& builder) {
    for (std::uint16_t i = 0; i < 4000; ++i)
      builder.add_flag(static_cast<AttributeType>(0x1000 + i));
  });
  EXPECT_EQ(answer.error(), 420);
  EXPECT_EQ(answer.unknown_attributes().size(), 16u);
}

TEST(Allocate, SupportsDontFragment) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(
      client.allocate([](MessageBuilder& builder) { builder.add_flag(AttributeType::kDontFragment); }).success());
}

TEST(Allocate, ChecksInTheOrderOfTheRfc) {
  TurnScript script;
  TurnClient client{script};
  const auto faults = [](std::size_t first) {  // from the one to be reported down to the last
    return [first](MessageBuilder& builder) {
      if (first <= 0) builder.add_flag(AttributeType{0x7001});
      if (first <= 1) kTcp(builder);
      if (first > 1) TurnClient::udp(builder);
      if (first <= 2) token(Octets(8))(builder);
      if (first <= 2) even_port(true)(builder);
      if (first <= 3) family(9)(builder);
      if (first == 4) family(2)(builder);
    };
  };
  EXPECT_EQ(client.request(Method::kAllocate, faults(0)).error(), 420);
  EXPECT_EQ(client.request(Method::kAllocate, faults(1)).error(), 442);
  EXPECT_EQ(client.request(Method::kAllocate, faults(2)).error(), 400);
  EXPECT_EQ(client.request(Method::kAllocate, faults(3)).error(), 440);
  EXPECT_EQ(client.request(Method::kAllocate, faults(4)).error(), 0);
  EXPECT_EQ(client.request(Method::kAllocate, faults(1)).error(), 437) << "step 2 precedes step 3";
  EXPECT_EQ(client.request(Method::kAllocate, faults(0)).error(), 420) << "STUN's check precedes TURN's";
}

TEST(Allocate, GivesAnIpv6AddressOnRequest) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.allocate(family(2));
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.relayed().address, ip("2001:db8::10")) << "of the default route: the request came over IPv4";
}

TEST(Allocate, GivesTheAddressTheRequestCameToForAWildcardRelay) {
  TurnScript script;
  script.options.relay_addresses.interfaces.insert(script.options.relay_addresses.interfaces.end(),
                                                   {ip("192.0.2.77"), ip("2001:db8::77")});
  TurnClient v4{script, at("198.51.100.7", 40000), at("192.0.2.77", 3478)};
  TurnClient v6{script, at("2001:db8:1::7", 40000), at("2001:db8::77", 3478)};
  EXPECT_EQ(v4.allocate().relayed().address, ip("192.0.2.77"));
  EXPECT_EQ(v6.allocate(family(2)).relayed().address, ip("2001:db8::77"));
}

TEST(Allocate, RefusesClientsOfTeredoAnd6to4) {
  TurnScript script;
  for (const auto* address : {"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2002:c633:6407::1", "2002::"}) {
    TurnClient client{script, at(address, 40000), at("2001:db8::10", 3478)};
    EXPECT_EQ(client.allocate().error(), 403) << address;
    EXPECT_TRUE(client.bare(Method::kBinding).success());
  }
  TurnClient beside{script, at("2001:1::1", 40000), at("2001:db8::10", 3478)};
  EXPECT_TRUE(beside.allocate().success());
  EXPECT_EQ(script.ports.tried.size(), 1u);
}

TEST(Allocate, GivesIpv4WithoutRequestedFamilyAlsoToAnIpv6Client) {
  TurnScript script;
  TurnClient v6{script, at("2001:db8:1::7", 40000), at("2001:db8::77", 3478)};
  EXPECT_EQ(v6.allocate().relayed().address, ip("192.0.2.10")) << "RFC 8656 §7.2: IPv4 is the default";
}

TEST(Allocate, UsesANamedRelayAddressWhereverTheRequestCameTo) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.11")};
  TurnClient client{script};
  EXPECT_EQ(client.allocate().relayed().address, ip("192.0.2.11"));
}

TEST(Allocate, RefusesFamiliesItDoesNotHave) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("0.0.0.0")};
  TurnClient client{script};
  EXPECT_EQ(client.allocate(family(2)).error(), 440);
  EXPECT_EQ(client.allocate(family(0)).error(), 440);
  EXPECT_EQ(client.allocate(family(3)).error(), 440);
  EXPECT_EQ(client.allocate([](MessageBuilder& b) { b.add_flag(AttributeType::kRequestedAddressFamily); }).error(),
            400);
}

TEST(Allocate, RefusesAWildcardRelayWithoutAnyAddressOfTheFamily) {
  TurnScript script;
  script.options.relay_addresses.default_route = {ip("192.0.2.10")};
  TurnClient client{script};
  EXPECT_EQ(client.allocate(family(2)).error(), 440);
  EXPECT_TRUE(script.ports.tried.empty()) << "a wildcard is never bound";
}

TEST(Allocate, AdvertisesTheExternalAddress) {
  TurnScript script;
  script.options.relay_addresses.external = {{ip("203.0.113.9")}};
  TurnClient client{script};
  EXPECT_EQ(client.allocate().relayed().address, ip("203.0.113.9"));
  EXPECT_EQ(script.ports.tried.at(0).address, ip("192.0.2.10"));
  TurnClient v6{script, at("198.51.100.7", 40001)};
  EXPECT_EQ(v6.allocate(family(2)).relayed().address, ip("2001:db8::10")) << "no external address of that family";
}

TEST(Allocate, NeverGivesOneRelayedAddressTwiceWhereSeveralLocalOnesShareAnExternal) {
  TurnScript script;
  script.options.relay_addresses.external = {{ip("203.0.113.9")}};
  script.options.relay_port_max = 50003;
  std::set<Endpoint> relayed;
  std::vector<std::unique_ptr<TurnClient>> clients;
  for (std::uint16_t i = 0; i < 6; ++i) {
    const auto server = i % 2 == 0 ? at("192.0.2.10", 3478) : at("192.0.2.11", 3478);
    clients.push_back(
        std::make_unique<TurnClient>(script, at("198.51.100.7", static_cast<std::uint16_t>(40000 + i)), server));
    const Answer answer = clients.back()->allocate();
    if (i < 4) {
      ASSERT_TRUE(answer.success());
      EXPECT_TRUE(relayed.insert(answer.relayed()).second) << answer.relayed();
    } else {
      EXPECT_EQ(answer.error(), 508);
    }
  }
  EXPECT_TRUE(clients[0]->refresh(0).success());
  EXPECT_TRUE(clients[5]->allocate().success()) << "from another local address";
}

TEST(Allocate, KeepsLifetimeBetweenDefaultAndMaximum) {
  const std::map<std::uint32_t, std::uint32_t> granted{{0, 600},     {1, 600},     {600, 600},        {601, 601},
                                                       {3600, 3600}, {3601, 3600}, {0xFFFFFFFF, 3600}};
  for (const auto& [asked, expected] : granted) {
    TurnScript script;
    TurnClient client{script};
    EXPECT_EQ(client.allocate_lifetime(asked).lifetime(), expected);
    EXPECT_EQ(client.allocation()->expires_at(), script.now.steady + std::chrono::seconds{expected});
  }
}

TEST(Allocate, GrantsTheMaximumWhereItIsBelowTheDefault) {
  TurnScript script;
  script.options.limits.allocation_lifetime_max = 300s;
  TurnClient client{script};
  EXPECT_EQ(client.allocate().lifetime(), 300u);
  EXPECT_EQ(client.refresh(10000).lifetime(), 300u);
}

TEST(Allocate, RefusesAMalformedLifetime) {
  TurnScript script;
  TurnClient client{script};
  for (const std::size_t bytes : {0, 1, 3, 8}) {
    const Octets value(bytes);
    const auto add = [&](MessageBuilder& builder) { builder.add(AttributeType::kLifetime, value); };
    EXPECT_EQ(client.allocate(add).error(), 400);
  }
  EXPECT_TRUE(script.ports.tried.empty());
}

TEST(Allocate, ASecondOneOnTheFiveTupleIsAMismatch) {
  TurnScript script;
  TurnClient client{script};
  const Endpoint relayed = client.allocate().relayed();
  EXPECT_EQ(client.allocate().error(), 437);
  client.as("bob", "builder");
  EXPECT_EQ(client.allocate().error(), 437);
  EXPECT_EQ(client.allocation()->relays[0].relayed_address, relayed);
  EXPECT_EQ(client.allocation()->user, "alice");
}

TEST(Allocate, ARetransmissionGetsTheSameRelayedAddress) {
  TurnScript script;
  TurnClient client{script};
  const Endpoint relayed = client.allocate().relayed();
  script.pass(2500ms);
  const Answer again = client.retransmit(Method::kAllocate, TurnClient::udp);
  ASSERT_TRUE(again.success());
  EXPECT_EQ(again.relayed(), relayed);
  EXPECT_EQ(again.lifetime(), 597u);
  EXPECT_EQ(script.ports.tried.size(), 1u);
  EXPECT_EQ(script.events.created.size(), 1u);
}

TEST(Allocate, AnotherUsersRequestWithTheSameTransactionIsNoRetransmission) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  client.as("bob", "builder");
  EXPECT_EQ(client.retransmit(Method::kAllocate, TurnClient::udp).error(), 437);
}

TEST(Allocate, ARetransmissionThatComesAfterTheEndMakesANewAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  script.pass(605s);  // and no timer has fired yet
  const Answer again = client.retransmit(Method::kAllocate, TurnClient::udp);
  ASSERT_TRUE(again.success());
  EXPECT_EQ(again.lifetime(), 600u);
  EXPECT_EQ(script.events.ended.size(), 1u);
}

TEST(Allocate, TheSameClientMayAllocateOncePerTransportAndServerAddress) {
  TurnScript script;
  TurnClient udp{script};
  TurnClient tcp{script, at("198.51.100.7", 40000), at("192.0.2.10", 3478), Transport::kTcp};
  TurnClient tls{script, at("198.51.100.7", 40000), at("192.0.2.10", 3478), Transport::kTls};
  TurnClient other{script, at("198.51.100.7", 40000), at("192.0.2.10", 443)};
  for (TurnClient* client : {&udp, &tcp, &tls, &other})
    EXPECT_TRUE(client->allocate().success());
  EXPECT_EQ(script.server().allocations().size(), 4u);
}

TEST(Allocate, HoldsEachUserToTheQuota) {
  TurnScript script;
  script.limits.allocations_per_user_max = 2;
  TurnClient first{script, at("198.51.100.7", 40000)};
  TurnClient second{script, at("198.51.100.7", 40001)};
  TurnClient third{script, at("198.51.100.7", 40002)};
  EXPECT_TRUE(first.allocate().success());
  EXPECT_TRUE(second.allocate().success());
  EXPECT_EQ(third.allocate().error(), 486);
  third.as_time_limited("alice", script.now.wall + 1h);
  EXPECT_EQ(third.allocate().error(), 486) << "the same user by another credential";
  third.as("bob", "builder");
  EXPECT_TRUE(third.allocate().success());
  EXPECT_TRUE(first.refresh(0).success());
  EXPECT_TRUE(first.allocate().success());
}

TEST(Allocate, HoldsTheServerToItsTotal) {
  TurnScript script;
  script.options.limits.allocations_total_max = 1;
  TurnClient alice{script, at("198.51.100.7", 40000)};
  TurnClient bob{script, at("198.51.100.7", 40001)};
  bob.as("bob", "builder");
  EXPECT_TRUE(alice.allocate().success());
  EXPECT_EQ(bob.allocate().error(), 508);
  EXPECT_TRUE(alice.refresh(0).success());
  EXPECT_TRUE(bob.allocate().success());
}

TEST(Allocate, AnEnormousTotalCostsNoMemory) {
  TurnScript script;
  script.options.limits.allocations_total_max = 0xFFFFFFFF;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
}

TEST(Allocate, RefusesOnceThePortsAreUsedUp) {
  TurnScript script;
  script.options.relay_port_max = 50002;
  std::vector<std::unique_ptr<TurnClient>> clients;
  for (std::uint16_t port = 40000; port < 40004; ++port)
    clients.push_back(std::make_unique<TurnClient>(script, at("198.51.100.7", port)));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(clients[i]->allocate().success());
  EXPECT_EQ(clients[3]->allocate().error(), 508);
  EXPECT_EQ(script.ports.tried.size(), 3u);
  const Endpoint freed = clients[1]->allocation()->relays[0].relayed_address;
  EXPECT_TRUE(clients[1]->refresh(0).success());
  EXPECT_EQ(clients[3]->allocate().relayed(), freed);
}

TEST(Allocate, GivesAnEvenPort) {
  TurnScript script;
  script.limits.allocations_per_user_max = 0;
  for (std::uint16_t port = 40000; port < 40020; ++port) {
    TurnClient client{script, at("198.51.100.7", port)};
    const Answer answer = client.allocate(even_port(false));
    EXPECT_EQ(answer.relayed().port % 2, 0);
    EXPECT_FALSE(answer.has(AttributeType::kReservationToken));
  }
}

TEST(Allocate, RefusesAnEvenPortWhenOnlyOddOnesAreFree) {
  TurnScript script;
  script.options.relay_port_min = script.options.relay_port_max = 50001;
  TurnClient client{script};
  EXPECT_EQ(client.allocate(even_port(false)).error(), 508);
  EXPECT_EQ(client.allocate(even_port(true)).error(), 508);
  EXPECT_TRUE(client.allocate().success());
}

TEST(Allocate, RefusesAMalformedEvenPort) {
  TurnScript script;
  TurnClient client{script};
  for (const std::size_t bytes : {0, 2, 4}) {
    const Octets value(bytes);
    const auto add = [&](MessageBuilder& builder) { builder.add(AttributeType::kEvenPort, value); };
    EXPECT_EQ(client.allocate(add).error(), 400);
  }
}

TEST(Reservation, KeepsTheNextHigherPortForItsToken) {
  TurnScript script;
  TurnClient rtp{script, at("198.51.100.7", 40000)};
  TurnClient rtcp{script, at("198.51.100.7", 40001)};
  const Answer first = rtp.allocate(even_port(true));
  ASSERT_TRUE(first.success());
  EXPECT_EQ(first.relayed().port % 2, 0);
  EXPECT_EQ(script.ports.open_relays.size(), 2u);
  EXPECT_EQ(script.server().allocations().size(), 1u);
  const Answer second = rtcp.allocate(token(reserved_by(first)));
  ASSERT_TRUE(second.success());
  EXPECT_EQ(second.relayed(), at("192.0.2.10", static_cast<std::uint16_t>(first.relayed().port + 1)));
  EXPECT_EQ(script.ports.open_relays.size(), 2u) << "the open socket is handed over";
  EXPECT_FALSE(second.has(AttributeType::kReservationToken));
}

TEST(Reservation, ATokenWorksOnceForItsOwnUserOnly) {
  TurnScript script;
  TurnClient rtp{script, at("198.51.100.7", 40000)};
  TurnClient bob{script, at("198.51.100.7", 40001)};
  TurnClient rtcp{script, at("198.51.100.7", 40002)};
  TurnClient late{script, at("198.51.100.7", 40003)};
  const Octets reserved = reserved_by(rtp.allocate(even_port(true)));
  EXPECT_EQ(bob.as("bob", "builder").allocate(token(reserved)).error(), 508);
  EXPECT_EQ(rtcp.allocate(token(Octets(8, 1))).error(), 508);
  EXPECT_TRUE(rtcp.allocate(token(reserved)).success());
  EXPECT_TRUE(rtcp.retransmit(Method::kAllocate,
                              [&](MessageBuilder& builder) {
                                TurnClient::udp(builder);
                                token(reserved)(builder);
                              })
                  .success());
  EXPECT_EQ(late.allocate(token(reserved)).error(), 508);
}

TEST(Reservation, ARetransmissionRepeatsTheToken) {
  TurnScript script;
  TurnClient rtp{script};
  const auto add = [](MessageBuilder& builder) {
    TurnClient::udp(builder);
    even_port(true)(builder);
  };
  const Octets reserved = reserved_by(rtp.request(Method::kAllocate, add));
  EXPECT_EQ(reserved_by(rtp.retransmit(Method::kAllocate, add)), reserved);
  EXPECT_EQ(script.ports.open_relays.size(), 2u);
}

TEST(Reservation, EndsAfterThirtySeconds) {
  TurnScript script;
  TurnClient rtp{script, at("198.51.100.7", 40000)};
  TurnClient rtcp{script, at("198.51.100.7", 40001)};
  const Octets reserved = reserved_by(rtp.allocate(even_port(true)));
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 30s);
  script.pass_with_timer(30s - 1ns);
  EXPECT_EQ(script.ports.open_relays.size(), 2u);
  script.pass_with_timer(1ns);
  EXPECT_EQ(script.ports.open_relays.size(), 1u);
  EXPECT_EQ(rtcp.allocate(token(reserved)).error(), 508);
  EXPECT_EQ(script.server().next_deadline(), script.now.steady + 570s);
}

TEST(Reservation, IsOverAfterThirtySecondsAlsoBeforeTheTimerFires) {
  TurnScript script;
  TurnClient rtp{script, at("198.51.100.7", 40000)};
  TurnClient rtcp{script, at("198.51.100.7", 40001)};
  const Octets reserved = reserved_by(rtp.allocate(even_port(true)));
  script.pass(30s);
  EXPECT_EQ(rtcp.allocate(token(reserved)).error(), 508);
}

TEST(Reservation, CountsAgainstTheQuotaUntilItEnds) {
  TurnScript script;
  script.limits.allocations_per_user_max = 2;
  TurnClient rtp{script, at("198.51.100.7", 40000)};
  TurnClient other{script, at("198.51.100.7", 40001)};
  EXPECT_TRUE(rtp.allocate(even_port(true)).success());
  EXPECT_EQ(other.allocate().error(), 486);
  script.pass_with_timer(30s);
  EXPECT_TRUE(other.allocate().success());
  EXPECT_TRUE(rtp.refresh(0).success());
  EXPECT_EQ(rtp.allocate(even_port(true)).error(), 486) << "room for one only: all or nothing";
  EXPECT_TRUE(rtp.allocate().success());
}

TEST(Reservation, ContradictingAttributesAre400) {
  TurnScript script;
  TurnClient client{script};
  const auto with = [](const TurnClient::Add& other) {
    return [other](MessageBuilder& builder) {
      token(Octets(8))(builder);
      other(builder);
    };
  };
  EXPECT_EQ(client.allocate(with(even_port(false))).error(), 400);
  EXPECT_EQ(client.allocate(with(family(1))).error(), 400);
  EXPECT_EQ(client
                .allocate(with([](MessageBuilder& builder) {
                  builder.add_u32(AttributeType::kAdditionalAddressFamily, 2u << 24);
                }))
                .error(),
            400);
  for (const std::size_t bytes : {0, 7, 9})
    EXPECT_EQ(client.allocate(token(Octets(bytes))).error(), 400);
  EXPECT_EQ(client.allocate(token(Octets(8))).error(), 508);
}

TEST(Reservation, APacketForAReservedPortIsDropped) {
  TurnScript script;
  TurnClient rtp{script};
  const Answer first = rtp.allocate(even_port(true));
  const auto reserved = script.ports.relay_at(at("192.0.2.10", static_cast<std::uint16_t>(first.relayed().port + 1)));
  EXPECT_EQ(script.from_peer(reserved.value(), at("9.9.9.9", 9), "early").drop, DropReason::kUnknownRelay);
}

// The same script of an Allocate, run with each call to open() failing in turn, with each error.
TEST(Allocate, LeavesNothingBehindWhicheverEffectFails) {
  struct Case {
    TurnClient::Add add;
    std::size_t relays;
  };
  for (const Case& wish : {Case{{}, 1}, Case{family(2), 1}, Case{even_port(false), 1}, Case{even_port(true), 2}}) {
    for (std::size_t call = 0; call < wish.relays; ++call) {
      for (const auto error :
           {RelayOpenError::kPortInUse, RelayOpenError::kAddressNotAvailable, RelayOpenError::kNoResources}) {
        TurnScript script;
        script.limits.allocations_per_user_max = static_cast<std::uint32_t>(wish.relays);
        script.options.limits.allocations_total_max = static_cast<std::uint32_t>(wish.relays);
        script.options.relay_port_min = 50000;
        script.options.relay_port_max = static_cast<std::uint16_t>(49999 + wish.relays);
        TurnClient client{script};
        script.ports.fail_at[call] = error;
        const Answer answer = client.allocate(wish.add);
        if (error == RelayOpenError::kPortInUse) {
          EXPECT_TRUE(answer.success()) << "another port is tried";
        } else {
          EXPECT_EQ(answer.error(), 508);
          EXPECT_EQ(script.ports.open_relays.size(), 0u);
          EXPECT_EQ(script.server().allocations().size(), 0u);
          EXPECT_EQ(script.server().next_deadline(), std::nullopt);
          EXPECT_TRUE(script.events.created.empty());
          EXPECT_EQ(script.ports.tried.size(), call + 1) << "no other port can help";
          EXPECT_TRUE(client.allocate(wish.add).success()) << "quota and the only ports are free again";
        }
        EXPECT_EQ(script.ports.open_relays.size(), wish.relays);
        for (const auto& [id, local] : script.ports.open_relays)
          EXPECT_LT(id.first, wish.relays) << "the slots were free again";
      }
    }
  }
}

TEST(Allocate, GivesUpAfterABoundedNumberOfPortsInUse) {
  TurnScript script;
  for (std::uint16_t port = 50000; port <= 50099; ++port)
    script.ports.taken_by_others.insert(at("192.0.2.10", port));
  TurnClient client{script};
  EXPECT_EQ(client.allocate().error(), 508);
  EXPECT_EQ(script.ports.tried.size(), static_cast<std::size_t>(PortPool::kOpenAttemptsMax));
  script.ports.taken_by_others.clear();
  EXPECT_TRUE(client.allocate().success());
}

TEST(Allocate, DoesNotOutliveItsCredential) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall + 100s);
  EXPECT_EQ(client.allocate_lifetime(3600).lifetime(), 100u);
  script.pass(40s);
  EXPECT_EQ(client.refresh(3600).lifetime(), 60u);
  script.pass_with_timer(60s - 1ns);
  EXPECT_EQ(script.server().allocations().size(), 1u);
  script.pass_with_timer(1ns);
  EXPECT_EQ(script.server().allocations().size(), 0u);
  EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kCredentialExpired);
}

TEST(Allocate, ACredentialFarInTheFutureIsAsGoodAsAStaticUser) {
  for (const std::int64_t expiry : {9'999'999'999, 11'023'372'036, 99'999'999'999}) {
    TurnScript script;
    TurnClient client{script};
    client.as_time_limited("carol", WallTime{std::chrono::seconds{expiry}});
    EXPECT_EQ(client.allocate_lifetime(3600).lifetime(), 3600u) << expiry;
    EXPECT_EQ(client.refresh(3600).lifetime(), 3600u) << expiry;
    script.pass_with_timer(3599s);
    EXPECT_EQ(script.server().allocations().size(), 1u);
  }
}

TEST(Allocate, AWallClockThatWasSetBackGivesNoNegativeLifetime) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall + 100s);
  EXPECT_TRUE(client.allocate().success());
  script.now.steady += 105s;  // the wall clock did not move, and no timer has fired yet
  EXPECT_EQ(client.refresh(3600).error(), 437);
}

}  // namespace
}  // namespace causeway::turn
