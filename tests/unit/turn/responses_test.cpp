// SPDX-License-Identifier: Apache-2.0
// What holds for every response, whatever the method and the outcome (RFC 8489 §5, §6.3.1.1, §9.2.4, §14).
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Response {
  std::string what;
  stun::TransactionId transaction;
  Answer answer;
};

// One of each kind, to one client.
std::vector<Response> responses(TurnScript& script, TurnClient& client) {
  std::vector<Response> all;
  const auto note = [&](const char* what, const Answer& answer) { all.push_back({what, client.transaction, answer}); };
  note("Binding", client.bare(Method::kBinding));
  note("Binding 420", client.bare(Method::kBinding, [](MessageBuilder& b) { b.add_flag(AttributeType{0x7001}); }));
  note("401", client.bare(Method::kAllocate, TurnClient::udp));
  note("437", client.refresh());
  note("400", client.request(Method::kAllocate));
  note("Allocate", client.allocate());
  note("Allocate again", client.retransmit(Method::kAllocate, TurnClient::udp));
  note("CreatePermission", client.permit("9.9.9.9"));
  note("403", client.permit("10.0.0.1"));
  note("ChannelBind", client.bind(0x4000, at("9.9.9.9", 9)));
  note("420", client.allocate([](MessageBuilder& b) { b.add_flag(AttributeType{0x7001}); }));
  note("Refresh", client.refresh(0));
  script.pass(3601s);
  note("438", client.refresh());
  client.nonce.clear();
  client.password += "!";
  note("401 for the password", client.refresh());
  return all;
}

TEST(Responses, CarryTheTransactionIdOfTheirRequest) {
  TurnScript script;
  TurnClient client{script};
  for (const Response& response : responses(script, client))
    EXPECT_EQ(response.answer.message().transaction_id(), response.transaction) << response.what;
}

TEST(Responses, NeverNameTheSoftwareOrTheUser) {
  TurnScript script;
  TurnClient client{script};
  for (const Response& response : responses(script, client)) {
    for (const auto type : {AttributeType::kSoftware, AttributeType::kUsername, AttributeType::kUserhash})
      EXPECT_FALSE(response.answer.has(type)) << response.what;
  }
}

TEST(Responses, AreProtectedOnceTheRequestIsAuthenticated) {
  for (const bool sha256 : {false, true}) {
    TurnScript script;
    TurnClient client{script};
    if (sha256) client.algorithm = stun::PasswordAlgorithm::kSha256;
    for (const Response& response : responses(script, client)) {
      const Answer& answer = response.answer;
      const bool stranger = response.what.starts_with("Binding") || answer.error() == 401 || answer.error() == 438;
      EXPECT_EQ(answer.has(AttributeType::kMessageIntegrity), !stranger && !sha256) << response.what;
      EXPECT_EQ(answer.has(AttributeType::kMessageIntegritySha256), !stranger && sha256) << response.what;
      // RFC 8489 §9.2.4: a challenge where there is something to be challenged, and nowhere else.
      const bool challenge = answer.error() == 401 || answer.error() == 438;
      for (const auto type : {AttributeType::kRealm, AttributeType::kNonce, AttributeType::kPasswordAlgorithms})
        EXPECT_EQ(answer.has(type), challenge) << response.what;
    }
  }
}

TEST(Responses, NameAnErrorByItsCodeAndAReason) {
  TurnScript script;
  TurnClient client{script};
  int errors = 0;
  for (const Response& response : responses(script, client)) {
    const auto value = response.answer.message().value(AttributeType::kErrorCode);
    EXPECT_EQ(value.has_value(), !response.answer.success()) << response.what;
    if (!value) continue;
    ++errors;
    EXPECT_EQ(load_be16(value->data()), 0) << "the reserved bits";
    EXPECT_EQ(stun::read_error_code(*value), response.answer.error());
    const std::string_view reason = as_text(value->subspan(4));
    EXPECT_FALSE(reason.empty());
    EXPECT_LT(reason.size(), 128u);
  }
  EXPECT_EQ(errors, 8);
}

// RFC 8489 §6.1: where the path MTU is not known, an IPv4 packet has at most 576 octets.
TEST(Responses, FitAPacketOf576Octets) {
  TurnScript script;
  TurnClient client{script};
  for (const Response& response : responses(script, client))
    EXPECT_LE(20 + 8 + response.answer.reply->size() - kRealm.size() + 127, 576u) << response.what;
}

// RFC 8489 §14.3: as long as RFC 5389 let it be.
TEST(Requests, MayHaveAUsernameOf763Octets) {
  TurnScript script;
  const std::string name(763, 'n');
  script.users[name] = "secret";
  TurnClient client{script};
  client.as(name, "secret");
  EXPECT_TRUE(client.allocate().success());
  client.as(std::string(764, 'n'), "secret");
  EXPECT_EQ(client.refresh().error(), 401);
}

}  // namespace
}  // namespace causeway::turn
