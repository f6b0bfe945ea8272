// SPDX-License-Identifier: Apache-2.0
#include "net/worker_ledger.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>

#include "net/system_random.hpp"

namespace causeway::net {
namespace {

Endpoint at(const char* address, std::uint16_t port) {
  return {*IpAddress::parse(address), port};
}

struct AnyPort final : turn::RelayPorts {
  std::optional<turn::RelayOpenError> open(turn::RelayId, const Endpoint&) override { return std::nullopt; }
  void close(turn::RelayId) noexcept override {}
};

class WorkerLedgerTest : public testing::Test {
 protected:
  SystemRandom random;
  WorkerLedger ledger{50000, 50003, 2, random};
  turn::Siblings first = ledger.place_of(0, 2);
  turn::Siblings second = ledger.place_of(1, 2);
};

TEST_F(WorkerLedgerTest, NoTwoWorkersAdvertiseOneAddress) {
  AnyPort ports;
  const IpAddress external = *IpAddress::parse("203.0.113.7");
  const std::array<turn::RelayId, 1> relay{};
  std::set<std::uint16_t> given;
  for (int i = 0; i < 4; ++i) {
    // Each at a local address of its own, where every bind works.
    const IpAddress local = *IpAddress::parse("10.0.0." + std::to_string(i));
    const auto port =
        (i % 2 == 0 ? first : second).ports.open(ports, relay, local, external, turn::PortParity::kAny, random);
    ASSERT_TRUE(port);
    EXPECT_TRUE(given.insert(*port).second);
  }
  EXPECT_TRUE(second.ports.is_in_use(external));
  for (const std::uint16_t port : given)
    first.ports.release({external, port});
  EXPECT_FALSE(second.ports.is_in_use(external));
}

TEST_F(WorkerLedgerTest, LimitsCountTheAllocationsOfAllWorkers) {
  const IpAddress source = *IpAddress::parse("198.51.100.1");
  const turn::QuotaLimits limits{.per_user = 2, .per_source = 3};
  EXPECT_EQ(first.allocations.take(0, "alice", source, limits), std::nullopt);
  EXPECT_EQ(second.allocations.take(0, "alice", source, limits), std::nullopt);
  EXPECT_EQ(first.allocations.take(0, "alice", source, limits), turn::QuotaError::kUser);
  EXPECT_EQ(first.allocations.take(1, "alice", source, limits), std::nullopt) << "another realm's";
  EXPECT_EQ(first.allocations.take(0, "bob", source, limits), turn::QuotaError::kSource);
  EXPECT_EQ(ledger.allocations(), 3u);
  second.allocations.give_back(0, "alice", source);
  EXPECT_EQ(second.allocations.take(0, "bob", source, limits), std::nullopt);
  EXPECT_EQ(first.connections.take(0, "alice", source, limits), std::nullopt) << "counted apart";
}

TEST_F(WorkerLedgerTest, AWorkersQuotaGivesItsPlacesBack) {
  turn::Quota quota{1, 7, &first.allocations};
  {
    const auto hold = quota.acquire(0, "alice", *IpAddress::parse("2001:db8::1"), {.total = 1}, TimePoint{});
    ASSERT_TRUE(hold);
    turn::Quota other{1, 8, &second.allocations};
    EXPECT_FALSE(other.acquire(0, "bob", *IpAddress::parse("2001:db8::2"), {.total = 1}, TimePoint{}));
  }
  EXPECT_EQ(ledger.allocations(), 0u);
}

TEST_F(WorkerLedgerTest, EachWorkerFindsTheRelaysOfTheOthers) {
  const turn::Relay udp{{}, at("10.0.0.1", 50000), at("203.0.113.7", 50000)};
  const turn::Relay tcp{{}, at("10.0.0.1", 50001), at("203.0.113.7", 50001), turn::RelayTransport::kTcp};
  first.relays.add(0, udp);
  second.relays.add(1, tcp);
  EXPECT_EQ(second.relays.worker_of(udp.relayed_address), 0);
  EXPECT_EQ(second.relays.worker_of(udp.local), 0);
  EXPECT_EQ(second.relays.worker_of(at("203.0.113.8", 50000)), std::nullopt);
  EXPECT_EQ(second.relays.worker_of(tcp.relayed_address), std::nullopt) << "data does not go there";
  ASSERT_TRUE(first.relays.find_tcp(tcp.relayed_address));
  EXPECT_EQ(first.relays.find_tcp(tcp.relayed_address)->local, tcp.local);
  EXPECT_EQ(first.relays.find_tcp(tcp.local)->relayed_address, tcp.relayed_address);
  EXPECT_FALSE(first.relays.find_tcp(udp.relayed_address));
  first.relays.remove(udp);
  first.relays.remove(tcp);
  EXPECT_EQ(second.relays.worker_of(udp.relayed_address), std::nullopt);
  EXPECT_FALSE(first.relays.find_tcp(tcp.local));
}

TEST_F(WorkerLedgerTest, MayBeReadWhileItIsWritten) {
  const turn::Relay last{{}, at("10.0.0.1", 50000), at("203.0.113.7", 50000)};
  std::thread writer{[&] {
    for (std::uint8_t i = 1; i <= 100; ++i)
      first.relays.add(0, {{}, {IpAddress{std::array<std::uint8_t, 4>{10, 1, 0, i}}, 50000}, at("203.0.113.9", 50000)});
    first.relays.add(0, last);
  }};
  while (second.relays.worker_of(last.relayed_address) != 0)
    std::this_thread::yield();
  writer.join();
  EXPECT_EQ(second.relays.worker_of(at("10.1.0.100", 50000)), 0);
}

}  // namespace
}  // namespace causeway::net
