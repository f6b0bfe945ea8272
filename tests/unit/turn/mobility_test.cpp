// SPDX-License-Identifier: Apache-2.0
// Mobility (RFC 8016): a client takes its allocation along to another five-tuple.
#include "causeway/turn/mobility.hpp"

#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

const Endpoint kServer = at("192.0.2.10", 3478);
const Endpoint kHome = at("198.51.100.7", 40000);
const Endpoint kRoad = at("203.0.113.9", 50000);
const Endpoint kOffice = at("2001:db8:1::7", 50001);
constexpr std::uint16_t kChannel = 0x4001;

void wish(MessageBuilder& builder) {
  builder.add_flag(AttributeType::kMobilityTicket);
}

// A server that lets clients move, and one client at several places.
struct Journey {
  TurnScript script;
  TurnClient home;
  TurnClient road;
  TurnClient office;

  explicit Journey(Transport from = Transport::kUdp, Transport to = Transport::kUdp)
      : home{script, kHome, kServer, from}, road{script, kRoad, kServer, to}, office{script, kOffice, kServer} {
    script.options.mobility = true;
    road.ref.link = 43;
    office.ref.link = 44;
  }
  std::string begin() {
    const Answer answer = home.allocate(wish);
    EXPECT_TRUE(answer.success());
    EXPECT_TRUE(home.bind(kChannel, kPeer).success());
    return answer.text(AttributeType::kMobilityTicket);
  }
  const Allocation& allocation() {
    const Allocation* found = nullptr;
    script.server().allocations().for_each([&](const Allocation& one) { found = &one; });
    return *found;
  }
  // Where a packet of the peer goes to.
  std::optional<ClientRef> receiver() {
    const Answer answer = script.from_peer(allocation().relays.front().id, kPeer, "hello");
    if (!answer.to_client) return std::nullopt;
    return answer.to_client->client;
  }
  bool is_at(const TurnClient& client) {
    const auto to = receiver();
    return to && to->five_tuple == client.ref.five_tuple && to->link == client.ref.link;
  }
  static TurnClient::Add with(std::string ticket, std::optional<std::uint32_t> lifetime = std::nullopt) {
    return [ticket = std::move(ticket), lifetime](MessageBuilder& builder) {
      if (lifetime) builder.add_u32(AttributeType::kLifetime, *lifetime);
      builder.add_text(AttributeType::kMobilityTicket, ticket);
    };
  }
  static Answer refresh(TurnClient& client, std::string ticket, std::optional<std::uint32_t> lifetime = std::nullopt) {
    return client.request(Method::kRefresh, with(std::move(ticket), lifetime));
  }
  void leave(const TurnClient& client) { script.server().on_client_gone(client.ref.five_tuple, script.now); }
};

TEST(MobilityTicket, IsGivenToWhomAsksForIt) {
  Journey journey;
  const std::string ticket = journey.begin();
  EXPECT_EQ(ticket.size(), TicketSealer::kTicketBytes);
  EXPECT_EQ(ticket.find('\0'), std::string::npos) << "coturn's client takes it for text";
  EXPECT_FALSE(journey.road.allocate().has(AttributeType::kMobilityTicket));
  EXPECT_FALSE(journey.road.refresh().has(AttributeType::kMobilityTicket));
}

TEST(MobilityTicket, IsTheSameInTheAnswerToARetransmittedAllocate) {
  Journey journey;
  const auto add = [](MessageBuilder& builder) {
    TurnClient::udp(builder);
    wish(builder);
  };
  const std::string ticket = journey.home.request(Method::kAllocate, add).text(AttributeType::kMobilityTicket);
  EXPECT_EQ(journey.home.retransmit(Method::kAllocate, add).text(AttributeType::kMobilityTicket), ticket);
}

TEST(MobilityTicket, IsRefusedWhereThereIsNoMobility) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.allocate(wish).error(), 405);
  EXPECT_TRUE(script.ports.tried.empty());
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(Journey::refresh(client, std::string(32, 'A')).error(), 405);
  EXPECT_TRUE(client.refresh().success());
}

TEST(MobilityTicket, MustBeEmptyInAnAllocate) {
  for (const bool mobility : {false, true}) {
    TurnScript script;
    script.options.mobility = mobility;
    TurnClient client{script};
    const auto add = [](MessageBuilder& builder) { builder.add_text(AttributeType::kMobilityTicket, "x"); };
    EXPECT_EQ(client.allocate(add).error(), 400);
  }
}

