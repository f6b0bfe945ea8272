// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/authenticator.hpp"

#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

TEST(Authentication, ChallengesARequestWithoutIntegrity) {
  TurnScript script;
  TurnClient client{script};
  const Answer answer = client.bare(Method::kAllocate);
  EXPECT_EQ(answer.error(), 401);
  EXPECT_EQ(answer.text(AttributeType::kRealm), kRealm);
  EXPECT_FALSE(answer.text(AttributeType::kNonce).empty());
  EXPECT_FALSE(answer.has(AttributeType::kMessageIntegrity));
  EXPECT_FALSE(answer.has(AttributeType::kUsername));
  EXPECT_FALSE(answer.has(AttributeType::kFingerprint));
  EXPECT_TRUE(script.events.refused.empty()) << "the first request of every client is no news";
}

TEST(Authentication, ChallengesEveryTurnRequestBeforeItLooksAtAnythingElse) {
  TurnScript script;
  TurnClient client{script};
  for (const Method method : {Method::kAllocate, Method::kRefresh, Method::kCreatePermission, Method::kChannelBind}) {
    EXPECT_EQ(client.bare(method).error(), 401);
    EXPECT_EQ(client.bare(method, [](MessageBuilder& builder) { builder.add_flag(AttributeType{0x7777}); }).error(),
              401);
  }
  EXPECT_TRUE(script.ports.tried.empty());
}

TEST(Authentication, KeepsItsAnswerToAStrangerSmall) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_LE(client.bare(Method::kAllocate).reply->size(), 96u);
  EXPECT_EQ(client.bare(Method::kBinding).reply->size(), 32u);
}

TEST(Authentication, RefusesIntegrityWithoutItsCompanionsAs400) {
  const std::array companions{AttributeType::kUsername, AttributeType::kRealm, AttributeType::kNonce};
  for (const AttributeType missing : companions) {
    TurnScript script;
    TurnClient client{script};
    client.challenge();
    const std::map<AttributeType, std::string> values{{AttributeType::kUsername, client.username},
                                                      {AttributeType::kRealm, client.realm},
                                                      {AttributeType::kNonce, client.nonce}};
    const Answer answer = client.bare(Method::kAllocate, [&](MessageBuilder& builder) {
      TurnClient::udp(builder);
      for (const AttributeType type : companions)
        if (type != missing) builder.add_text(type, values.at(type));
      builder.add_message_integrity(client.key().octets());
    });
    EXPECT_EQ(answer.error(), 400);
    EXPECT_FALSE(answer.has(AttributeType::kNonce));
    EXPECT_FALSE(answer.has(AttributeType::kRealm));
    EXPECT_FALSE(answer.has(AttributeType::kMessageIntegrity));
  }
}

TEST(Authentication, RefusesAWrongPasswordAndAnUnknownUserAlike) {
  TurnScript script;
  TurnClient client{script};
  client.as("alice", "wrong");
  const Answer wrong = client.allocate();
  EXPECT_EQ(wrong.error(), 401);
  EXPECT_FALSE(wrong.has(AttributeType::kMessageIntegrity));
  client.as("mallory", "wonder land");
  const Answer unknown = client.allocate();
  EXPECT_EQ(unknown.error(), 401);
  EXPECT_EQ(wrong.reply->size(), unknown.reply->size());
  ASSERT_EQ(script.events.refused.size(), 2u);
  EXPECT_EQ(script.events.refused[1], (std::pair{ErrorCode::kUnauthenticated, std::string{"mallory"}}));
}

TEST(Authentication, RefusesAKeyMadeForAnotherRealm) {
  TurnScript script;
  TurnClient client{script};
  client.realm = "elsewhere.org";
  EXPECT_EQ(client.allocate().error(), 401);
}

TEST(Authentication, RefusesIntegrityThatDoesNotCoverTheMessage) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  Octets request = client.build(Method::kAllocate, MessageClass::kRequest, TurnClient::udp, true);
  request[stun::kHeaderBytes + stun::kAttributeHeaderBytes] ^= 1;
  EXPECT_EQ(script.from_client(client.ref, request).error(), 401);
}

TEST(Authentication, AnswersAForeignNonceWith438AndAFreshOne) {
  TurnScript script;
  TurnClient client{script};
  TurnClient elsewhere{script, at("198.51.100.8", 40000)};
  elsewhere.challenge();
  client.nonce = elsewhere.nonce;
  const Answer stale = client.allocate();
  EXPECT_EQ(stale.error(), 438);
  EXPECT_EQ(stale.text(AttributeType::kRealm), kRealm);
  EXPECT_FALSE(stale.has(AttributeType::kMessageIntegrity));
  client.nonce = stale.text(AttributeType::kNonce);
  EXPECT_TRUE(client.allocate().success());
}

