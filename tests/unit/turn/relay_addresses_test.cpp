// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/relay_addresses.hpp"

#include <gtest/gtest.h>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

using Several = std::vector<IpAddress>;

constexpr auto kV4 = AddressFamily::kIPv4;
constexpr auto kV6 = AddressFamily::kIPv6;

TEST(RelayAddresses, AWildcardStandsForTheAddressAskedElseForTheDefaultRoutes) {
  const RelayAddresses addresses{{.relay = {ip("0.0.0.0"), ip("::")},
                                  .default_route = {ip("2001:db8::10"), ip("192.0.2.10")},
                                  .interfaces = {ip("127.0.0.1"), ip("192.0.2.77"), ip("2001:db8::77")}}};
  EXPECT_EQ(addresses.local(kV4, ip("192.0.2.77")), Several{ip("192.0.2.77")});
  EXPECT_EQ(addresses.local(kV6, ip("2001:db8::77")), Several{ip("2001:db8::77")});
  EXPECT_EQ(addresses.local(kV4, ip("2001:db8::77")), Several{ip("192.0.2.10")});
  EXPECT_EQ(addresses.local(kV6, ip("192.0.2.77")), Several{ip("2001:db8::10")});
  EXPECT_EQ(addresses.local(kV4, ip("0.0.0.0")), Several{ip("192.0.2.10")});
  EXPECT_EQ(addresses.local(kV6, ip("::")), Several{ip("2001:db8::10")});
  EXPECT_EQ(addresses.local(kV4, ip("127.0.0.2")), Several{ip("127.0.0.2")});
}

// A proxy reports the address that the client connected to, which is the proxy's.
TEST(RelayAddresses, AnAddressOfAnotherMachineIsNotRelayedOn) {
  RelayAddressOptions options{.relay = {ip("0.0.0.0")}, .default_route = {ip("192.0.2.10")}};
  options.interfaces = {ip("192.0.2.10")};
  EXPECT_EQ(RelayAddresses{options}.local(kV4, ip("203.0.113.80")), Several{ip("192.0.2.10")});
  options.default_route.clear();
  EXPECT_EQ(RelayAddresses{options}.local(kV4, ip("192.0.2.77")), Several{ip("192.0.2.77")})
      << "it came up after the start";
}

TEST(RelayAddresses, AFamilyWithoutAnAddressIsNotSupported) {
  const RelayAddresses v4_only{{.relay = {ip("192.0.2.10")}, .default_route = {ip("2001:db8::10")}}};
  EXPECT_EQ(v4_only.local(kV6, ip("2001:db8::77")), Several{});
  EXPECT_EQ(v4_only.local(kV4, ip("192.0.2.77")), Several{ip("192.0.2.10")});
  const RelayAddresses unrouted{{.relay = {ip("::")}}};
  EXPECT_EQ(unrouted.local(kV6, ip("192.0.2.77")), Several{});
  EXPECT_EQ(RelayAddresses{{}}.local(kV4, ip("192.0.2.77")), Several{});
}

TEST(RelayAddresses, GivesAllOfAFamilyEachOnce) {
  const RelayAddresses addresses{{.relay = {ip("192.0.2.11"), ip("2001:db8::11"), ip("0.0.0.0"), ip("192.0.2.12")},
                                  .default_route = {ip("192.0.2.10")},
                                  .interfaces = {ip("192.0.2.12")}}};
  EXPECT_EQ(addresses.local(kV4, ip("192.0.2.12")), (Several{ip("192.0.2.11"), ip("192.0.2.12")}));
  EXPECT_EQ(addresses.local(kV4, ip("2001:db8::77")), (Several{ip("192.0.2.11"), ip("192.0.2.10"), ip("192.0.2.12")}));
  EXPECT_EQ(addresses.local(kV6, ip("192.0.2.12")), Several{ip("2001:db8::11")});
}

TEST(RelayAddresses, AnEntryForOneLocalAddressPrecedesThatOfTheFamily) {
  const RelayAddresses addresses{{.relay = {ip("0.0.0.0")},
                                  .external = {{ip("203.0.113.8"), ip("10.0.0.5")},
                                               {ip("203.0.113.9")},
                                               {ip("203.0.113.7"), ip("10.0.0.6")},
                                               {ip("2001:db8:2::9"), ip("fd00::5")}}}};
  EXPECT_EQ(addresses.advertised(ip("10.0.0.5")), ip("203.0.113.8"));
  EXPECT_EQ(addresses.advertised(ip("10.0.0.6")), ip("203.0.113.7"));
  EXPECT_EQ(addresses.advertised(ip("10.0.0.7")), ip("203.0.113.9"));
  EXPECT_EQ(addresses.advertised(ip("fd00::5")), ip("2001:db8:2::9"));
  EXPECT_EQ(addresses.advertised(ip("fd00::6")), ip("fd00::6"));
  for (const auto external : {"203.0.113.7", "203.0.113.8", "203.0.113.9", "2001:db8:2::9"})
    EXPECT_TRUE(addresses.is_own(ip(external)) && addresses.may_relay(ip(external)));
}

TEST(RelayAddresses, AdvertisesTheExternalAddressOfTheSameFamily) {
  const RelayAddresses addresses{{.relay = {ip("0.0.0.0")}, .external = {{ip("203.0.113.9")}}}};
  EXPECT_EQ(addresses.advertised(ip("10.0.0.5")), ip("203.0.113.9"));
  EXPECT_EQ(addresses.advertised(ip("2001:db8::5")), ip("2001:db8::5"));
  EXPECT_EQ(addresses.advertised(ip("127.0.0.1")), ip("127.0.0.1"));
}

TEST(RelayAddresses, KnowsItsOwnAndWhereRelaysMayBe) {
  const RelayAddresses wildcard{
      {.relay = {ip("0.0.0.0")}, .external = {{ip("203.0.113.9")}}, .interfaces = {ip("10.0.0.5"), ip("2001:db8::5")}}};
  EXPECT_TRUE(wildcard.is_own(ip("10.0.0.5")) && wildcard.may_relay(ip("10.0.0.5")));
  EXPECT_TRUE(wildcard.is_own(ip("203.0.113.9")) && wildcard.may_relay(ip("203.0.113.9")));
  EXPECT_TRUE(wildcard.is_own(ip("2001:db8::5")));
  EXPECT_FALSE(wildcard.may_relay(ip("2001:db8::5"))) << "no relay on IPv6";
  EXPECT_FALSE(wildcard.may_relay(ip("0.0.0.0")));
  EXPECT_FALSE(wildcard.is_own(ip("10.0.0.6")));
  const RelayAddresses named{{.relay = {ip("10.0.0.5")}, .interfaces = {ip("10.0.0.5"), ip("10.0.1.5")}}};
  EXPECT_TRUE(named.may_relay(ip("10.0.0.5")));
  EXPECT_TRUE(named.is_own(ip("10.0.1.5")));
  EXPECT_FALSE(named.may_relay(ip("10.0.1.5")));
}

TEST(RelayAddresses, WhatLeadsHereIsOwnButNothingIsRelayedThere) {
  const RelayAddresses addresses{
      {.relay = {ip("0.0.0.0")}, .default_route = {ip("10.0.0.5")}, .leading_here = {ip("203.0.113.8")}}};
  EXPECT_TRUE(addresses.is_own(ip("10.0.0.5"))) << "also where the system does not name its interfaces";
  EXPECT_TRUE(addresses.is_own(ip("203.0.113.8")));
  EXPECT_FALSE(addresses.may_relay(ip("203.0.113.8")));
}

}  // namespace
}  // namespace causeway::turn
