// SPDX-License-Identifier: Apache-2.0
// ICMP errors on their way to the client (RFC 8656 §11.5, §18.13).
#include <gtest/gtest.h>

#include "hex.hpp"
#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

Octets icmp_of(const Answer& answer) {
  return octets_of(answer.message().value(AttributeType::kIcmp).value());
}

struct Icmp : testing::Test {
  TurnScript script;
  TurnClient client{script};
  RelayId v4{};
  RelayId v6{};

  Icmp() {
    client.allocate_dual();
    client.permit("9.9.9.9", "2620:fe::9");
    v4 = client.relay(AddressFamily::kIPv4);
    v6 = client.relay(AddressFamily::kIPv6);
  }
};

TEST_F(Icmp, ComesAsADataIndicationWithoutData) {
  const Answer answer = script.icmp_error(v4, kPeer, {3, 3});
  ASSERT_TRUE(answer.is_data_indication());
  EXPECT_EQ(answer.to_client->client.five_tuple, client.ref.five_tuple);
  EXPECT_EQ(answer.address(AttributeType::kXorPeerAddress), kPeer);
  EXPECT_FALSE(answer.has(AttributeType::kData));
  EXPECT_EQ(icmp_of(answer), from_hex("0000 0603 00000000"));
  client.bind(0x4000, kPeer);
  EXPECT_TRUE(script.icmp_error(v4, kPeer, {3, 3}).is_data_indication()) << "also where a channel is bound";
}

TEST_F(Icmp, CarriesTheMtuOfPacketTooBigAndNothingElse) {
  EXPECT_EQ(icmp_of(script.icmp_error(v4, kPeer, {3, 4, 1400})), from_hex("0000 0604 00000578"));
  EXPECT_EQ(icmp_of(script.icmp_error(v4, kPeer, {11, 0, 1400})), from_hex("0000 1600 00000000"));
  EXPECT_EQ(icmp_of(script.icmp_error(v4, kPeer, {3, 1, 1400})), from_hex("0000 0601 00000000"));
  EXPECT_EQ(icmp_of(script.icmp_error(v6, kPeerV6, {2, 0, 1280})), from_hex("0000 0400 00000500"));
  EXPECT_EQ(icmp_of(script.icmp_error(v6, kPeerV6, {1, 4, 1280})), from_hex("0000 0204 00000000"));
}

TEST_F(Icmp, PassesOnTheTypesOfTheRfcOnly) {
  for (int type = 0; type < 256; ++type) {
    const IcmpError error{static_cast<std::uint8_t>(type), 0};
    script.pass(1s);
    EXPECT_EQ(script.icmp_error(v4, kPeer, error).to_client.has_value(), type == 3 || type == 11) << type;
    script.pass(1s);
    EXPECT_EQ(script.icmp_error(v6, kPeerV6, error).to_client.has_value(), type >= 1 && type <= 3) << type;
    client.refresh();
    client.permit("9.9.9.9", "2620:fe::9");
  }
  EXPECT_EQ(script.icmp_error(v4, kPeer, {5, 0}).drop, DropReason::kIcmpType);
}

TEST_F(Icmp, NeedsALivePermissionForThePeerWhateverItsPort) {
  EXPECT_TRUE(script.icmp_error(v4, {kPeer.address, 1}, {3, 3}).to_client);
  EXPECT_EQ(script.icmp_error(v4, at("9.9.9.8", 7000), {3, 3}).drop, DropReason::kNoPermission);
  script.pass_with_timer(300s);
  EXPECT_EQ(script.icmp_error(v4, kPeer, {3, 3}).drop, DropReason::kNoPermission);
  client.refresh(0);
  EXPECT_EQ(script.icmp_error(v4, kPeer, {3, 3}).drop, DropReason::kUnknownRelay);
}

TEST_F(Icmp, IsLimitedInRate) {
  for (std::uint32_t i = 0; i < Server::kIcmpErrorsPerSecond; ++i)
    EXPECT_TRUE(script.icmp_error(v4, kPeer, {3, 3}).to_client);
  EXPECT_EQ(script.icmp_error(v4, kPeer, {3, 3}).drop, DropReason::kIcmpBudget);
  EXPECT_TRUE(client.send(kPeer, "x").to_peer) << "an error ends nothing";
  script.pass(100ms);
  EXPECT_TRUE(script.icmp_error(v4, kPeer, {3, 3}).to_client);
  EXPECT_EQ(script.icmp_error(v4, kPeer, {3, 3}).drop, DropReason::kIcmpBudget);
}

}  // namespace
}  // namespace causeway::turn
