// SPDX-License-Identifier: Apache-2.0
// The test vectors of RFC 5769: read, checked and, where the padding allows it, built again octet for octet.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"
#include "hex.hpp"
#include "messages.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;
using test::types;
using Octets = std::vector<std::uint8_t>;

constexpr auto kIceControlled = static_cast<AttributeType>(0x8029);
constexpr std::string_view kShortTermPassword = "VOkJxbRl1RmTxUk/WvJxBt";
constexpr TransactionId kTransactionId{0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE};

// §2.1
const Octets kRequest = from_hex(
    "00 01 00 58  21 12 a4 42  b7 e7 a7 01  bc 34 d6 86  fa 87 df ae"
    "80 22 00 10  53 54 55 4e  20 74 65 73  74 20 63 6c  69 65 6e 74"
    "00 24 00 04  6e 00 01 ff"
    "80 29 00 08  93 2f f9 b1  51 26 3b 36"
    "00 06 00 09  65 76 74 6a  3a 68 36 76  59 20 20 20"
    "00 08 00 14  9a ea a7 0c  bf d8 cb 56  78 1e f2 b5  b2 d3 f2 49  c1 b5 71 a2"
    "80 28 00 04  e5 7a 3b cf");

// §2.2
const Octets kIPv4Response = from_hex(
    "01 01 00 3c  21 12 a4 42  b7 e7 a7 01  bc 34 d6 86  fa 87 df ae"
    "80 22 00 0b  74 65 73 74  20 76 65 63  74 6f 72 20"
    "00 20 00 08  00 01 a1 47  e1 12 a6 43"
    "00 08 00 14  2b 91 f5 99  fd 9e 90 c3  8c 74 89 f9  2a f9 ba 53  f0 6b e7 d7"
    "80 28 00 04  c0 7d 4c 96");

// §2.3
const Octets kIPv6Response = from_hex(
    "01 01 00 48  21 12 a4 42  b7 e7 a7 01  bc 34 d6 86  fa 87 df ae"
    "80 22 00 0b  74 65 73 74  20 76 65 63  74 6f 72 20"
    "00 20 00 14  00 02 a1 47  01 13 a9 fa  a5 d3 f1 79  bc 25 f4 b5  be d2 b9 d9"
    "00 08 00 14  a3 82 95 4e  4b e6 7b f1  17 84 c9 7c  82 92 c2 75  bf e3 ed 41"
    "80 28 00 04  c8 fb 0b 4c");

// §2.4
const Octets kLongTermRequest = from_hex(
    "00 01 00 60  21 12 a4 42  78 ad 34 33  c6 ad 72 c0  29 da 41 2e"
    "00 06 00 12  e3 83 9e e3  83 88 e3 83  aa e3 83 83  e3 82 af e3  82 b9 00 00"
    "00 15 00 1c  66 2f 2f 34  39 39 6b 39  35 34 64 36  4f 4c 33 34  6f 4c 39 46  53 54 76 79  36 34 73 41"
    "00 14 00 0b  65 78 61 6d  70 6c 65 2e  6f 72 67 00"
    "00 08 00 14  f6 70 24 65  6d d6 4a 3e  02 b8 e0 71  2e 85 c9 a2  8c a8 96 66");

MessageView parse(const Octets& octets) {
  return *MessageView::parse(octets);
}

std::string text(const MessageView& message, AttributeType type) {
  return std::string{as_text(message.value(type).value())};
}

Octets built(const MessageBuilder& builder) {
  const Bytes message = builder.finish();
  return {message.begin(), message.end()};
}

// Short-term credentials: the key is the password itself (RFC 8489 §9.1.1).
void expect_short_term_protection(const Octets& octets) {
  const MessageView message = parse(octets);
  EXPECT_EQ(message.transaction_id(), kTransactionId);
  EXPECT_TRUE(check_message_integrity(message, as_bytes(kShortTermPassword)));
  EXPECT_FALSE(check_message_integrity(message, as_bytes("VOkJxbRl1RmTxUk/WvJxBT")));
  EXPECT_FALSE(check_message_integrity_sha256(message, as_bytes(kShortTermPassword)));
  EXPECT_EQ(check_fingerprint(message), Fingerprint::kValid);
}

TEST(Rfc5769, SampleRequest) {
  expect_short_term_protection(kRequest);
  const MessageView message = parse(kRequest);
  EXPECT_EQ(message.message_class(), MessageClass::kRequest);
  EXPECT_EQ(message.method(), Method::kBinding);
  EXPECT_EQ(types(message),
            (std::vector{AttributeType::kSoftware, AttributeType::kPriority, kIceControlled, AttributeType::kUsername,
                         AttributeType::kMessageIntegrity, AttributeType::kFingerprint}));
  EXPECT_EQ(text(message, AttributeType::kSoftware), "STUN test client");
  EXPECT_EQ(read_u32(message.value(AttributeType::kPriority).value()), 0x6E0001FFu);
  EXPECT_EQ(text(message, kIceControlled), "\x93\x2F\xF9\xB1\x51\x26\x3B\x36");
  EXPECT_EQ(text(message, AttributeType::kUsername), "evtj:h6vY");
}

