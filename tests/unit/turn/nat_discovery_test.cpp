// SPDX-License-Identifier: Apache-2.0
// Binding on the four transport addresses of NAT behaviour discovery (RFC 5780).
#include "causeway/turn/nat_discovery.hpp"

#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

const IpAddress kA1 = ip("192.0.2.10");
const IpAddress kA2 = ip("192.0.2.11");
constexpr std::uint16_t kP1 = 3478;
constexpr std::uint16_t kP2 = 3479;
const Endpoint kClient = at("198.51.100.7", 40000);

// A server with two addresses of each family, and a client of it.
struct Discovery {
  TurnScript script;
  TurnClient client;

  explicit Discovery(const Endpoint& server = {kA1, kP1}, Transport transport = Transport::kUdp,
                     const Endpoint& from = kClient)
      : client{script, from, server, transport} {
    script.options.nat_discovery.pairs = {
        {{{kA1, kA1}, {kA2, kA2}}},
        {{{ip("2001:db8::10"), ip("2001:db8::10")}, {ip("2001:db8::11"), ip("2001:db8::11")}}}};
  }
  Answer bind(const TurnClient::Add& add = {}) { return client.bare(Method::kBinding, add); }
  Answer change(std::uint32_t flags) {
    return bind([flags](MessageBuilder& builder) { builder.add_u32(AttributeType::kChangeRequest, flags); });
  }
};

void respond_to(MessageBuilder& builder, std::uint16_t port) {
  const std::array<std::uint8_t, 2> value{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
  builder.add(AttributeType::kResponsePort, value);
}

TEST(NatDiscovery, TellsBothMappedAddressesTheOriginAndTheOtherAddress) {
  Discovery discovery;
  const Answer answer = discovery.change(0);
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.address(AttributeType::kXorMappedAddress), kClient);
  EXPECT_EQ(answer.plain_address(AttributeType::kMappedAddress), kClient);
  EXPECT_EQ(answer.plain_address(AttributeType::kResponseOrigin), (Endpoint{kA1, kP1}));
  EXPECT_EQ(answer.plain_address(AttributeType::kOtherAddress), (Endpoint{kA2, kP2}));
  EXPECT_EQ(answer.from, Endpoint{}) << "an ordinary reply";
}

// RFC 5780 §6.1, table 1, from each of the four.
TEST(NatDiscovery, AnswersFromTheAddressThatWasAskedFor) {
  for (const IpAddress& address : {kA1, kA2}) {
    for (const std::uint16_t port : {kP1, kP2}) {
      const IpAddress other_address = address == kA1 ? kA2 : kA1;
      const std::uint16_t other_port = port == kP1 ? kP2 : kP1;
      Discovery discovery{{address, port}};
      const auto expect = [&](std::uint32_t flags, const Endpoint& from) {
        const Answer answer = discovery.change(flags);
        ASSERT_TRUE(answer.success());
        EXPECT_EQ(answer.from, from);
        EXPECT_EQ(answer.to, kClient);
        EXPECT_EQ(answer.plain_address(AttributeType::kResponseOrigin), from);
        EXPECT_EQ(answer.plain_address(AttributeType::kOtherAddress), (Endpoint{other_address, other_port}));
      };
      expect(0x4, {other_address, port});
      expect(0x2, {address, other_port});
      expect(0x6, {other_address, other_port});
      EXPECT_EQ(discovery.change(0).from, Endpoint{}) << "neither flag: where it was asked";
    }
  }
}

TEST(NatDiscovery, HasAPairForEachFamily) {
  Discovery discovery{at("2001:db8::11", kP2), Transport::kUdp, at("2001:db8:1::7", 40000)};
  const Answer answer = discovery.change(0x6);
  EXPECT_EQ(answer.from, at("2001:db8::10", kP1));
  EXPECT_EQ(answer.plain_address(AttributeType::kOtherAddress), at("2001:db8::10", kP1));
}