TEST(Mobility, TakesTheAllocationAlong) {
  Journey journey;
  const std::string ticket = journey.begin();
  const Endpoint relayed = journey.allocation().relays.front().relayed_address;
  const Answer answer = Journey::refresh(journey.road, ticket);
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.lifetime(), 600u);
  EXPECT_NE(answer.text(AttributeType::kMobilityTicket), ticket);
  EXPECT_EQ(journey.script.events.moves, std::vector{kRoad});
  EXPECT_TRUE(journey.road.channel_data(kChannel, "hi").to_peer) << "channels and permissions come along";
  EXPECT_TRUE(journey.is_at(journey.road));
  EXPECT_EQ(journey.script.server().allocations().size(), 1u);
  EXPECT_EQ(journey.allocation().relays.front().relayed_address, relayed);
}

// RFC 8016 §3.2.2: the old five-tuple is served until data comes from the new one.
TEST(Mobility, ServesTheOldPlaceUntilDataComesFromTheNewOne) {
  Journey journey;
  EXPECT_TRUE(Journey::refresh(journey.road, journey.begin()).success());
  EXPECT_TRUE(journey.is_at(journey.home));
  EXPECT_TRUE(journey.home.channel_data(kChannel, "still here").to_peer);
  EXPECT_TRUE(journey.home.refresh().success());
  EXPECT_TRUE(journey.road.permit("9.9.9.9").success()) << "requests are served at both";
  EXPECT_TRUE(journey.is_at(journey.home)) << "and only data tells that the client has arrived";
  EXPECT_TRUE(journey.road.channel_data(kChannel, "here").to_peer);
  EXPECT_TRUE(journey.is_at(journey.road));
  EXPECT_EQ(journey.home.channel_data(kChannel, "late").drop, DropReason::kNoAllocation);
  EXPECT_EQ(journey.home.refresh().error(), 437);
  EXPECT_TRUE(journey.home.allocate().success()) << "the place is free";
}

TEST(Mobility, EndsTheOldPlaceWithASendIndicationToo) {
  Journey journey;
  EXPECT_TRUE(Journey::refresh(journey.road, journey.begin()).success());
  EXPECT_TRUE(journey.road.send(kPeer, "here").to_peer);
  EXPECT_TRUE(journey.is_at(journey.road));
}

TEST(Mobility, GoesOnFromPlaceToPlace) {
  Journey journey;
  const std::string first = journey.begin();
  const std::string second = Journey::refresh(journey.road, first).text(AttributeType::kMobilityTicket);
  const Answer third = Journey::refresh(journey.office, second);
  ASSERT_TRUE(third.success()) << "it need not have arrived";
  EXPECT_EQ(journey.road.refresh().error(), 437) << "it does not go there any more";
  EXPECT_TRUE(journey.is_at(journey.home));
  EXPECT_TRUE(journey.office.channel_data(kChannel, "here").to_peer);
  EXPECT_TRUE(Journey::refresh(journey.home, third.text(AttributeType::kMobilityTicket)).success()) << "and back";
  EXPECT_TRUE(journey.home.channel_data(kChannel, "home").to_peer);
  EXPECT_TRUE(journey.is_at(journey.home));
}

TEST(Mobility, AnswersARetransmissionWithTheSameTicketAndNothingElseToAnOldOne) {
  Journey journey;
  const std::string ticket = journey.begin();
  const Answer answer = Journey::refresh(journey.road, ticket);
  const Answer again = journey.road.retransmit(Method::kRefresh, Journey::with(ticket));
  ASSERT_TRUE(again.success());
  EXPECT_EQ(again.text(AttributeType::kMobilityTicket), answer.text(AttributeType::kMobilityTicket));
  EXPECT_EQ(journey.script.events.moves.size(), 1u);
  EXPECT_TRUE(journey.road.channel_data(kChannel, "here").to_peer);
  EXPECT_TRUE(journey.road.retransmit(Method::kRefresh, Journey::with(ticket)).success()) << "late, but the same";
  EXPECT_EQ(Journey::refresh(journey.road, ticket).error(), 400);
  EXPECT_EQ(Journey::refresh(journey.office, ticket).error(), 400);
  EXPECT_EQ(Journey::refresh(journey.home, ticket).error(), 400);
}

