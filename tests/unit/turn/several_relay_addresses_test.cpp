// SPDX-License-Identifier: Apache-2.0
// Several relay addresses of one family: each multiplies the range of ports (RFC 8656 §7.2).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Clients {
  TurnScript& script;
  std::vector<std::unique_ptr<TurnClient>> all{};

  TurnClient& next() {
    const auto port = static_cast<std::uint16_t>(40000 + all.size());
    return *all.emplace_back(std::make_unique<TurnClient>(script, at("198.51.100.7", port)));
  }
};

TurnClient::Add even_port_and_reserve() {
  return [](MessageBuilder& builder) {
    const std::uint8_t value = 0x80;
    builder.add(AttributeType::kEvenPort, Bytes{&value, 1});
  };
}

TEST(SeveralRelayAddresses, MultiplyThePortsAndEachIsGivenOnce) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.11"), ip("192.0.2.12"), ip("192.0.2.13"), ip("2001:db8::11")};
  script.options.relay_port_max = 50003;
  Clients clients{script};
  std::set<Endpoint> relayed;
  std::map<IpAddress, int> by_address;
  for (int i = 0; i < 12; ++i) {
    const Answer answer = clients.next().allocate();
    ASSERT_TRUE(answer.success()) << i;
    EXPECT_TRUE(relayed.insert(answer.relayed()).second);
    ++by_address[answer.relayed().address];
    EXPECT_TRUE(script.ports.relay_at(answer.relayed())) << "what is advertised is what is bound";
  }
  EXPECT_EQ(by_address,
            (std::map<IpAddress, int>{{ip("192.0.2.11"), 4}, {ip("192.0.2.12"), 4}, {ip("192.0.2.13"), 4}}));
  EXPECT_EQ(clients.next().allocate().error(), 508);
  EXPECT_EQ(clients.next().allocate(TurnClient::ipv6).relayed().address, ip("2001:db8::11"));
  EXPECT_GE(script.server().counters().relay_open_errors[static_cast<std::size_t>(RelayOpenError::kNoPortFree)], 3u);
}

TEST(SeveralRelayAddresses, ShareTheLoad) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.11"), ip("192.0.2.12")};
  Clients clients{script};
  std::map<IpAddress, int> by_address;
  for (int i = 0; i < 60; ++i)
    ++by_address[clients.next().allocate().relayed().address];
  EXPECT_EQ(by_address.size(), 2u);
  for (const auto& [address, count] : by_address)
    EXPECT_GE(count, 15) << address;
}

TEST(SeveralRelayAddresses, OneThatIsGoneFromTheMachineIsPassedOver) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.11"), ip("192.0.2.12")};
  TurnClient client{script};
  script.ports.fail_at[0] = RelayOpenError::kAddressNotAvailable;
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(script.ports.tried.size(), 2u);
  EXPECT_NE(script.ports.tried[0].address, script.ports.tried[1].address);
  const auto& errors = script.server().counters().relay_open_errors;
  EXPECT_EQ(errors[static_cast<std::size_t>(RelayOpenError::kAddressNotAvailable)], 1u);
}

TEST(SeveralRelayAddresses, APairOfPortsIsOnOneOfThem) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.11"), ip("192.0.2.12")};
  script.options.relay_port_max = 50002;  // room for one pair on each
  Clients clients{script};
  for (int i = 0; i < 2; ++i) {
    const Answer first = clients.next().allocate(even_port_and_reserve());
    ASSERT_TRUE(first.success());
    const Octets token = octets_of(first.message().value(AttributeType::kReservationToken).value());
    const Answer second =
        clients.next().allocate([&](MessageBuilder& b) { b.add(AttributeType::kReservationToken, token); });
    ASSERT_TRUE(second.success());
    EXPECT_EQ(second.relayed().address, first.relayed().address);
    EXPECT_EQ(second.relayed().port, first.relayed().port + 1);
  }
  EXPECT_EQ(clients.next().allocate(even_port_and_reserve()).error(), 508);
  EXPECT_TRUE(clients.next().allocate().success()) << "single ports are left";
}

TEST(SeveralRelayAddresses, EachHasTheExternalAddressThatIsMappedToIt) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("10.0.0.5"), ip("10.0.0.6")};
  script.options.relay_addresses.external = {{ip("203.0.113.5"), ip("10.0.0.5")}, {ip("203.0.113.6"), ip("10.0.0.6")}};
  script.options.relay_port_max = 50000;
  Clients clients{script};
  std::set<IpAddress> advertised;
  for (int i = 0; i < 2; ++i) {
    TurnClient& client = clients.next();
    advertised.insert(client.allocate().relayed().address);
    const Relay& relay = client.allocation()->relays.front();
    EXPECT_EQ(relay.local.address.octets().back(), relay.relayed_address.address.octets().back());
    EXPECT_EQ(relay.local.port, relay.relayed_address.port);
  }
  EXPECT_EQ(advertised, (std::set<IpAddress>{ip("203.0.113.5"), ip("203.0.113.6")}));
}

TEST(ExternalAddress, AChangeIsForNewAllocationsAndBothReachEachOther) {
  TurnScript script;
  script.options.relay_addresses.external = {{ip("203.0.113.5")}};
  TurnClient old{script, at("198.51.100.7", 40000)};
  TurnClient fresh{script, at("198.51.100.7", 40001)};
  const Endpoint old_relayed = old.allocate().relayed();
  RelayAddressOptions changed = script.options.relay_addresses;
  changed.external = {{ip("203.0.113.6")}};
  script.server().set_relay_addresses(changed);
  const Answer again = old.retransmit(Method::kAllocate, TurnClient::udp);
  EXPECT_EQ(again.relayed(), old_relayed) << "what was advertised stays";
  const Endpoint fresh_relayed = fresh.allocate().relayed();
  EXPECT_EQ(fresh_relayed.address, ip("203.0.113.6"));

  EXPECT_TRUE(fresh.permit("203.0.113.5").success());
  EXPECT_TRUE(old.permit("203.0.113.6").success());
  EXPECT_TRUE(fresh.send(old_relayed, "x").to_client) << "in process, though the address is no longer configured";
  EXPECT_TRUE(old.send(fresh_relayed, "x").to_client);
  EXPECT_EQ(fresh.send({old_relayed.address, 9}, "x").drop, DropReason::kOwnAddressNotRelayed);
  EXPECT_TRUE(old.refresh(0).success());
}

}  // namespace
}  // namespace causeway::turn
