// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/message.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "hex.hpp"
#include "messages.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;
using test::kId;
using test::types;
using Octets = std::vector<std::uint8_t>;

constexpr auto kUnknown = static_cast<AttributeType>(0x7F01);

// A Binding request with these attributes, its length field set to match.
Octets message_of(std::string_view attributes_hex) {
  Octets message = from_hex("00 01 00 00 21 12 a4 42 01 02 03 04 05 06 07 08 09 0a 0b 0c");
  const Octets attributes = from_hex(attributes_hex);
  message.insert(message.end(), attributes.begin(), attributes.end());
  store_be16(message.data() + 2, static_cast<std::uint16_t>(attributes.size()));
  return message;
}

ParseError error_of(const Octets& message) {
  return MessageView::parse(message).error();
}

TEST(MessageView, ReadsEveryMethodAndClass) {
  for (unsigned method = 0; method <= 0xFFF; ++method) {
    for (const auto message_class : {MessageClass::kRequest, MessageClass::kIndication, MessageClass::kSuccessResponse,
                                     MessageClass::kErrorResponse}) {
      std::array<std::uint8_t, kHeaderBytes> buffer{};
      const MessageBuilder builder{buffer, static_cast<Method>(method), message_class, kId};
      const MessageView message = *MessageView::parse(builder.finish());
      ASSERT_EQ(message.method(), static_cast<Method>(method));
      ASSERT_EQ(message.message_class(), message_class);
      ASSERT_EQ(message.transaction_id(), kId);
    }
  }
}

TEST(MessageView, RefusesAWrongHeader) {
  EXPECT_EQ(error_of({}), ParseError::kTooShort);
  EXPECT_EQ(error_of(Octets(19)), ParseError::kTooShort);
  for (const std::uint8_t first : from_hex("40 80 c0")) {
    Octets message = message_of("");
    message[0] = first;
    EXPECT_EQ(error_of(message), ParseError::kNotStun);
  }
  for (std::size_t i = 4; i < 8; ++i) {
    Octets message = message_of("");
    message[i] ^= 0x80;
    EXPECT_EQ(error_of(message), ParseError::kBadCookie);
  }
}

TEST(MessageView, LengthIsExactlyThatOfTheBytes) {
  Octets message = message_of("80 22 00 00");
  ASSERT_TRUE(MessageView::parse(message));
  message[3] = 0;
  EXPECT_EQ(error_of(message), ParseError::kBadLength);  // bytes behind the message
  message[3] = 8;
  EXPECT_EQ(error_of(message), ParseError::kBadLength);  // fewer than announced
  for (std::size_t extra = 1; extra < 4; ++extra) {      // no multiple of four
    message = message_of("");
    message.resize(kHeaderBytes + extra);
    message[3] = static_cast<std::uint8_t>(extra);
    EXPECT_EQ(error_of(message), ParseError::kBadLength);
  }
}

TEST(MessageView, RefusesAttributesThatReachBeyond) {
  EXPECT_EQ(error_of(message_of("80 22 00 01")), ParseError::kTruncatedAttribute);
  EXPECT_EQ(error_of(message_of("80 22 00 05 61 62 63 64")), ParseError::kTruncatedAttribute);
  EXPECT_EQ(error_of(message_of("80 22 ff ff 61 62 63 64")), ParseError::kTruncatedAttribute);
  EXPECT_EQ(error_of(message_of("80 22 00 00 80 22 ff fd")), ParseError::kTruncatedAttribute);
  // Also behind the integrity attribute, where nobody reads them.
  EXPECT_EQ(error_of(message_of("00 08 00 00 80 22 00 04")), ParseError::kTruncatedAttribute);
}

TEST(MessageView, ReadsValuesWithoutTheirPadding) {
  const Octets octets =
      message_of("80 22 00 01 61 ff ff ff  00 06 00 00  00 14 00 04 61 62 63 64  00 15 00 03 61 62 63 20");
  const MessageView message = *MessageView::parse(octets);
  EXPECT_EQ(as_text(message.value(AttributeType::kSoftware).value()), "a");
  EXPECT_EQ(as_text(message.value(AttributeType::kUsername).value()), "");
  EXPECT_EQ(as_text(message.value(AttributeType::kRealm).value()), "abcd");
  EXPECT_EQ(as_text(message.value(AttributeType::kNonce).value()), "abc");
  EXPECT_EQ(message.find(AttributeType::kRealm)->offset, 32u);
  EXPECT_FALSE(message.has(AttributeType::kData));
  EXPECT_EQ(message.value(AttributeType::kData), std::nullopt);
}

