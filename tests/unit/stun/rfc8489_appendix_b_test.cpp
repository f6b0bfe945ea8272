// SPDX-License-Identifier: Apache-2.0
// The test vector of RFC 8489 appendix B.1 as corrected by erratum 6268: it carries PASSWORD-ALGORITHM (SHA-256),
// which the RFC's text leaves out, and a length that does not count the header, which the RFC's text does.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"
#include "hex.hpp"

namespace causeway::stun {
namespace {

constexpr std::string_view kUsername = "マトリックス";
constexpr std::string_view kRealm = "example.org";
constexpr std::string_view kPassword = "TheMatrIX";  // after OpaqueString processing
constexpr std::string_view kNonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";
constexpr TransactionId kSha256TransactionId{0x78, 0xAD, 0x34, 0x33, 0xC6, 0xAD, 0x72, 0xC0, 0x29, 0xDA, 0x41, 0x2E};
constexpr std::array<std::uint8_t, 4> kPasswordAlgorithmSha256{0x00, 0x02, 0x00, 0x00};  // RFC 8489 §18.5.1

const std::vector<std::uint8_t> kSha256Request = test::from_hex(
    "00 01 00 90  21 12 a4 42  78 ad 34 33  c6 ad 72 c0  29 da 41 2e"
    "00 1e 00 20  4a 3c f3 8f  ef 69 92 bd  a9 52 c6 78  04 17 da 0f  24 81 94 15  56 9e 60 b2  05 c4 6e 41"
    "             40 7f 17 04"
    "00 15 00 29  6f 62 4d 61  74 4a 6f 73  32 41 41 41  43 66 2f 2f  34 39 39 6b  39 35 34 64  36 4f 4c 33"
    "             34 6f 4c 39  46 53 54 76  79 36 34 73  41 00 00 00"
    "00 14 00 0b  65 78 61 6d  70 6c 65 2e  6f 72 67 00"
    "00 1d 00 04  00 02 00 00"
    "00 1c 00 20  b5 c7 bf 00  5b 6c 52 a2  1c 51 c5 e8  92 f8 19 24  13 62 96 cb  92 7c 43 14  93 09 27 8c"
    "             c6 51 8e 65");

TEST(Rfc8489AppendixB, ReadsAndChecksTheRequest) {
  const MessageView message = *MessageView::parse(kSha256Request);
  EXPECT_EQ(message.message_class(), MessageClass::kRequest);
  EXPECT_EQ(message.method(), Method::kBinding);
  EXPECT_EQ(message.transaction_id(), kSha256TransactionId);
  std::vector<AttributeType> types;
  message.for_each([&](const Attribute& attribute) { types.push_back(attribute.type); });
  EXPECT_EQ(types, (std::vector{AttributeType::kUserhash, AttributeType::kNonce, AttributeType::kRealm,
                                AttributeType::kPasswordAlgorithm, AttributeType::kMessageIntegritySha256}));
  EXPECT_EQ(as_text(message.value(AttributeType::kUserhash).value()), as_text(userhash(kUsername, kRealm)));
  EXPECT_EQ(as_text(message.value(AttributeType::kNonce).value()), kNonce);
  EXPECT_EQ(as_text(message.value(AttributeType::kRealm).value()), kRealm);
  EXPECT_EQ(as_text(message.value(AttributeType::kPasswordAlgorithm).value()), as_text(kPasswordAlgorithmSha256));
  EXPECT_EQ(check_fingerprint(message), Fingerprint::kAbsent);
}

TEST(Rfc8489AppendixB, TheKeyIsThatOfTheChosenPasswordAlgorithm) {
  const MessageView message = *MessageView::parse(kSha256Request);
  const LongTermKey sha256 = long_term_key_sha256(kUsername, kRealm, kPassword);
  EXPECT_TRUE(check_message_integrity_sha256(message, sha256.octets()));
  EXPECT_FALSE(check_message_integrity(message, sha256.octets()));
  EXPECT_FALSE(check_message_integrity_sha256(message, long_term_key_md5(kUsername, kRealm, kPassword).octets()));
}

TEST(Rfc8489AppendixB, BuildsTheRequestOctetForOctet) {
  std::array<std::uint8_t, 256> buffer{};
  buffer.fill(0xFF);
  MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kSha256TransactionId};
  builder.add(AttributeType::kUserhash, userhash(kUsername, kRealm))
      .add_text(AttributeType::kNonce, kNonce)
      .add_text(AttributeType::kRealm, kRealm)
      .add(AttributeType::kPasswordAlgorithm, kPasswordAlgorithmSha256)
      .add_message_integrity_sha256(long_term_key_sha256(kUsername, kRealm, kPassword).octets());
  const Bytes message = builder.finish();
  EXPECT_EQ(std::vector<std::uint8_t>(message.begin(), message.end()), kSha256Request);
}

// What the RFC prints: no PASSWORD-ALGORITHM, and 9c, the size with the header, in the length field. Its integrity was
// computed with this length and the SHA-256 key; as a message it is malformed.
TEST(Rfc8489AppendixB, TheUncorrectedRequestIsMalformed) {
  std::vector<std::uint8_t> printed = kSha256Request;
  printed.erase(printed.end() - 44, printed.end() - 36);
  printed[3] = 0x9C;
  ASSERT_EQ(printed.size(), 0x9Cu);
  EXPECT_EQ(MessageView::parse(printed).error(), ParseError::kBadLength);
  const Sha256Digest digest = hmac_sha256(long_term_key_sha256(kUsername, kRealm, kPassword).octets(),
                                          {Bytes{printed}.first(printed.size() - 36)});
  EXPECT_EQ(load_be32(digest.data()), 0xE4686C8Fu);
}

}  // namespace
}  // namespace causeway::stun