TEST(Authentication, AnswersAnInventedNonceWith438) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  const std::string good = client.nonce;
  for (const std::string& nonce : {std::string{"x"}, std::string(22, 'A'), good + "A", good.substr(1),
                                   std::string(700, 'z'), std::string("\0\xFF\n", 3), std::string{}}) {
    if (nonce.empty()) continue;
    client.nonce = nonce;
    EXPECT_EQ(client.allocate().error(), 438);
  }
}

// Somebody behind the same NAT has seen the request.
TEST(Authentication, RefusesACapturedRequestFromAnotherPortOrTransport) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  const Octets captured = client.build(Method::kAllocate, MessageClass::kRequest, TurnClient::udp, true);
  for (const auto& [port, transport] : {std::pair{40001, Transport::kUdp}, std::pair{40000, Transport::kDtls},
                                        std::pair{40000, Transport::kTcp}, std::pair{40000, Transport::kTls}}) {
    const TurnClient other{script, at("198.51.100.7", static_cast<std::uint16_t>(port)), at("192.0.2.10", 3478),
                           transport};
    const Answer answer = script.from_client(other.ref, captured);
    EXPECT_EQ(answer.error(), 438) << port << name_of(transport);
    EXPECT_TRUE(answer.has(AttributeType::kNonce));
  }
  EXPECT_TRUE(script.from_client(client.ref, captured).success());
}

TEST(Authentication, LetsAClientWhosePortHasChangedGoOnWithTheNonceOfThe438) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  client.ref.five_tuple.client.port = 40001;
  const Answer stale = client.allocate();
  EXPECT_EQ(stale.error(), 438);
  client.nonce = stale.text(AttributeType::kNonce);
  EXPECT_TRUE(client.allocate().success());
}

TEST(Authentication, AcceptsANonceAtAnotherAddressOfTheServer) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  client.ref.five_tuple.server = at("192.0.2.11", 5349);
  EXPECT_TRUE(client.allocate().success());
}

TEST(Authentication, LetsANonceExpire) {
  TurnScript script;
  TurnClient client{script};
  client.challenge();
  script.pass(3599s);
  EXPECT_EQ(client.refresh().error(), 437) << "still valid";
  script.pass(1s);
  const Answer stale = client.refresh();
  EXPECT_EQ(stale.error(), 438);
  client.nonce = stale.text(AttributeType::kNonce);
  EXPECT_EQ(client.refresh().error(), 437);
}

TEST(Authentication, AcceptsStaticUsersAndSharedSecretsAtTheSameTime) {
  TurnScript script;
  TurnClient alice{script, at("198.51.100.7", 40000)};
  TurnClient limited{script, at("198.51.100.7", 40001)};
  TurnClient rotated{script, at("198.51.100.7", 40002)};
  limited.as_time_limited("carol", script.now.wall + 1h);
  rotated.as_time_limited("carol", script.now.wall + 1h, kOldSecret);
  EXPECT_TRUE(alice.allocate().success());
  EXPECT_TRUE(limited.allocate().success());
  EXPECT_TRUE(rotated.allocate().success());
  EXPECT_EQ(script.events.created, (std::vector<std::string>{"alice", "carol", "carol"}));
}

TEST(Authentication, RefusesATimeLimitedUsernameOnceItHasExpired) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall);
  EXPECT_EQ(client.allocate().error(), 401);
  client.as_time_limited("carol", script.now.wall + 1s);
  EXPECT_TRUE(client.allocate().success());
}

TEST(Authentication, NeverSendsASecretOrPassword) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall + 1h);
  std::vector<Octets> replies;
  replies.push_back(*client.bare(Method::kAllocate).reply);
  replies.push_back(*client.allocate().reply);
  replies.push_back(*client.permit("9.9.9.9").reply);
  replies.push_back(*client.permit("10.0.0.1").reply);
  client.password = "wrong";
  replies.push_back(*client.refresh().reply);
  const Octets key = octets_of(client.key().octets());
  for (const Octets& reply : replies) {
    const std::string text{reply.begin(), reply.end()};
    for (const std::string_view secret : {kSecret, kOldSecret, std::string_view{client.password}})
      EXPECT_EQ(text.find(secret), std::string::npos);
    EXPECT_EQ(text.find(std::string{key.begin(), key.end()}), std::string::npos);
    EXPECT_EQ(text.find("carol"), std::string::npos);
  }
}

TEST(Authentication, ReportsARefusedUsernameAsItCame) {
  TurnScript script;
  TurnClient client{script};
  client.as(std::string("\0\n\x1b[31m", 7), "x");
  EXPECT_EQ(client.allocate().error(), 401);
  EXPECT_EQ(script.events.refused.at(0).second, client.username);
}

}  // namespace
}  // namespace causeway::turn