TEST(MessageView, TheFirstOfEqualAttributesCounts) {
  const Octets octets = message_of("00 12 00 01 61 000000  00 12 00 01 62 000000");
  const MessageView message = *MessageView::parse(octets);
  EXPECT_EQ(as_text(message.value(AttributeType::kXorPeerAddress).value()), "a");
  std::string all;
  message.for_each([&](const Attribute& attribute) { all += as_text(attribute.value); });
  EXPECT_EQ(all, "ab");  // CreatePermission needs them all
}

// RFC 8489 §14.5–14.7. Values are empty here: only types and order matter.
TEST(MessageView, HidesWhatIntegrityDoesNotCover) {
  constexpr auto kSha1 = AttributeType::kMessageIntegrity;
  constexpr auto kSha256 = AttributeType::kMessageIntegritySha256;
  constexpr auto kPrint = AttributeType::kFingerprint;
  const auto visible = [](std::string_view attributes) {
    const Octets octets = message_of(attributes);
    return types(*MessageView::parse(octets));
  };
  using Types = std::vector<AttributeType>;
  EXPECT_EQ(visible("00080000 7f010000 80280000"), (Types{kSha1, kPrint}));
  EXPECT_EQ(visible("7f010000 00080000 001c0000 80280000"), (Types{kUnknown, kSha1, kSha256, kPrint}));
  EXPECT_EQ(visible("00080000 7f010000 001c0000 7f010000"), (Types{kSha1, kSha256}));
  EXPECT_EQ(visible("001c0000 00080000 7f010000 80280000"), (Types{kSha256, kPrint}));
  EXPECT_EQ(visible("00080000 001c0000 001c0000 00080000"), (Types{kSha1, kSha256}));
  EXPECT_EQ(visible("00080000 00080000"), (Types{kSha1}));
  EXPECT_EQ(visible("001c0000 001c0000"), (Types{kSha256}));
  EXPECT_EQ(visible("7f010000 80280000 7f010000"), (Types{kUnknown, kPrint, kUnknown}));

  const Octets octets = message_of("00080000 00060000 001c0000 00120000");
  const MessageView message = *MessageView::parse(octets);
  EXPECT_FALSE(message.has(AttributeType::kUsername));
  EXPECT_FALSE(message.has(AttributeType::kXorPeerAddress));
}

TEST(MessageView, TakesTheLargestMessage) {
  Octets octets(kMessageBytesMax);
  MessageBuilder builder{octets, Method::kSend, MessageClass::kIndication, kId};
  builder.add(AttributeType::kData, Octets(kMessageBytesMax - kHeaderBytes - kAttributeHeaderBytes, 0x55));
  ASSERT_FALSE(builder.overflowed());
  const MessageView message = *MessageView::parse(builder.finish());
  EXPECT_EQ(message.bytes().size(), kMessageBytesMax);
  EXPECT_EQ(message.value(AttributeType::kData)->size(), 65528u);
}

// Whatever the octets are, reading stays within them; an exact heap block lets the sanitizers see it.
TEST(MessageView, SurvivesNoise) {
  std::mt19937 random{8489};
  std::size_t parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::size_t size = kHeaderBytes + 4 * (random() % 24);
    const auto block = std::make_unique<std::uint8_t[]>(size);
    const MutableBytes octets{block.get(), size};
    // Mostly small numbers, so that lengths are often plausible.
    for (std::uint8_t& octet : octets)
      octet = static_cast<std::uint8_t>(random() % 4 == 0 ? random() % 36 : 0);
    store_be16(octets.data() + 2, static_cast<std::uint16_t>(size - kHeaderBytes));
    store_be32(octets.data() + 4, kMagicCookie);
    octets[0] &= 0x3F;
    const auto message = MessageView::parse(octets);
    if (!message) continue;
    ++parsed;
    std::size_t end = kHeaderBytes;
    message->for_each([&](const Attribute& attribute) {
      ASSERT_GE(attribute.offset, end);
      end = attribute.offset + kAttributeHeaderBytes + attribute.value.size();
      ASSERT_LE(end, size);
    });
    check_message_integrity(*message, as_bytes("key"));
    check_fingerprint(*message);
  }
  EXPECT_GT(parsed, 1000u);
}