TEST(Mobility, RefusesATicketAtThePlaceItWasGivenFor) {
  Journey journey;
  const std::string ticket = journey.begin();
  EXPECT_EQ(Journey::refresh(journey.home, ticket).error(), 400);
  const std::string next = Journey::refresh(journey.road, ticket).text(AttributeType::kMobilityTicket);
  EXPECT_EQ(Journey::refresh(journey.road, next).error(), 400);
  EXPECT_EQ(Journey::refresh(journey.home, next).error(), 400);
}

TEST(Mobility, RefusesForgedTickets) {
  Journey journey;
  const std::string ticket = journey.begin();
  std::string changed = ticket;
  changed[5] = changed[5] == 'A' ? 'B' : 'A';
  std::string not_base64 = ticket;
  not_base64[5] = '*';
  for (const auto& wrong : {changed, not_base64, ticket + "A", ticket.substr(1), std::string{}, std::string(32, 'A')})
    EXPECT_EQ(Journey::refresh(journey.road, wrong).error(), 400) << wrong;
  EXPECT_TRUE(journey.is_at(journey.home));
}

TEST(Mobility, RefusesATicketOfAnotherServer) {
  Journey one;
  Journey other;
  other.script.random.scripted = {1, 2, 3};
  other.begin();
  EXPECT_EQ(Journey::refresh(other.road, one.begin()).error(), 400);
}

TEST(Mobility, IsForTheUserOfTheAllocationOnly) {
  Journey journey;
  const std::string ticket = journey.begin();
  journey.road.as("bob", "builder");
  EXPECT_EQ(Journey::refresh(journey.road, ticket).error(), 441);
  journey.road.as("alice", "guess");
  EXPECT_EQ(Journey::refresh(journey.road, ticket).error(), 401);
  EXPECT_TRUE(journey.is_at(journey.home));
}

TEST(Mobility, EndsWithTheAllocation) {
  Journey journey;
  const std::string ticket = journey.begin();
  EXPECT_TRUE(journey.home.refresh(0).success());
  EXPECT_EQ(Journey::refresh(journey.road, ticket).error(), 437);
  const std::string another = journey.begin();
  journey.script.pass_with_timer(600s);
  EXPECT_EQ(Journey::refresh(journey.road, another).error(), 437);
}

TEST(Mobility, FindsNoPlaceWhereAnotherAllocationIs) {
  Journey journey;
  const std::string ticket = journey.begin();
  EXPECT_TRUE(journey.road.allocate().success());
  EXPECT_EQ(Journey::refresh(journey.road, ticket).error(), 437);
  EXPECT_TRUE(Journey::refresh(journey.office, ticket).success()) << "nothing has changed";
}

TEST(Mobility, IsNotForTunneledClients) {
  Journey journey;
  const std::string ticket = journey.begin();
  TurnClient tunneled{journey.script, at("2002:c000:201::1", 50000), at("2001:db8::10", 3478)};
  EXPECT_EQ(Journey::refresh(tunneled, ticket).error(), 403);
}

TEST(Mobility, ARefreshThatFailsMovesNothing) {
  Journey journey;
  const std::string ticket = journey.begin();
  const Answer answer = journey.road.request(Method::kRefresh, [&](MessageBuilder& builder) {
    TurnClient::ipv6(builder);
    builder.add_text(AttributeType::kMobilityTicket, ticket);
  });
  EXPECT_EQ(answer.error(), 443);
  EXPECT_TRUE(journey.script.events.moves.empty());
  EXPECT_TRUE(Journey::refresh(journey.road, ticket).success()) << "the ticket is not spent";
}

TEST(Mobility, DeletesFromElsewhereWithATicket) {
  for (const bool on_the_way : {false, true}) {
    Journey journey;
    std::string ticket = journey.begin();
    if (on_the_way) ticket = Journey::refresh(journey.road, ticket).text(AttributeType::kMobilityTicket);
    const Answer answer = Journey::refresh(journey.office, ticket, 0);
    EXPECT_EQ(answer.lifetime(), 0u);
    EXPECT_EQ(journey.script.server().allocations().size(), 0u);
    EXPECT_EQ(journey.home.refresh().error(), 437);
    EXPECT_EQ(journey.road.refresh().error(), 437);
  }
}

