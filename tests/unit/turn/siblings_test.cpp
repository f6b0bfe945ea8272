// SPDX-License-Identifier: Apache-2.0
// Two servers that share their listening addresses: what is of one and comes to the other.
#include "causeway/turn/siblings.hpp"

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Unlimited final : QuotaLedger {
  int taken = 0;
  std::optional<QuotaError> take(RealmIndex, std::string_view, const IpAddress&, const QuotaLimits&) override {
    ++taken;
    return std::nullopt;
  }
  void give_back(RealmIndex, std::string_view, const IpAddress&) noexcept override { --taken; }
};

struct Directory final : RelayDirectory {
  std::map<Endpoint, std::pair<WorkerIndex, Relay>> relays;

  void add(WorkerIndex worker, const Relay& relay) override { relays[relay.relayed_address] = {worker, relay}; }
  void remove(const Relay& relay) noexcept override { relays.erase(relay.relayed_address); }
  std::optional<turn::WorkerIndex> worker_of(const Endpoint& relay) const noexcept override {
    const auto found = relays.find(relay);
    return found == relays.end() ? std::nullopt : std::optional{found->second.first};
  }
  std::optional<Relay> find_tcp(const Endpoint&) const override { return std::nullopt; }
};

class SiblingsTest : public testing::Test {
 protected:
  SiblingsTest() {
    for (TurnScript* script : {&one, &other}) {
      script->options.mobility = true;
      script->siblings = script == &one ? &place_of_one : &place_of_other;
    }
  }
  ~SiblingsTest() override {
    one.end_server();
    other.end_server();
    EXPECT_EQ(quota.taken, 0);
    EXPECT_EQ(ports.addresses(), 0u);
    EXPECT_TRUE(directory.relays.empty());
  }
  static Outcome feed(TurnScript& script, const ClientRef& client, PacketBuffer& packet) {
    ReplyBuffer reply{};
    return script.server().on_client_packet({client, packet.bytes()}, script.now, reply);
  }

  PortPool ports{50000, 50099};
  Unlimited quota;
  Directory directory;
  Siblings place_of_one{0, 2, ports, quota, quota, directory};
  Siblings place_of_other{1, 2, ports, quota, quota, directory};
  TurnScript one;
  TurnScript other;
};

TEST_F(SiblingsTest, AReservationTokenIsHandedOverAndSoIsAllThatFollows) {
  TurnClient first{one, at("198.51.100.7", 1)};
  const Answer made = first.allocate(
      [](MessageBuilder& builder) { builder.add(AttributeType::kEvenPort, std::array<std::uint8_t, 1>{0x80}); });
  const Bytes token = made.message().value(AttributeType::kReservationToken).value();
  EXPECT_EQ(token.front(), 0);

  TurnClient second{other, at("198.51.100.7", 2)};
  second.challenge();
  const Octets request = second.build(
      Method::kAllocate, MessageClass::kRequest,
      [&](MessageBuilder& builder) {
        TurnClient::udp(builder);
        builder.add(AttributeType::kReservationToken, token);
      },
      true);
  PacketBuffer packet{request};
  const Outcome outcome = feed(other, second.ref, packet);
  const auto* handed = std::get_if<HandOver>(&outcome);
  ASSERT_NE(handed, nullptr);
  EXPECT_EQ(handed->worker, 0);
  EXPECT_EQ(octets_of(handed->packet), request);
  EXPECT_TRUE(one.from_client(second.ref, request).success());

  const std::array<std::uint8_t, 8> data{0x40, 1, 0, 4, 1, 2, 3, 4};
  PacketBuffer following{data};
  EXPECT_TRUE(std::holds_alternative<HandOver>(feed(other, second.ref, following)));
  EXPECT_EQ(other.server().counters().handed_over, 2u);
  EXPECT_TRUE(other.server().is_of_sibling(second.ref.five_tuple));
  other.server().on_client_given_back(second.ref.five_tuple);
  EXPECT_EQ(other.from_client(second.ref, data).drop, DropReason::kNoAllocation);
}

