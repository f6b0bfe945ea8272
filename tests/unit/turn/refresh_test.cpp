// SPDX-License-Identifier: Apache-2.0
// Refresh (RFC 8656 §8), and the ends of allocations.
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

TEST(Refresh, ExtendsTheAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  script.pass_with_timer(599s);
  const Answer answer = client.refresh(1200);
  EXPECT_EQ(answer.lifetime(), 1200u);
  script.pass_with_timer(1200s - 1ns);
  EXPECT_EQ(script.server().allocations().size(), 1u);
  script.pass_with_timer(1ns);
  EXPECT_EQ(script.server().allocations().size(), 0u);
  EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kExpired);
  EXPECT_TRUE(script.ports.open_relays.empty());
}

// RFC 8656 §6: nothing but Refresh keeps an allocation.
TEST(Refresh, AloneExtendsAnAllocation) {
  TurnScript script;
  TurnClient client{script};
  const Endpoint peer = at("9.9.9.1", 7);
  EXPECT_TRUE(client.allocate().success());
  script.pass_with_timer(599s);
  EXPECT_TRUE(client.bind(0x4000, peer).success());
  EXPECT_TRUE(client.channel_data(0x4000, "x").to_peer);
  EXPECT_TRUE(script.from_peer(client.relay(), peer, "x").to_client);
  script.pass_with_timer(1s);
  EXPECT_EQ(script.server().allocations().size(), 0u);
}

TEST(Refresh, WithoutLifetimeGivesTheDefault) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate_lifetime(3600).success());
  EXPECT_EQ(client.refresh().lifetime(), 600u);
  script.pass_with_timer(600s);
  EXPECT_EQ(script.server().allocations().size(), 0u) << "a shorter lifetime holds at once";
}

TEST(Refresh, KeepsLifetimeBetweenDefaultAndMaximum) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.refresh(1).lifetime(), 600u);
  EXPECT_EQ(client.refresh(0xFFFFFFFF).lifetime(), 3600u);
}

TEST(Refresh, OfZeroEndsTheAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  const Answer answer = client.refresh(0);
  EXPECT_EQ(answer.lifetime(), 0u);
  EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kReleased);
  EXPECT_TRUE(script.ports.open_relays.empty());
  EXPECT_EQ(script.server().next_deadline(), std::nullopt);
  EXPECT_EQ(client.refresh(0).error(), 437) << "its retransmission";
  EXPECT_TRUE(client.allocate().success());
}

TEST(Refresh, NeedsAnAllocation) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.refresh().error(), 437);
  EXPECT_EQ(client.refresh(0).error(), 437);
  TurnClient other{script, at("198.51.100.7", 40001)};
  EXPECT_TRUE(other.allocate().success());
  EXPECT_EQ(client.refresh().error(), 437) << "another five-tuple's is not enough";
}

TEST(Refresh, OfAnotherUserIsRefused) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  client.as("bob", "builder");
  EXPECT_EQ(client.refresh(0).error(), 441);
  EXPECT_EQ(client.permit("9.9.9.9").error(), 441);
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.9", 9)).error(), 441);
  client.as_time_limited("alice", script.now.wall + 1h);
  EXPECT_EQ(client.refresh(0).error(), 441) << "the username counts, not the user";
  EXPECT_EQ(script.server().allocations().size(), 1u);
}

TEST(Refresh, OfAnotherFamilyIsRefused) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  const auto family = [](std::uint32_t number) {
    return [number](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kLifetime, 0);
      builder.add_u32(AttributeType::kRequestedAddressFamily, number << 24);
    };
  };
  EXPECT_EQ(client.request(Method::kRefresh, family(2)).error(), 443);
  EXPECT_EQ(client.request(Method::kRefresh, family(77)).error(), 443);
  EXPECT_EQ(script.server().allocations().size(), 1u);
  EXPECT_EQ(client.request(Method::kRefresh, family(1)).error(), 0);
}

TEST(Refresh, RefusesMalformedAttributes) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  for (const AttributeType type : {AttributeType::kLifetime, AttributeType::kRequestedAddressFamily})
    EXPECT_EQ(client.request(Method::kRefresh, [&](MessageBuilder& b) { b.add_flag(type); }).error(), 400);
}

TEST(Allocation, EndsWithTheClientsConnection) {
  for (const Transport transport : {Transport::kTcp, Transport::kTls}) {
    TurnScript script;
    TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 443), transport};
    EXPECT_TRUE(client.allocate().success());
    script.server().on_client_gone(client.ref.five_tuple, script.now);
    EXPECT_EQ(script.server().allocations().size(), 0u);
    EXPECT_EQ(script.events.ended.at(0).reason, EndReason::kClientGone);
    script.server().on_client_gone(client.ref.five_tuple, script.now);
    EXPECT_EQ(script.events.ended.size(), 1u);
  }
}

TEST(Allocation, OfAnotherTransportIsNotTouchedByAConnectionsEnd) {
  TurnScript script;
  TurnClient udp{script};
  TurnClient tcp{script, udp.ref.five_tuple.client, udp.ref.five_tuple.server, Transport::kTcp};
  EXPECT_TRUE(udp.allocate().success());
  script.server().on_client_gone(tcp.ref.five_tuple, script.now);
  EXPECT_EQ(script.server().allocations().size(), 1u);
}

TEST(Allocation, AllEndWhenTheServerStopsAndItCanGoOnAfterwards) {
  TurnScript script;
  std::vector<std::unique_ptr<TurnClient>> clients;
  for (std::uint16_t port = 40000; port < 40020; ++port) {
    clients.push_back(std::make_unique<TurnClient>(script, at("198.51.100.7", port)));
    EXPECT_TRUE(clients.back()->allocate().success());
  }
  EXPECT_TRUE(clients[3]->refresh(0).success());
  script.server().stop(script.now);
  EXPECT_EQ(script.events.ended.size(), 20u);
  EXPECT_EQ(script.events.ended.back().reason, EndReason::kServerStopped);
  EXPECT_TRUE(script.ports.open_relays.empty());
  EXPECT_EQ(script.server().next_deadline(), std::nullopt);
  for (auto& client : clients)
    EXPECT_TRUE(client->allocate().success());
}

TEST(Allocation, ManyThatEndAtTheSameInstantAllEnd) {
  TurnScript script;
  for (std::uint16_t port = 40000; port < 40050; ++port)
    EXPECT_TRUE((TurnClient{script, at("198.51.100.7", port)}.allocate().success()));
  script.pass(600s);
  script.server().on_timer(script.now);
  EXPECT_EQ(script.events.ended.size(), 50u);
  EXPECT_TRUE(script.ports.open_relays.empty());
}

TEST(Allocation, EveryReasonOfItsEndHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kEndReasons; ++i)
    names.insert(name_of(static_cast<EndReason>(i)));
  EXPECT_EQ(names.size(), kEndReasons);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace causeway::turn