TEST(MessageBuilder, PadsWithZerosAndCounts) {
  std::array<std::uint8_t, 64> buffer{};
  buffer.fill(0xFF);
  MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kId};
  builder.add_text(AttributeType::kSoftware, "a")
      .add_flag(AttributeType::kDontFragment)
      .add_text(AttributeType::kRealm, "abc");
  const Bytes message = builder.finish();
  EXPECT_EQ(Octets(message.begin(), message.end()),
            message_of("80 22 00 01 61 00 00 00  00 1a 00 00  00 14 00 03 61 62 63 00"));
  EXPECT_EQ(buffer[message.size()], 0xFF);
}

TEST(MessageBuilder, WritesEachKindOfValue) {
  std::array<std::uint8_t, 128> buffer{};
  const Endpoint endpoint{IpAddress::parse("2001:db8::1").value(), 3478};
  MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kErrorResponse, kId};
  builder.add_u32(AttributeType::kLifetime, 600)
      .add_xor_address(AttributeType::kXorRelayedAddress, endpoint)
      .add_error_code(ErrorCode::kStaleNonce);
  const MessageView message = *MessageView::parse(builder.finish());
  EXPECT_EQ(read_u32(message.value(AttributeType::kLifetime).value()), 600u);
  EXPECT_EQ(read_xor_address(message.value(AttributeType::kXorRelayedAddress).value(), kId), endpoint);
  const Bytes error = message.value(AttributeType::kErrorCode).value();
  EXPECT_EQ(read_error_code(error), 438);
  EXPECT_EQ(as_text(error.subspan(4)), "Stale");
}

// One octet too few anywhere: nothing is written beyond the buffer, and what follows cannot mend it.
TEST(MessageBuilder, OverflowSticks) {
  const auto build = [](MutableBytes buffer) {
    MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kSuccessResponse, kId};
    builder.add_text(AttributeType::kRealm, "example.org")
        .add_u32(AttributeType::kLifetime, 600)
        .add_xor_address(AttributeType::kXorMappedAddress, Endpoint{})
        .add_error_code(ErrorCode::kForbidden)
        .add_message_integrity(as_bytes("key"))
        .add_message_integrity_sha256(as_bytes("key"))
        .add_fingerprint();
    return builder;
  };
  Octets roomy(512);
  const std::size_t needed = build(roomy).finish().size();
  ASSERT_GT(needed, 100u);
  for (std::size_t size = 0; size < needed; ++size) {
    Octets small(size);
    MessageBuilder builder = build(small);
    ASSERT_TRUE(builder.overflowed()) << size;
    ASSERT_TRUE(builder.finish().empty()) << size;
    builder.add_flag(AttributeType::kDontFragment);
    ASSERT_TRUE(builder.overflowed()) << size;
  }
  Octets exact(needed);
  EXPECT_FALSE(build(exact).overflowed());
}

TEST(MessageBuilder, NeverExceedsTheLengthField) {
  Octets buffer(100000);
  const Octets value(65529);  // would be padded to 65532, with its header too much
  MessageBuilder builder{buffer, Method::kSend, MessageClass::kIndication, kId};
  builder.add(AttributeType::kData, value);
  EXPECT_TRUE(builder.overflowed());

  MessageBuilder huge{buffer, Method::kSend, MessageClass::kIndication, kId};
  huge.add(AttributeType::kData, Octets(70000));
  EXPECT_TRUE(huge.overflowed());

  MessageBuilder full{buffer, Method::kSend, MessageClass::kIndication, kId};
  full.add(AttributeType::kData, Octets(65528));
  EXPECT_FALSE(full.overflowed());
  full.add_flag(AttributeType::kDontFragment);
  EXPECT_TRUE(full.overflowed());
}

}  // namespace
}  // namespace causeway::stun