TEST(NatDiscovery, AdvertisesWhatANatMakesOfTheAddresses) {
  Discovery discovery;
  discovery.script.options.nat_discovery.pairs = {{{{kA1, ip("203.0.113.1")}, {kA2, ip("203.0.113.2")}}}};
  const Answer answer = discovery.change(0x4);
  EXPECT_EQ(answer.from, (Endpoint{kA2, kP1})) << "sockets know their own addresses only";
  EXPECT_EQ(answer.plain_address(AttributeType::kResponseOrigin), at("203.0.113.2", kP1));
  EXPECT_EQ(answer.plain_address(AttributeType::kOtherAddress), at("203.0.113.2", kP2));
}

TEST(NatDiscovery, SendsTheAnswerToTheResponsePort) {
  Discovery discovery;
  const Answer answer = discovery.bind([](MessageBuilder& builder) {
    respond_to(builder, 41000);
    builder.add_u32(AttributeType::kChangeRequest, 0x4);
  });
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.to, at("198.51.100.7", 41000));
  EXPECT_EQ(answer.from, (Endpoint{kA2, kP1}));
  EXPECT_EQ(answer.address(AttributeType::kXorMappedAddress), kClient) << "where the request came from";
  const Answer alone = discovery.bind([](MessageBuilder& builder) { respond_to(builder, 41000); });
  EXPECT_EQ(alone.from, (Endpoint{kA1, kP1}));
  const Answer four_octets =
      discovery.bind([](MessageBuilder& builder) { builder.add_u32(AttributeType::kResponsePort, 41000u << 16); });
  EXPECT_EQ(four_octets.to.port, 41000);
}

TEST(NatDiscovery, CountsAnswersToAResponsePortEvenForAnAllocationsAddress) {
  Discovery discovery;
  discovery.script.options.limits.unauthenticated_answers_per_second_max = 1;
  EXPECT_TRUE(discovery.client.allocate().success());
  const auto elsewhere = [](MessageBuilder& builder) { respond_to(builder, 41000); };
  int answers = 0;
  while (discovery.bind(elsewhere).reply)
    ASSERT_LT(++answers, 10);
  EXPECT_EQ(discovery.bind(elsewhere).drop, DropReason::kAnswerBudget);
  EXPECT_TRUE(discovery.bind().reply) << "its own port is proved";
}

TEST(NatDiscovery, PadsTheAnswerAsTheQuestionWasPadded) {
  Discovery discovery;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{5}, std::size_t{1500}, std::size_t{9000}}) {
    const Octets question = discovery.client.build(
        Method::kBinding, MessageClass::kRequest,
        [bytes](MessageBuilder& builder) { builder.add(AttributeType::kPadding, Octets(bytes, 'p')); }, false);
    const Answer answer = discovery.script.from_client(discovery.client.ref, question);
    ASSERT_TRUE(answer.success());
    EXPECT_EQ(answer.message().value(AttributeType::kPadding).value().size(), std::min<std::size_t>(bytes, 1500));
    EXPECT_LE(answer.reply->size(), question.size() + 64);
  }
}

// As IP packets, with 28 or 48 octets of headers.
TEST(NatDiscovery, AnswersWithLessThanTwiceTheQuestion) {
  const std::vector<TurnClient::Add> additions{
      {},
      [](MessageBuilder& builder) { builder.add_flag(AttributeType::kSoftware); },
      [](MessageBuilder& builder) { builder.add_u32(AttributeType::kChangeRequest, 6); },
      [](MessageBuilder& builder) { builder.add_flag(AttributeType::kPadding); },
      [](MessageBuilder& builder) { builder.add(AttributeType::kPadding, Octets(9)); },
      [](MessageBuilder& builder) { respond_to(builder, 41000); }};
  for (const bool with_fingerprint : {false, true}) {
    for (const TurnClient::Add& add : additions) {
      Discovery v4;
      Discovery v6{at("2001:db8::10", kP1), Transport::kUdp, at("2001:db8:1::7", 40000)};
      for (auto& [discovery, headers] : {std::pair<Discovery&, std::size_t>{v4, 28}, {v6, 48}}) {
        discovery.client.with_fingerprint = with_fingerprint;
        const Octets question = discovery.client.build(Method::kBinding, MessageClass::kRequest, add, false);
        const Answer answer = discovery.script.from_client(discovery.client.ref, question);
        ASSERT_TRUE(answer.success());
        EXPECT_LT(answer.reply->size() + headers, 2 * (question.size() + headers));
        EXPECT_TRUE(answer.has(AttributeType::kXorMappedAddress));
        EXPECT_TRUE(answer.has(AttributeType::kOtherAddress)) << "nothing is discovered without it";
      }
    }
  }
}

