// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/credentials.hpp"

#include <gtest/gtest.h>

#include "fake_time.hpp"
#include "hex.hpp"
#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

// RFC 8489 §9.2.2.
TEST(Credentials, KeyOfAUserIsTheMd5OfTheRfcsExample) {
  const Credentials credentials{"realm", {{"user", "pass"}}, {}};
  const auto found = credentials.find("user", stun::PasswordAlgorithm::kMd5, kNow);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(octets_of(found[0].key.octets()), from_hex("8493fbc53ba582fb4c044c456bdc40eb"));
  EXPECT_EQ(found[0].user, "user");
  EXPECT_EQ(found[0].expires_at, std::nullopt);
}

// Computed with: printf 1800003600:carol | openssl dgst -sha1 -hmac secret -binary | base64
TEST(Credentials, TimeLimitedPasswordIsTheBase64OfAnHmacSha1) {
  const auto credential = make_time_limited_credential("secret", "carol", kNow + 1h);
  EXPECT_EQ(credential.username, "1800003600:carol");
  EXPECT_EQ(credential.password, "T3+9SNi1C09xdjobmQUjXxx1Q5g=");
}

TEST(Credentials, EachSecretGivesACandidate) {
  const Credentials credentials{"realm", {}, {"one", "two", "three"}};
  const auto found = credentials.find("1800000001:carol", stun::PasswordAlgorithm::kMd5, kNow);
  ASSERT_EQ(found.size(), 3u);
  for (const auto& candidate : found) {
    EXPECT_EQ(candidate.user, "carol");
    EXPECT_EQ(candidate.expires_at, kNow + 1s);
  }
  EXPECT_NE(octets_of(found[0].key.octets()), octets_of(found[1].key.octets()));
}

TEST(Credentials, AStaticUserMayHaveANameThatLooksTimeLimited) {
  const Credentials credentials{"realm", {{"1800000001:carol", "password"}}, {"secret"}};
  EXPECT_EQ(credentials.find("1800000001:carol", stun::PasswordAlgorithm::kMd5, kNow).size(), 2u);
  EXPECT_EQ(credentials.find("1800000001:carol", stun::PasswordAlgorithm::kMd5, kNow + 1s).size(), 1u);
}

TEST(Credentials, AnExpiredOrMalformedUsernameFindsNothing) {
  const Credentials credentials{"realm", {}, {"secret"}};
  for (const std::string_view username :
       {"", ":", ":carol", "carol", "carol:1800000001", "1800000000:carol", "-1800000001:carol", "+1800000001:carol",
        " 1800000001:carol", "1800000001 :carol", "0x7FFFFFFF:carol", "99999999999999999999:carol", "1e12:carol"}) {
    EXPECT_TRUE(credentials.find(username, stun::PasswordAlgorithm::kMd5, kNow).empty()) << username;
  }
}

TEST(Credentials, AUsernameWithoutUserPartIsItsOwnUser) {
  const Credentials credentials{"realm", {}, {"secret"}};
  for (const std::string_view username : {"1800000001", "1800000001:"}) {
    const auto found = credentials.find(username, stun::PasswordAlgorithm::kMd5, kNow);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].user, username);
  }
}

TEST(Credentials, TheUserPartMayHoldColonsAndAnyOctets) {
  const Credentials credentials{"realm", {}, {"secret"}};
  EXPECT_EQ(credentials.find("1800000001:a:b", stun::PasswordAlgorithm::kMd5, kNow).at(0).user, "a:b");
  const std::string odd("1800000001:\0\xFF", 13);
  EXPECT_EQ(credentials.find(odd, stun::PasswordAlgorithm::kMd5, kNow).at(0).user, std::string("\0\xFF", 2));
}

TEST(Credentials, WithoutSecretsNoUsernameIsTimeLimited) {
  const Credentials credentials{"realm", {{"alice", "password"}}, {}};
  EXPECT_TRUE(credentials.find("1800000001:alice", stun::PasswordAlgorithm::kMd5, kNow).empty());
}

TEST(Credentials, AUserhashOfTheWrongLengthIsNobodys) {
  const Credentials credentials{"realm", {{"alice", "password"}}, {}};
  const auto hash = stun::userhash("alice", "realm");
  EXPECT_EQ(credentials.username_of(hash), "alice");
  EXPECT_EQ(credentials.username_of(Bytes{hash}.first(31)), std::nullopt);
  EXPECT_EQ(credentials.username_of({}), std::nullopt);
  EXPECT_EQ(credentials.username_of(stun::userhash("bob", "realm")), std::nullopt);
}

}  // namespace
}  // namespace causeway::turn
