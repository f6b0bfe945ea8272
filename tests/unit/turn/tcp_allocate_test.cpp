// SPDX-License-Identifier: Apache-2.0
// Allocations whose relayed transport address is TCP (RFC 6062 §5.1), and what they cannot do.
#include "tcp_relay_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct TcpAllocate : TcpRelayScript {};

TEST_F(TcpAllocate, ListensOnTheRelayedAddress) {
  const Answer answer = allocate();
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.relayed().address, ip("192.0.2.10"));
  EXPECT_EQ(answer.lifetime(), 600u);
  EXPECT_EQ(answer.address(AttributeType::kXorMappedAddress), client.ref.five_tuple.client);
  EXPECT_FALSE(answer.has(AttributeType::kReservationToken));
  EXPECT_TRUE(script.tcp_ports.listeners.relay_at(answer.relayed()));
  EXPECT_TRUE(script.ports.open_relays.empty()) << "no UDP socket";
  EXPECT_TRUE(client.allocation()->is_tcp());
}

TEST_F(TcpAllocate, IsReleasedAndRefreshedLikeAnyOther) {
  EXPECT_TRUE(allocate().success());
  EXPECT_EQ(client.refresh(1200).lifetime(), 1200u);
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_TRUE(client.refresh(0).success());
  EXPECT_TRUE(script.tcp_ports.listeners.open_relays.empty());
}

TEST_F(TcpAllocate, AnswersARetransmissionAgain) {
  const Answer first = allocate();
  const Answer second = client.retransmit(Method::kAllocate, TurnClient::tcp);
  EXPECT_EQ(second.relayed(), first.relayed());
  EXPECT_EQ(script.server().allocations().size(), 1u);
}

TEST_F(TcpAllocate, WorksOverTlsAndForIpv6) {
  TurnClient over_tls = stream(Transport::kTls);
  const Answer answer = allocate(over_tls, TurnClient::ipv6);
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.relayed().address, ip("2001:db8::10"));
}

TEST_F(TcpAllocate, NeedsAStreamOfTheClient) {
  for (const Transport transport : {Transport::kUdp, Transport::kDtls}) {
    TurnClient datagrams = stream(transport);
    EXPECT_EQ(allocate(datagrams).error(), 400) << name_of(transport);
  }
}

TEST_F(TcpAllocate, IsUnsupportedWhereItIsOff) {
  script.options.tcp_relay = false;
  EXPECT_EQ(allocate().error(), 442);
  TurnClient datagrams = stream(Transport::kUdp);
  EXPECT_EQ(allocate(datagrams).error(), 442);
}

TEST_F(TcpAllocate, TakesNothingThatBelongsToDatagrams) {
  EXPECT_EQ(allocate(client, [](MessageBuilder& b) { b.add(AttributeType::kEvenPort, Octets{0}); }).error(), 400);
  EXPECT_EQ(allocate(client, [](MessageBuilder& b) { b.add(AttributeType::kEvenPort, Octets{0x80}); }).error(), 400);
  EXPECT_EQ(allocate(client, [](MessageBuilder& b) { b.add(AttributeType::kReservationToken, Octets(8)); }).error(),
            400);
  EXPECT_EQ(allocate(client, [](MessageBuilder& b) { b.add_flag(AttributeType::kDontFragment); }).error(), 400);
  EXPECT_EQ(script.server().allocations().size(), 0u);
}

TEST_F(TcpAllocate, CannotMove) {
  script.options.mobility = true;
  EXPECT_EQ(allocate(client, [](MessageBuilder& b) { b.add_flag(AttributeType::kMobilityTicket); }).error(), 405);
}

TEST_F(TcpAllocate, CountsAgainstTheQuotaOfTheUser) {
  script.limits.allocations_per_user_max = 2;
  TurnClient second = stream();
  TurnClient third = stream();
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(second.allocate().success());
  EXPECT_EQ(allocate(third).error(), 486);
}

TEST_F(TcpAllocate, IsA508WhereNoPortCanBeListenedOn) {
  script.tcp_ports.listeners.fail_at[0] = RelayOpenError::kNoResources;
  EXPECT_EQ(allocate().error(), 508);
  EXPECT_TRUE(allocate().success());
}

TEST_F(TcpAllocate, CarriesNoDataOverTheControlConnection) {
  EXPECT_TRUE(allocate().success());
  EXPECT_TRUE(client.permit("9.9.9.1").success());
  EXPECT_EQ(client.bind(0x4000, at("9.9.9.1", 7)).error(), 400);
  EXPECT_EQ(client.send(at("9.9.9.1", 7), "x").drop, DropReason::kSendOverTcpRelay);
  EXPECT_EQ(client.channel_data(0x4000, "x").drop, DropReason::kUnknownChannel);
}

TEST_F(TcpAllocate, IsNoPeerOfADatagram) {
  const Endpoint relayed = allocate().relayed();
  TurnClient datagrams = stream(Transport::kUdp);
  EXPECT_TRUE(datagrams.allocate().success());
  EXPECT_TRUE(datagrams.permit(relayed.address.to_string()).success());
  EXPECT_EQ(datagrams.send(relayed, "x").drop, DropReason::kOwnAddressNotRelayed);
}

}  // namespace
}  // namespace causeway::turn