TEST(NatDiscovery, TellsAllOverAConnectionWhateverTheSizeOfTheQuestion) {
  Discovery discovery{{kA1, kP1}, Transport::kTcp};
  const Answer answer = discovery.bind();
  EXPECT_TRUE(answer.has(AttributeType::kMappedAddress));
  EXPECT_TRUE(answer.has(AttributeType::kResponseOrigin));
  EXPECT_TRUE(answer.has(AttributeType::kOtherAddress));
}

TEST(NatDiscovery, RefusesWhatIsMalformed) {
  Discovery discovery;
  const auto error = [&](AttributeType type, const Octets& value, bool with_padding = false) {
    return discovery
        .bind([&](MessageBuilder& builder) {
          if (with_padding) builder.add(AttributeType::kPadding, Octets(4));
          builder.add(type, value);
        })
        .error();
  };
  EXPECT_EQ(error(AttributeType::kChangeRequest, Octets{0, 0, 0}), 400);
  EXPECT_EQ(error(AttributeType::kChangeRequest, Octets(8)), 400);
  EXPECT_EQ(error(AttributeType::kResponsePort, Octets{1}), 400);
  EXPECT_EQ(error(AttributeType::kResponsePort, Octets{0, 0}), 400) << "nothing can be sent to port 0";
  EXPECT_EQ(error(AttributeType::kResponsePort, Octets{0xA0, 0x28}, true), 400) << "RFC 5780 §7.5";
}

TEST(NatDiscovery, OverAConnectionTellsTheAddressesAndKnowsNothingElse) {
  for (const Transport transport : {Transport::kTcp, Transport::kTls, Transport::kDtls}) {
    Discovery discovery{{kA1, kP1}, transport};
    const Answer answer = discovery.bind();
    EXPECT_EQ(answer.plain_address(AttributeType::kResponseOrigin), (Endpoint{kA1, kP1}));
    EXPECT_EQ(answer.plain_address(AttributeType::kOtherAddress), (Endpoint{kA2, kP2}));
    const Answer refused = discovery.bind([](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kChangeRequest, 6);
      respond_to(builder, 41000);
      builder.add(AttributeType::kPadding, Octets(4));
    });
    EXPECT_EQ(refused.error(), 420);
    EXPECT_EQ(refused.unknown_attributes(), (std::vector<std::uint16_t>{0x0003, 0x0027, 0x0026}));
  }
}

TEST(NatDiscovery, IsUnknownOnOtherTransportAddresses) {
  for (const Endpoint& server : {Endpoint{kA1, 443}, at("192.0.2.12", kP1)}) {
    Discovery discovery{server};
    EXPECT_EQ(discovery.bind().reply->size(), 32u) << "the smallest answer, as ever";
    EXPECT_EQ(discovery.change(0x2).error(), 420);
  }
}

TEST(NatDiscovery, MeansNothingInARequestOfTurn) {
  Discovery discovery;
  const Answer answer =
      discovery.client.allocate([](MessageBuilder& builder) { builder.add_u32(AttributeType::kChangeRequest, 2); });
  EXPECT_EQ(answer.error(), 420);
  EXPECT_EQ(answer.unknown_attributes(), std::vector<std::uint16_t>{0x0003});
}

}  // namespace
}  // namespace causeway::turn