TEST_F(SiblingsTest, ATicketIsHandedOver) {
  TurnClient client{one};
  const Answer made =
      client.allocate([](MessageBuilder& builder) { builder.add(AttributeType::kMobilityTicket, Bytes{}); });
  const std::string ticket = made.text(AttributeType::kMobilityTicket);
  const ClientRef elsewhere{{at("198.51.100.99", 9), client.ref.five_tuple.server, Transport::kTcp}, 1};
  TurnClient moved{other, elsewhere.five_tuple.client, elsewhere.five_tuple.server, Transport::kTcp};
  moved.challenge();
  PacketBuffer packet{moved.build(
      Method::kRefresh, MessageClass::kRequest,
      [&](MessageBuilder& builder) { builder.add_text(AttributeType::kMobilityTicket, ticket); }, true)};
  EXPECT_TRUE(std::holds_alternative<HandOver>(feed(other, moved.ref, packet)));
  EXPECT_FALSE(other.server().is_of_sibling(moved.ref.five_tuple)) << "its stream goes along";
  EXPECT_TRUE(one.from_client(moved.ref, octets_of(packet.bytes())).success());
}

TEST_F(SiblingsTest, AClientWithAnAllocationStays) {
  TurnClient client{one};
  const Answer made =
      client.allocate([](MessageBuilder& builder) { builder.add(AttributeType::kMobilityTicket, Bytes{}); });
  TurnClient settled{other, at("198.51.100.8", 3)};
  settled.allocate();
  const auto ticket = made.text(AttributeType::kMobilityTicket);
  const Answer refused = settled.request(
      Method::kRefresh, [&](MessageBuilder& builder) { builder.add_text(AttributeType::kMobilityTicket, ticket); });
  EXPECT_EQ(refused.error(), 437);
}

TEST_F(SiblingsTest, NumbersOfNoSiblingStay) {
  TurnClient client{one};
  const Answer refused = client.allocate([](MessageBuilder& builder) {
    builder.add(AttributeType::kReservationToken, std::array<std::uint8_t, 8>{2, 1, 1, 1, 1, 1, 1, 1});
  });
  EXPECT_EQ(refused.error(), 508);
}

TEST_F(SiblingsTest, DataForARelayOfASiblingGoesThereAndNowhereElse) {
  TurnClient sender{one, at("198.51.100.7", 1)};
  TurnClient receiver{other, at("198.51.100.7", 2)};
  const Endpoint from = sender.allocate().relayed();
  const Endpoint to = receiver.allocate().relayed();
  EXPECT_NE(from, to) << "the ports are shared";
  EXPECT_TRUE(sender.bind(0x4001, to).success());
  EXPECT_TRUE(receiver.permit(from.address.to_string()).success());

  const std::array<std::uint8_t, 8> data{0x40, 1, 0, 4, 'd', 'a', 't', 'a'};
  PacketBuffer packet{data};
  const Outcome outcome = feed(one, sender.ref, packet);
  const auto* sent = std::get_if<ToSibling>(&outcome);
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->worker, 1);
  EXPECT_EQ(sent->from, from);
  EXPECT_EQ(sent->to, to);
  PacketBuffer payload{sent->payload};
  const Outcome arrived = other.server().on_sibling_packet(from, to, payload.bytes(), other.now, {});
  ASSERT_TRUE(std::holds_alternative<ToClient>(arrived));
  EXPECT_EQ(std::get<ToClient>(arrived).client.five_tuple, receiver.ref.five_tuple);

  EXPECT_TRUE(receiver.refresh(0).success());
  EXPECT_EQ(one.from_client(sender.ref, data).drop, DropReason::kOwnAddressNotRelayed);
  PacketBuffer late{as_bytes("data")};
  const Outcome lost = other.server().on_sibling_packet(from, to, late.bytes(), other.now, {});
  EXPECT_EQ(std::get<Drop>(lost).reason, DropReason::kUnknownRelay);
}

}  // namespace
}  // namespace causeway::turn
