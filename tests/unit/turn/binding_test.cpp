// SPDX-License-Identifier: Apache-2.0
// Plain STUN, and what is no message for this server at all.
#include <gtest/gtest.h>

#include "hex.hpp"
#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

TEST(Binding, AnswersWithTheMappedAddressAndNothingElse) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.bare(Method::kBinding);
  ASSERT_TRUE(answer.success());
  EXPECT_EQ(answer.address(AttributeType::kXorMappedAddress), at("198.51.100.7", 40000));
  EXPECT_EQ(answer.reply->size(), 32u);
  TurnClient v6{script, at("2001:db8:1::7", 40000), at("2001:db8::10", 3478)};
  EXPECT_EQ(v6.bare(Method::kBinding).reply->size(), 44u);
}

TEST(Binding, MirrorsFingerprint) {
  TurnScript script;
  TurnClient client{script};
  client.with_fingerprint = true;
  const Answer answer = client.bare(Method::kBinding);
  EXPECT_EQ(stun::check_fingerprint(answer.message()), stun::Fingerprint::kValid);
  const Answer refused = client.bare(Method::kBinding, [](MessageBuilder& b) { b.add_flag(AttributeType{0x0003}); });
  EXPECT_EQ(stun::check_fingerprint(refused.message()), stun::Fingerprint::kValid);
}

TEST(Binding, DropsABadFingerprint) {
  TurnScript script;
  TurnClient client{script};
  client.with_fingerprint = true;
  Octets request = client.build(Method::kBinding, MessageClass::kRequest, {}, false);
  request.back() ^= 1;
  EXPECT_EQ(script.from_client(client.ref, request).drop, DropReason::kBadFingerprint);
}

TEST(Binding, RefusesUnknownAttributesWithoutAmplifying) {
  TurnScript script;
  TurnClient client{script};
  const auto add = [](MessageBuilder& builder) { builder.add_u32(AttributeType{0x0003}, 6); };  // CHANGE-REQUEST
  const Answer answer = client.bare(Method::kBinding, add);
  EXPECT_EQ(answer.error(), 420);
  EXPECT_EQ(answer.unknown_attributes(), std::vector<std::uint16_t>{0x0003});
  EXPECT_LE(answer.reply->size(), 64u);
  EXPECT_FALSE(answer.has(AttributeType::kNonce));
}

TEST(Binding, TakesAnIceCheckAndCredentialsItDoesNotNeed) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.bare(Method::kBinding, [](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kPriority, 1);
    builder.add_flag(AttributeType::kUseCandidate);
    builder.add_text(AttributeType::kUsername, "a:b");
    builder.add_message_integrity(Octets(16));
  });
  EXPECT_TRUE(answer.success());
}

TEST(Binding, NeverTouchesThePorts) {
  TurnScript script;
  TurnClient client{script};
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(client.bare(Method::kBinding).success());
  EXPECT_TRUE(script.ports.tried.empty());
  EXPECT_EQ(script.server().next_deadline(), std::nullopt);
  EXPECT_EQ(script.server().counters().requests_by_method[1], 100u);
}

TEST(ClientPacket, IsDroppedForAReason) {
  TurnScript script;
  TurnClient client{script};
  const auto drop = [&](std::string_view hex) { return script.from_client(client.ref, from_hex(hex)).drop; };
  EXPECT_EQ(drop(""), DropReason::kNeitherStunNorChannelData);
  EXPECT_EQ(drop("16fefd"), DropReason::kNeitherStunNorChannelData);
  EXPECT_EQ(drop("80"), DropReason::kNeitherStunNorChannelData);
  EXPECT_EQ(drop("ff"), DropReason::kNeitherStunNorChannelData);
  EXPECT_EQ(drop("04"), DropReason::kNeitherStunNorChannelData);
  EXPECT_EQ(drop("00"), DropReason::kMalformedStun);
  EXPECT_EQ(drop("0001 0000 deadbeef 000000000000000000000000"), DropReason::kMalformedStun);
  EXPECT_EQ(drop("0001 0004 2112a442 000000000000000000000000"), DropReason::kMalformedStun);
  EXPECT_EQ(drop("0001 0004 2112a442 000000000000000000000000 0006ffff"), DropReason::kMalformedStun);
}

