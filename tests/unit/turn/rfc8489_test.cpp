// SPDX-License-Identifier: Apache-2.0
// The authentication of RFC 8489: SHA-256, USERHASH and the nonce cookie, beside clients of RFC 5389.
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;
using stun::PasswordAlgorithm;

constexpr std::array<std::uint8_t, 8> kOffered{0, 2, 0, 0, 0, 1, 0, 0};

// What surrounds the request's own attributes in `build`, but with what the test wants changed.
struct Changes {
  std::optional<Octets> algorithms = Octets(kOffered.begin(), kOffered.end());
  std::optional<std::uint32_t> algorithm = 0x0002u << 16;
  bool sha256_integrity = true;
};

Answer allocate_with(TurnClient& client, const Changes& changes) {
  return client.bare(Method::kAllocate, [&](MessageBuilder& builder) {
    TurnClient::udp(builder);
    builder.add_text(AttributeType::kUsername, client.username);
    builder.add_text(AttributeType::kRealm, client.realm);
    builder.add_text(AttributeType::kNonce, client.nonce);
    if (changes.algorithms) builder.add(AttributeType::kPasswordAlgorithms, *changes.algorithms);
    if (changes.algorithm) builder.add_u32(AttributeType::kPasswordAlgorithm, *changes.algorithm);
    if (changes.sha256_integrity) {
      builder.add_message_integrity_sha256(client.key().octets());
    } else {
      builder.add_message_integrity(client.key().octets());
    }
  });
}

TEST(Rfc8489, OffersSha256BeforeMd5UnderANonceCookie) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.bare(Method::kAllocate, TurnClient::udp);
  EXPECT_EQ(answer.error(), 401);
  const std::string nonce = answer.text(AttributeType::kNonce);
  EXPECT_TRUE(nonce.starts_with("obMatJos2gAAA")) << "bit 0, password algorithms, and not bit 1, username anonymity";
  EXPECT_LE(nonce.size(), 36u);
  const Octets offered = octets_of(answer.message().value(AttributeType::kPasswordAlgorithms).value());
  EXPECT_EQ(offered, Octets(kOffered.begin(), kOffered.end()));
}

TEST(Rfc8489, KeepsAnswersToStrangersWithinTwoAndAHalfTimesTheQuestion) {
  constexpr std::size_t kIpAndUdpBytes = 28;
  TurnScript script;
  TurnClient client{script};
  client.realm = std::string(20, 'r');
  const TurnClient::Add nothing;
  for (const TurnClient::Add& add : {nothing, TurnClient::Add{TurnClient::udp}}) {
    const Octets question = client.build(Method::kAllocate, MessageClass::kRequest, add, false);
    const Answer answer = script.from_client(client.ref, question);
    // The script's realm has 11 octets, padded to 12: eight fewer than the 20 that the limit speaks of.
    const std::size_t answer_bytes = answer.reply->size() + 8 + kIpAndUdpBytes;
    EXPECT_LE(2 * answer_bytes, 5 * (question.size() + kIpAndUdpBytes));
  }
}

TEST(Rfc8489, ServesAClientThatChoosesSha256) {
  TurnScript script;
  TurnClient client{script};
  client.algorithm = PasswordAlgorithm::kSha256;
  const Answer answer = client.allocate();
  EXPECT_TRUE(answer.success());
  EXPECT_TRUE(answer.has(AttributeType::kMessageIntegritySha256));
  EXPECT_FALSE(answer.has(AttributeType::kMessageIntegrity));
  EXPECT_TRUE(client.permit("8.8.8.8").success());
  EXPECT_EQ(client.permit("10.0.0.1").error(), 403);
  EXPECT_TRUE(client.refresh(0).success());
}

TEST(Rfc8489, ServesTimeLimitedCredentialsWithSha256) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall + 60s);
  client.algorithm = PasswordAlgorithm::kSha256;
  EXPECT_TRUE(client.allocate().success());
}

TEST(Rfc8489, ServesAClientThatNamesMd5) {
  TurnScript script;
  TurnClient client{script};
  client.algorithm = PasswordAlgorithm::kMd5;
  EXPECT_TRUE(client.allocate().has(AttributeType::kMessageIntegritySha256));
}

TEST(Rfc8489, TakesSilenceAboutTheAlgorithmAsMd5) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  const Answer answer = allocate_with(client, {.algorithms = std::nullopt, .algorithm = std::nullopt});
  EXPECT_TRUE(answer.success());
  EXPECT_TRUE(answer.has(AttributeType::kMessageIntegrity));
}

TEST(Rfc8489, RefusesAnOfferThatSomebodyChanged) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  client.algorithm = PasswordAlgorithm::kMd5;
  const std::vector<Changes> changed{
      {.algorithms = Octets{0, 1, 0, 0}, .algorithm = 0x0001u << 16},  // SHA-256 taken away
      {.algorithms = Octets{0, 1, 0, 0, 0, 2, 0, 0}, .algorithm = 0x0001u << 16},
      {.algorithms = Octets{}, .algorithm = 0x0001u << 16},
      {.algorithms = std::nullopt, .algorithm = 0x0001u << 16},
      {.algorithm = std::nullopt},
      {.algorithm = 0x0003u << 16},
      {.algorithm = (0x0001u << 16) | 4},  // with parameters
  };
  for (const Changes& changes : changed)
    EXPECT_EQ(allocate_with(client, changes).error(), 400);
  EXPECT_TRUE(allocate_with(client, {.algorithm = 0x0001u << 16}).success());
}

TEST(Rfc8489, RefusesANonceWhoseCookieSomebodyTookAwayOrAdded) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  const std::string with_cookie = client.nonce;
  client.nonce = with_cookie.substr(13);
  EXPECT_EQ(client.allocate().error(), 438);
  client.nonce = client.bare(Method::kAllocate).text(AttributeType::kNonce);
  EXPECT_FALSE(client.nonce.starts_with("obMatJos2")) << "an empty request gets the challenge of RFC 5389";
  EXPECT_EQ(client.allocate().error(), 0);
  client.refresh(0);
  client.nonce = "obMatJos2gAAA" + client.nonce;
  EXPECT_EQ(client.allocate().error(), 438);
  client.nonce = "obMatJos2wAAA" + with_cookie.substr(13);
  EXPECT_EQ(client.allocate().error(), 438);
}

TEST(Rfc8489, FindsAStaticUserByUserhash) {
  TurnScript script;
  TurnClient client{script};
  client.algorithm = PasswordAlgorithm::kSha256;
  client.anonymous = true;
  EXPECT_TRUE(client.allocate().success());
  EXPECT_EQ(client.allocation()->username, "alice");
  client.anonymous = false;
  EXPECT_TRUE(client.refresh().success()) << "the same user, however named";

  TurnClient nobody{script, at("198.51.100.7", 40001)};
  nobody.as("mallory", "guess");
  nobody.anonymous = true;
  EXPECT_EQ(nobody.allocate().error(), 401);
}

}  // namespace
}  // namespace causeway::turn