TEST(Mobility, KeepsTheQuotaOfTheUser) {
  Journey journey;
  journey.script.options.limits.allocations_total_max = 1;
  EXPECT_TRUE(Journey::refresh(journey.road, journey.begin()).success());
  EXPECT_TRUE(journey.road.channel_data(kChannel, "here").to_peer);
  EXPECT_EQ(journey.home.allocate().error(), 508);
  EXPECT_TRUE(journey.road.refresh(0).success());
  EXPECT_TRUE(journey.home.allocate().success());
}

TEST(Mobility, TheAllocationOutlivesItsConnectionUntilItsLifetimeEnds) {
  for (const Transport transport : {Transport::kTcp, Transport::kTls, Transport::kDtls}) {
    Journey journey{transport, transport};
    journey.begin();
    journey.leave(journey.home);
    EXPECT_EQ(journey.script.server().allocations().size(), 1u);
    const Answer lost = journey.script.from_peer(journey.allocation().relays.front().id, kPeer, "hello");
    EXPECT_EQ(lost.drop, DropReason::kClientAway);
    journey.script.pass_with_timer(600s);
    EXPECT_EQ(journey.script.server().allocations().size(), 0u);
    EXPECT_EQ(journey.script.events.ended.at(0).reason, EndReason::kExpired);
  }
}

TEST(Mobility, ComesBackAfterItsConnectionWasLost) {
  Journey journey{Transport::kTcp, Transport::kUdp};
  const std::string ticket = journey.begin();
  journey.leave(journey.home);
  EXPECT_TRUE(Journey::refresh(journey.road, ticket).success());
  EXPECT_TRUE(journey.is_at(journey.road)) << "there is no old place that could be served";
}

// A NAT may give the port of a lost connection to somebody else, and to the client itself too.
TEST(Mobility, LeavesTheFiveTupleOfALostConnectionToOthers) {
  Journey journey{Transport::kTcp, Transport::kTcp};
  const std::string ticket = journey.begin();
  journey.leave(journey.home);
  TurnClient successor{journey.script, kHome, kServer, Transport::kTcp};
  EXPECT_EQ(successor.refresh().error(), 437);
  EXPECT_EQ(successor.channel_data(kChannel, "mine?").drop, DropReason::kNoAllocation);
  EXPECT_TRUE(successor.allocate().success());
  EXPECT_TRUE(Journey::refresh(journey.road, ticket, 0).success());
  EXPECT_TRUE(successor.refresh().success()) << "the end of the other one does not touch it";

  Journey again{Transport::kTcp, Transport::kTcp};
  const std::string kept = again.begin();
  again.leave(again.home);
  EXPECT_TRUE(Journey::refresh(again.home, kept).success());
  EXPECT_TRUE(again.is_at(again.home));
}

TEST(Mobility, TheEndOfTheOldConnectionEndsTheMove) {
  Journey journey{Transport::kTls, Transport::kTls};
  EXPECT_TRUE(Journey::refresh(journey.road, journey.begin()).success());
  EXPECT_TRUE(journey.is_at(journey.home));
  journey.leave(journey.home);
  EXPECT_TRUE(journey.is_at(journey.road));
}

TEST(Mobility, TheEndOfTheNewConnectionTakesTheMoveBack) {
  Journey journey{Transport::kTcp, Transport::kTcp};
  const std::string next = Journey::refresh(journey.road, journey.begin()).text(AttributeType::kMobilityTicket);
  journey.leave(journey.road);
  EXPECT_TRUE(journey.is_at(journey.home));
  EXPECT_TRUE(journey.home.channel_data(kChannel, "still here").to_peer);
  EXPECT_EQ(journey.road.refresh().error(), 437);
  EXPECT_TRUE(Journey::refresh(journey.office, next).success());
}

TEST(Mobility, ManyMovesLeaveNothingBehind) {
  Journey journey;
  std::string ticket = journey.begin();
  for (std::uint16_t port = 1024; port < 1224; ++port) {
    TurnClient place{journey.script, at("203.0.113.9", port)};
    const Answer answer = Journey::refresh(place, ticket);
    ASSERT_TRUE(answer.success());
    ticket = answer.text(AttributeType::kMobilityTicket);
    if (port % 3 == 0) {
      EXPECT_TRUE(place.channel_data(kChannel, "here").to_peer);
    }
  }
  EXPECT_EQ(journey.script.server().allocations().size(), 1u);
  journey.script.end_server();
}

}  // namespace
}  // namespace causeway::turn
