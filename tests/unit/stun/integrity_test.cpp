// SPDX-License-Identifier: Apache-2.0
#include "causeway/stun/integrity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <vector>

#include "hex.hpp"
#include "messages.hpp"

namespace causeway::stun {
namespace {

using test::from_hex;
using test::kId;
using Octets = std::vector<std::uint8_t>;

Octets octets(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Hmac, AgreesWithRfc2202AndRfc4231) {
  const Octets key(20, 0x0B);
  EXPECT_EQ(octets(hmac_sha1(key, {as_bytes("Hi There")})), from_hex("b617318655057264e28bc0b6fb378c8ef146be00"));
  EXPECT_EQ(octets(hmac_sha256(key, {as_bytes("Hi There")})),
            from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  const Octets long_key(131, 0xAA);  // longer than a block
  EXPECT_EQ(octets(hmac_sha256(long_key, {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
            from_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

TEST(Hmac, TakesItsInputInParts) {
  const Bytes key = as_bytes("key");
  EXPECT_EQ(hmac_sha1(key, {as_bytes("one two")}),
            hmac_sha1(key, {as_bytes("one"), {}, as_bytes(" "), as_bytes("two")}));
  EXPECT_EQ(octets(hmac_sha1({}, {})), from_hex("fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"));
}

TEST(LongTermKey, IsTheDigestOfUsernameRealmAndPassword) {
  // RFC 8489 §9.2.2: the example of the key for "user", "realm" and "pass"
  const LongTermKey md5 = long_term_key_md5("user", "realm", "pass");
  EXPECT_EQ(octets(md5.octets()), from_hex("8493fbc53ba582fb4c044c456bdc40eb"));
  EXPECT_EQ(long_term_key_sha256("user", "realm", "pass").octets().size(), 32u);
  EXPECT_EQ(octets(LongTermKey{md5.octets()}.octets()), octets(md5.octets()));
}

TEST(LongTermKey, OfAnotherLengthIsEmptyAndMatchesNothing) {
  for (const std::size_t size : {0u, 15u, 17u, 31u, 33u, 64u}) {
    EXPECT_TRUE(LongTermKey{Octets(size)}.octets().empty()) << size;
  }
  std::array<std::uint8_t, 128> buffer{};
  MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kRequest, kId};
  builder.add_message_integrity({}).add_message_integrity_sha256({});
  const MessageView message = *MessageView::parse(builder.finish());
  EXPECT_FALSE(check_message_integrity(message, LongTermKey{}.octets()));
  EXPECT_FALSE(check_message_integrity_sha256(message, LongTermKey{}.octets()));
}

TEST(MessageIntegrity, HoldsWithBothAlgorithmsAndAFingerprint) {
  std::array<std::uint8_t, 256> buffer{};
  const Bytes key = as_bytes("0123456789abcdef");
  MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kRequest, kId};
  builder.add_text(AttributeType::kUsername, "alice")
      .add_message_integrity(key)
      .add_message_integrity_sha256(key)
      .add_fingerprint();
  const MessageView message = *MessageView::parse(builder.finish());
  EXPECT_TRUE(check_message_integrity(message, key));
  EXPECT_TRUE(check_message_integrity_sha256(message, key));
  EXPECT_EQ(check_fingerprint(message), Fingerprint::kValid);
}

TEST(MessageIntegrity, MissingOrOfTheWrongLengthIsFalse) {
  std::array<std::uint8_t, 256> buffer{};
  const Bytes key = as_bytes("0123456789abcdef");
  const MessageView bare =
      *MessageView::parse(MessageBuilder{buffer, Method::kAllocate, MessageClass::kRequest, kId}.finish());
  EXPECT_FALSE(check_message_integrity(bare, key));
  EXPECT_FALSE(check_message_integrity_sha256(bare, key));

  // The right digest, cut off: RFC 8489 §14.6 allows no truncation unless a usage does.
  for (const std::size_t digest_bytes : {0u, 4u, 16u, 19u, 28u, 31u}) {
    for (const auto type : {AttributeType::kMessageIntegrity, AttributeType::kMessageIntegritySha256}) {
      MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kRequest, kId};
      builder.add(type, Octets(digest_bytes));
      const Octets before = octets(builder.finish().first(kHeaderBytes));
      const Sha256Digest digest = hmac_sha256(key, {before});
      std::copy_n(digest.begin(), digest_bytes, buffer.begin() + kHeaderBytes + kAttributeHeaderBytes);
      const MessageView message = *MessageView::parse(builder.finish());
      EXPECT_FALSE(check_message_integrity(message, key));
      EXPECT_FALSE(check_message_integrity_sha256(message, key));
    }
  }
}

// OpenSSL with a configuration that takes its default provider away.
class OpenSslWithoutAlgorithms {
 public:
  OpenSslWithoutAlgorithms() { EVP_set_default_properties(nullptr, "provider=nobody"); }
  ~OpenSslWithoutAlgorithms() { EVP_set_default_properties(nullptr, ""); }
};

TEST(Integrity, AnAlgorithmThatOpenSslLacksIsAnErrorThatSaysWhatToDo) {
  const OpenSslWithoutAlgorithms here;
  const auto message_of = [](auto compute) -> std::string {
    try {
      compute();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message_of([] { long_term_key_md5("user", "realm", "password"); }),
            "OpenSSL cannot compute MD5, which STUN needs (RFC 8489): activate OpenSSL's default provider in "
            "openssl.cnf");
  EXPECT_THAT(message_of([] { userhash("user", "realm"); }), testing::HasSubstr("cannot compute SHA2-256"));
  EXPECT_THAT(message_of([] { hmac_sha1(as_bytes("key"), {as_bytes("text")}); }),
              testing::HasSubstr("cannot compute HMAC with SHA1"));
}

TEST(Hmac, OfOneKeyIsTheSameEachTime) {
  for (const std::string_view key :
       {"key", "", "a key that is longer than a block of the hash function, which are 64 octets"}) {
    const HmacSha1 sha1{as_bytes(key)};
    const HmacSha256 sha256{as_bytes(key)};
    for (const std::string_view text : {"one", "", "two", "one"}) {
      EXPECT_EQ(sha1({as_bytes(text)}), hmac_sha1(as_bytes(key), {as_bytes(text)}));
      EXPECT_EQ(sha256({as_bytes(text), as_bytes("!")}), hmac_sha256(as_bytes(key), {as_bytes(text), as_bytes("!")}));
    }
  }
  // RFC 2202 §3, test case 2.
  const HmacSha1 jefe{as_bytes("Jefe")};
  EXPECT_EQ(octets(jefe({as_bytes("what do ya want "), as_bytes("for nothing?")})),
            test::from_hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
}

TEST(IntegrityKey, WithoutOctetsMatchesNothing) {
  std::array<std::uint8_t, 256> buffer{};
  MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kId};
  builder.add_message_integrity(IntegrityKey{LongTermKey{}}).add_message_integrity_sha256(IntegrityKey{LongTermKey{}});
  const auto message = *MessageView::parse(builder.finish());
  EXPECT_FALSE(check_message_integrity(message, IntegrityKey{LongTermKey{}}));
  EXPECT_FALSE(check_message_integrity_sha256(message, IntegrityKey{LongTermKey{}}));
}

TEST(Fingerprint, IsTheCrcOfItuV42WithTheXor) {
  EXPECT_EQ(fingerprint_of(as_bytes("123456789")), 0xCBF43926u ^ 0x5354554Eu);
  EXPECT_EQ(fingerprint_of({}), 0x5354554Eu);
}

TEST(Fingerprint, IsInvalidWhenNotLastOrOfTheWrongLength) {
  std::array<std::uint8_t, 256> buffer{};
  {
    MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kId};
    builder.add_fingerprint();
    EXPECT_EQ(check_fingerprint(*MessageView::parse(builder.finish())), Fingerprint::kValid);
    builder.add_text(AttributeType::kSoftware, "late");
    EXPECT_EQ(check_fingerprint(*MessageView::parse(builder.finish())), Fingerprint::kInvalid);
    store_be32(buffer.data() + kHeaderBytes + kAttributeHeaderBytes, fingerprint_of(Bytes{buffer}.first(kHeaderBytes)));
    EXPECT_EQ(check_fingerprint(*MessageView::parse(builder.finish())), Fingerprint::kInvalid);
  }
  for (const std::size_t size : {0u, 1u, 3u, 5u, 8u}) {
    MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kId};
    builder.add(AttributeType::kFingerprint, Octets(size));
    EXPECT_EQ(check_fingerprint(*MessageView::parse(builder.finish())), Fingerprint::kInvalid) << size;
  }
  {
    MessageBuilder builder{buffer, Method::kBinding, MessageClass::kRequest, kId};
    builder.add_fingerprint().add_fingerprint();  // the first one counts, and it is not the last
    EXPECT_EQ(check_fingerprint(*MessageView::parse(builder.finish())), Fingerprint::kInvalid);
  }
}

}  // namespace
}  // namespace causeway::stun
