// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/base64.hpp"

#include <gtest/gtest.h>

#include <random>

namespace causeway {
namespace {

std::optional<std::string> decode(std::string_view text) {
  const auto bytes = base64url_decode(text);
  if (!bytes) return std::nullopt;
  return std::string{as_text(*bytes)};
}

// RFC 4648 §10
TEST(Base64, EncodesTheTestVectors) {
  EXPECT_EQ(base64_encode(as_bytes("")), "");
  EXPECT_EQ(base64_encode(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64_encode(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64_encode(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64_encode(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(base64_encode(as_bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(base64_encode(as_bytes("foobar")), "Zm9vYmFy");
}

TEST(Base64, UrlAlphabetHasNoPaddingAndNoSlash) {
  const std::array<std::uint8_t, 4> octets{0xFB, 0xFF, 0xBF, 0xFE};
  EXPECT_EQ(base64_encode(octets), "+/+//g==");
  EXPECT_EQ(base64url_encode(octets), "-_-__g");
  EXPECT_EQ(base64url_encode(as_bytes("")), "");
}

TEST(Base64, DecodesWhatIsCanonical) {
  EXPECT_EQ(decode(""), "");
  EXPECT_EQ(decode("Zg"), "f");
  EXPECT_EQ(decode("Zm8"), "fo");
  EXPECT_EQ(decode("Zm9vYmFy"), "foobar");
}

TEST(Base64, RefusesWhatIsNot) {
  for (const std::string_view text :
       {"Z", "A", "AAAAA", "Zm9vY", "Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zh", "Zm9", "Z\xFFZv"}) {
    EXPECT_EQ(decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode(std::string_view{"Zm\0v", 4}), std::nullopt);
}

TEST(Base64, RoundTripsEveryLength) {
  std::mt19937 random{4648};
  for (std::size_t size = 0; size < 200; ++size) {
    std::vector<std::uint8_t> octets(size);
    for (std::uint8_t& octet : octets)
      octet = static_cast<std::uint8_t>(random());
    EXPECT_EQ(base64url_decode(base64url_encode(octets)), octets);
  }
}

}  // namespace
}  // namespace causeway
