// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/allocation_table.hpp"

#include <gtest/gtest.h>

#include "causeway/turn/reservation.hpp"
#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

std::unique_ptr<Allocation> make(AllocationTable& table, std::uint16_t number,
                                 TimePoint expires_at = TimePoint{} + 1s) {
  auto allocation = std::make_unique<Allocation>(1);
  allocation->client.five_tuple = {at("198.51.100.7", number), at("192.0.2.10", 3478), Transport::kUdp};
  allocation->relays = {
      {table.take_relay(), at("192.0.2.10", number), at("203.0.113.9", number), RelayTransport::kUdp, expires_at}};
  return allocation;
}

TEST(AllocationTable, FindsByFiveTupleRelayAndBothRelayedAddresses) {
  AllocationTable table{1};
  Allocation& allocation = table.insert(make(table, 1));
  EXPECT_EQ(table.find(allocation.client.five_tuple), &allocation);
  EXPECT_EQ(table.find(allocation.relays[0].id), &allocation);
  EXPECT_EQ(table.find_relayed(at("192.0.2.10", 1)), &allocation);
  EXPECT_EQ(table.find_relayed(at("203.0.113.9", 1)), &allocation);
  EXPECT_EQ(table.find_relayed(at("203.0.113.9", 2)), nullptr);
  FiveTuple tcp = allocation.client.five_tuple;
  tcp.transport = Transport::kTcp;
  EXPECT_EQ(table.find(tcp), nullptr);
}

TEST(AllocationTable, ARemovedOneIsFoundNowhereAndItsSlotGetsAnotherGeneration) {
  AllocationTable table{1};
  Allocation& allocation = table.insert(make(table, 1));
  const RelayId old = allocation.relays[0].id;
  const auto removed = table.remove(allocation);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.timers().size(), 0u);
  EXPECT_EQ(table.find(removed->client.five_tuple), nullptr);
  EXPECT_EQ(table.find_relayed(removed->relays[0].local), nullptr);
  EXPECT_EQ(table.find_relayed(removed->relays[0].relayed_address), nullptr);
  EXPECT_EQ(table.find(old), nullptr);
  Allocation& next = table.insert(make(table, 2));
  EXPECT_EQ(next.relays[0].id.slot, old.slot);
  EXPECT_NE(next.relays[0].id.generation, old.generation);
  EXPECT_EQ(table.find(old), nullptr);
  EXPECT_EQ(table.find(next.relays[0].id), &next);
  EXPECT_EQ(table.find_relayed(removed->relays[0].local), nullptr) << "not the next one's";
  EXPECT_EQ(table.find_relayed(removed->relays[0].relayed_address), nullptr);
  EXPECT_EQ(table.find(removed->client.five_tuple), nullptr);
}

TEST(AllocationTable, FindsADualOneByEitherRelayAndVisitsItOnce) {
  AllocationTable table{1};
  auto dual = make(table, 1);
  dual->relays.push_back(
      {table.take_relay(), at("2001:db8::10", 1), at("2001:db8:2::9", 1), RelayTransport::kUdp, TimePoint{} + 1s});
  Allocation& allocation = table.insert(std::move(dual));
  const Relay v4 = allocation.relays[0];
  const Relay v6 = allocation.relays[1];
  for (const Relay& relay : {v4, v6}) {
    EXPECT_EQ(table.find(relay.id), &allocation);
    EXPECT_EQ(table.find_relayed(relay.local), &allocation);
    EXPECT_EQ(table.find_relayed(relay.relayed_address), &allocation);
    EXPECT_EQ(allocation.relay_for(relay.local.address.family())->id, relay.id);
  }
  EXPECT_EQ(table.size(), 1u);

  table.remove_relay(allocation, allocation.relays[0]);
  EXPECT_EQ(table.find(v4.id), nullptr);
  EXPECT_EQ(table.find_relayed(v4.local), nullptr);
  EXPECT_EQ(table.find_relayed(v4.relayed_address), nullptr);
  EXPECT_EQ(allocation.relay_for(AddressFamily::kIPv4), nullptr);
  EXPECT_EQ(table.find(v6.id), &allocation);
  EXPECT_EQ(table.find_relayed(v6.relayed_address), &allocation);

  int visits = 0;
  table.for_each([&](Allocation& visited) {
    ++visits;
    table.remove(visited);
  });
  EXPECT_EQ(visits, 1);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.find(v6.id), nullptr);
}

TEST(AllocationTable, ATakenRelayWithoutAnAllocationFindsNothing) {
  AllocationTable table{1};
  const RelayId taken = table.take_relay();
  const RelayId other = table.take_relay();
  EXPECT_NE(taken, other);
  EXPECT_EQ(table.find(taken), nullptr);
  table.give_back(taken);
  const RelayId again = table.take_relay();
  EXPECT_EQ(again.slot, taken.slot);
  EXPECT_NE(again.generation, taken.generation);
}