TEST(Rfc5769, SampleIPv4Response) {
  expect_short_term_protection(kIPv4Response);
  const MessageView message = parse(kIPv4Response);
  EXPECT_EQ(message.message_class(), MessageClass::kSuccessResponse);
  EXPECT_EQ(message.method(), Method::kBinding);
  EXPECT_EQ(types(message), (std::vector{AttributeType::kSoftware, AttributeType::kXorMappedAddress,
                                         AttributeType::kMessageIntegrity, AttributeType::kFingerprint}));
  EXPECT_EQ(text(message, AttributeType::kSoftware), "test vector");
  const auto mapped = read_xor_address(message.value(AttributeType::kXorMappedAddress).value(), kTransactionId);
  EXPECT_EQ(mapped.value().to_string(), "192.0.2.1:32853");
}

TEST(Rfc5769, SampleIPv6Response) {
  expect_short_term_protection(kIPv6Response);
  const MessageView message = parse(kIPv6Response);
  EXPECT_EQ(message.message_class(), MessageClass::kSuccessResponse);
  EXPECT_EQ(types(message), (std::vector{AttributeType::kSoftware, AttributeType::kXorMappedAddress,
                                         AttributeType::kMessageIntegrity, AttributeType::kFingerprint}));
  const auto mapped = read_xor_address(message.value(AttributeType::kXorMappedAddress).value(), kTransactionId);
  EXPECT_EQ(mapped.value().to_string(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

TEST(Rfc5769, SampleRequestWithLongTermAuthentication) {
  const MessageView message = parse(kLongTermRequest);
  EXPECT_EQ(message.message_class(), MessageClass::kRequest);
  EXPECT_EQ(types(message), (std::vector{AttributeType::kUsername, AttributeType::kNonce, AttributeType::kRealm,
                                         AttributeType::kMessageIntegrity}));
  EXPECT_EQ(text(message, AttributeType::kUsername), "マトリックス");
  EXPECT_EQ(text(message, AttributeType::kNonce), "f//499k954d6OL34oL9FSTvy64sA");
  EXPECT_EQ(text(message, AttributeType::kRealm), "example.org");
  const LongTermKey key = long_term_key_md5("マトリックス", "example.org", "TheMatrIX");
  EXPECT_TRUE(check_message_integrity(message, key.octets()));
  EXPECT_FALSE(check_message_integrity(message, long_term_key_md5("マトリックス", "example.org", "x").octets()));
  EXPECT_EQ(check_fingerprint(message), Fingerprint::kAbsent);
}

TEST(Rfc5769, BuildsTheLongTermRequestOctetForOctet) {
  std::array<std::uint8_t, 256> buffer{};
  TransactionId id{};
  std::copy_n(kLongTermRequest.begin() + 8, id.size(), id.begin());
  MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, id};
  builder.add_text(AttributeType::kUsername, "マトリックス")
      .add_text(AttributeType::kNonce, "f//499k954d6OL34oL9FSTvy64sA")
      .add_text(AttributeType::kRealm, "example.org")
      .add_message_integrity(long_term_key_md5("マトリックス", "example.org", "TheMatrIX").octets());
  EXPECT_EQ(built(builder), kLongTermRequest);
}

// The three other vectors pad with spaces, which RFC 8489 §14 no longer allows a sender: the unpadded value and the
// padding are written here as one value, and the attribute's length is put right, before the rest is computed.
TEST(Rfc5769, BuildsTheResponsesOctetForOctet) {
  for (const Octets* expected : {&kIPv4Response, &kIPv6Response}) {
    std::array<std::uint8_t, 256> buffer{};
    MessageBuilder builder{buffer, Method::kBinding, MessageClass::kSuccessResponse, kTransactionId};
    builder.add_text(AttributeType::kSoftware, "test vector ");
    buffer[kHeaderBytes + 3] = 11;
    builder
        .add_xor_address(
            AttributeType::kXorMappedAddress,
            read_xor_address(parse(*expected).value(AttributeType::kXorMappedAddress).value(), kTransactionId).value())
        .add_message_integrity(as_bytes(kShortTermPassword))
        .add_fingerprint();
    EXPECT_EQ(built(builder), *expected);
  }
}

TEST(Rfc5769, BuildsTheRequestOctetForOctet) {
  std::array<std::uint8_t, 256> buffer{};
  MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kTransactionId};
  builder.add_text(AttributeType::kSoftware, "STUN test client")
      .add_u32(AttributeType::kPriority, 0x6E0001FF)
      .add_text(kIceControlled, "\x93\x2F\xF9\xB1\x51\x26\x3B\x36");
  const std::size_t username = builder.finish().size();
  builder.add_text(AttributeType::kUsername, "evtj:h6vY   ");
  buffer[username + 3] = 9;
  builder.add_message_integrity(as_bytes(kShortTermPassword)).add_fingerprint();
  EXPECT_EQ(built(builder), kRequest);
}

// No octet can change without somebody noticing: integrity covers all in front of it, the fingerprint the rest.
TEST(Rfc5769, EveryChangedOctetIsNoticed) {
  for (const Octets* original : {&kRequest, &kIPv4Response, &kIPv6Response, &kLongTermRequest}) {
    const LongTermKey long_term = long_term_key_md5("マトリックス", "example.org", "TheMatrIX");
    const bool has_fingerprint = original != &kLongTermRequest;
    const Bytes key = has_fingerprint ? as_bytes(kShortTermPassword) : long_term.octets();
    for (std::size_t i = 0; i < original->size(); ++i) {
      Octets changed = *original;
      changed[i] ^= 0x01;
      const auto message = MessageView::parse(changed);
      if (!message) continue;
      const bool accepted = check_message_integrity(*message, key) &&
                            (!has_fingerprint || check_fingerprint(*message) == Fingerprint::kValid);
      EXPECT_FALSE(accepted) << "octet " << i;
    }
  }
}

}  // namespace
}  // namespace causeway::stun