TEST(ClassicStun, IsA500OverDtlsAndNothingElsewhere) {
  TurnScript script;
  const auto send = [&](turn::Transport transport, std::string_view hex) {
    const TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 5349), transport};
    return script.from_client(client.ref, from_hex(hex));
  };
  constexpr std::string_view kBinding = "0001 0000 00010203 04050607 08090a0b 0c0d0e0f";
  constexpr std::string_view kIndication = "0011 0000 00010203 04050607 08090a0b 0c0d0e0f";
  const Answer answer = send(turn::Transport::kDtls, kBinding);
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(octets_of(Bytes{*answer.reply}.first(20)), from_hex("0111 0014 00010203 04050607 08090a0b 0c0d0e0f"));
  EXPECT_EQ(octets_of(Bytes{*answer.reply}.subspan(20, 8)), from_hex("0009 0010 00000500"));
  EXPECT_EQ(send(turn::Transport::kDtls, kIndication).drop, DropReason::kMalformedStun);
  for (const auto transport : {turn::Transport::kUdp, turn::Transport::kTcp, turn::Transport::kTls})
    EXPECT_EQ(send(transport, kBinding).drop, DropReason::kMalformedStun);
}

TEST(ClientPacket, OfAnotherClassOrMethodIsDropped) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_EQ(client.bare(Method::kBinding, {}, MessageClass::kIndication).drop, DropReason::kBindingIndication);
  EXPECT_EQ(client.bare(Method::kBinding, {}, MessageClass::kSuccessResponse).drop, DropReason::kResponse);
  EXPECT_EQ(client.bare(Method::kAllocate, {}, MessageClass::kErrorResponse).drop, DropReason::kResponse);
  EXPECT_EQ(client.bare(Method::kData, {}, MessageClass::kIndication).drop, DropReason::kUnexpectedIndication);
  EXPECT_EQ(client.bare(Method::kAllocate, {}, MessageClass::kIndication).drop, DropReason::kUnexpectedIndication);
  for (const auto method : {Method::kSend, Method::kData, Method::kConnectionAttempt, Method{0x002}, Method{0x005},
                            Method{0x010}, Method{0x0FF}, Method{0}})
    EXPECT_EQ(client.bare(method).drop, DropReason::kUnknownMethod);
}

constexpr std::array kEveryTransport{Transport::kUdp, Transport::kTcp, Transport::kTls, Transport::kDtls};

TEST(BindingOfStrangers, GetsNoAnswerOverAnyTransport) {
  TurnScript script;
  script.options.limits.binding_needs_allocation = true;
  for (const Transport transport : kEveryTransport) {
    TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 3478), transport};
    EXPECT_EQ(client.bare(Method::kBinding).drop, DropReason::kBindingOfStranger);
    const auto unknown = [](MessageBuilder& builder) { builder.add_u32(AttributeType{0x0003}, 6); };
    EXPECT_EQ(client.bare(Method::kBinding, unknown).drop, DropReason::kBindingOfStranger);
    Octets classic = client.build(Method::kBinding, MessageClass::kRequest, {}, false);
    classic[4] ^= 1;  // a transaction ID of RFC 3489 where the cookie is
    EXPECT_FALSE(script.from_client(client.ref, classic).reply);
  }
}

TEST(BindingOfStrangers, IsAnsweredWithAnAllocation) {
  TurnScript script;
  script.options.limits.binding_needs_allocation = true;
  for (const Transport transport : kEveryTransport) {
    TurnClient client{script, at("198.51.100.7", 40000), at("192.0.2.10", 3478), transport};
    const Answer allocated = client.allocate();
    EXPECT_EQ(allocated.address(AttributeType::kXorMappedAddress), at("198.51.100.7", 40000)) << "nothing is lost";
    EXPECT_TRUE(client.bare(Method::kBinding).success());
    EXPECT_TRUE(client.refresh(0).success());
    EXPECT_EQ(client.bare(Method::kBinding).drop, DropReason::kBindingOfStranger);
  }
}

TEST(BindingOfStrangers, ChangesWithTheLimits) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.bare(Method::kBinding).success());
  turn::ServerLimits limits = script.options.limits;
  limits.binding_needs_allocation = true;
  script.server().set_limits(limits, std::array{turn::RealmLimits{}});
  EXPECT_EQ(client.bare(Method::kBinding).drop, DropReason::kBindingOfStranger);
}

}  // namespace
}  // namespace causeway::turn