TEST(AllocationTable, AddressesStayWhereTheyAreWhileItGrows) {
  AllocationTable table{1};
  Allocation& first = table.insert(make(table, 1));
  for (std::uint16_t i = 2; i < 500; ++i)
    table.insert(make(table, i));
  EXPECT_EQ(table.find(first.relays[0].id), &first);
  EXPECT_EQ(table.size(), 499u);
}

TEST(AllocationTable, WakesNoLaterThanAsked) {
  AllocationTable table{1};
  Allocation& allocation = table.insert(make(table, 1, TimePoint{} + 600s));
  table.wake_at(allocation, TimePoint{} + 900s);
  EXPECT_EQ(table.timers().next_deadline(), TimePoint{} + 600s);
  table.wake_at(allocation, TimePoint{} + 300s);
  EXPECT_EQ(table.timers().next_deadline(), TimePoint{} + 300s);
  EXPECT_EQ(table.timers().pop_expired(TimePoint{} + 300s), &allocation);
  table.wake_at(allocation, TimePoint{} + 900s);
  EXPECT_EQ(table.timers().next_deadline(), TimePoint{} + 900s);
}

TEST(PermissionTable, TellsWhenTheNextOneExpires) {
  PermissionTable table{1};
  EXPECT_EQ(table.expire(TimePoint{}), std::nullopt);
  table.install(ip("9.9.9.1"), {TimePoint{} + 10s});
  table.install(ip("9.9.9.2"), {TimePoint{} + 20s});
  EXPECT_EQ(table.expire(TimePoint{} + 9s), TimePoint{} + 10s);
  EXPECT_EQ(table.expire(TimePoint{} + 10s), TimePoint{} + 20s);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.expire(TimePoint{} + 99s), std::nullopt);
  EXPECT_EQ(table.size(), 0u);
}

TEST(PermissionTable, ExpiresManyAtOnce) {
  PermissionTable table{1};
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const std::array<std::uint8_t, 4> v4{9, 9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    table.install(IpAddress{v4}, {TimePoint{} + (i % 2 == 0 ? 10s : 20s)});
  }
  EXPECT_EQ(table.expire(TimePoint{} + 10s), TimePoint{} + 20s);
  EXPECT_EQ(table.size(), 500u);
}

TEST(ChannelTable, ForgetsNumberAndPeerTogether) {
  ChannelTable table{1};
  for (std::uint16_t i = 0; i < 200; ++i)
    table.bind(static_cast<std::uint16_t>(0x4000 + i), at("9.9.9.1", i), TimePoint{} + (i % 2 == 0 ? 10s : 20s));
  EXPECT_EQ(table.expire(TimePoint{} + 309s), TimePoint{} + 310s);
  EXPECT_EQ(table.expire(TimePoint{} + 310s), TimePoint{} + 320s);
  EXPECT_EQ(table.size(), 100u);
  EXPECT_TRUE(table.may_bind(0x4000, at("9.9.9.9", 1)));
  EXPECT_TRUE(table.may_bind(0x5000, at("9.9.9.1", 0)));
  EXPECT_FALSE(table.may_bind(0x5000, at("9.9.9.1", 1)));
  EXPECT_EQ(table.expire(TimePoint{} + 320s), std::nullopt);
  EXPECT_EQ(table.size(), 0u);
}

TEST(ReservationTable, GivesEachOutOnceToItsUser) {
  ReservationTable table;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    auto reservation = std::make_unique<Reservation>();
    reservation->token = {i};
    reservation->username = "alice";
    table.add(std::move(reservation), TimePoint{} + std::chrono::seconds{i});
  }
  EXPECT_EQ(table.take({2}, 0, "bob"), nullptr);
  EXPECT_EQ(table.take({9}, 0, "alice"), nullptr);
  EXPECT_EQ(table.take({2}, 1, "alice"), nullptr);
  EXPECT_NE(table.take({2}, 0, "alice"), nullptr);
  EXPECT_EQ(table.take({2}, 0, "alice"), nullptr);
  EXPECT_EQ(table.next_deadline(), TimePoint{} + 1s);
  EXPECT_EQ(table.take_expired(TimePoint{}), nullptr);
  EXPECT_EQ(table.take_expired(TimePoint{} + 2s)->token, ReservationToken{1});
  EXPECT_EQ(table.take_expired(TimePoint{} + 2s), nullptr);
  EXPECT_NE(table.take_any(), nullptr);
  EXPECT_EQ(table.take_any(), nullptr);
  EXPECT_EQ(table.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace causeway::turn
