// SPDX-License-Identifier: Apache-2.0
// What somebody gets who has not proved its address: little, so that a forged source is worth nothing. Sizes are those
// of IP packets.
#include "turn_script.hpp"

namespace causeway::test {
namespace {

constexpr std::size_t kIpv4AndUdpBytes = 28;
constexpr std::size_t kIpv6AndUdpBytes = 48;
constexpr std::string_view kLongRealm = "turn.example.example";  // 20 octets

class Strangers : public ::testing::Test {
 protected:
  Strangers() {
    script.more_realms.push_back(
        {std::make_shared<turn::Credentials>(std::string{kLongRealm}, script.users, script.secrets), {}});
  }
  TurnClient client(bool v6) {
    TurnClient made{script, v6 ? at("2001:db8:1::7", 40000) : at("198.51.100.7", 40000),
                    v6 ? at("2001:db8::10", 3478) : at("192.0.2.10", 3478)};
    made.ref.realm = 1;
    made.realm = kLongRealm;
    return made;
  }
  // The answer's size as a multiple of the question's.
  double growth(TurnClient& of, const Octets& question, int error) {
    const Answer answer = script.from_client(of.ref, question);
    EXPECT_EQ(answer.error(), error);
    EXPECT_FALSE(answer.has(AttributeType::kSoftware));
    if (answer.has(AttributeType::kNonce)) {
      EXPECT_LE(answer.text(AttributeType::kNonce).size(), 36u);
    }
    const std::size_t headers = of.ref.five_tuple.client.address.is_v4() ? kIpv4AndUdpBytes : kIpv6AndUdpBytes;
    return static_cast<double>(answer.reply->size() + headers) / static_cast<double>(question.size() + headers);
  }
  TurnScript script;
};

TEST_F(Strangers, GetABindingOfOneAndAHalfTimesTheQuestion) {
  for (const bool v6 : {false, true}) {
    for (const bool with_fingerprint : {false, true}) {
      TurnClient stranger = client(v6);
      stranger.with_fingerprint = with_fingerprint;
      EXPECT_LE(growth(stranger, stranger.build(Method::kBinding, MessageClass::kRequest, {}, false), 0), 1.5);
    }
  }
}

TEST_F(Strangers, GetAChallengeOfTwoAndAHalfTimesTheQuestion) {
  const TurnClient::Add nothing;
  for (const bool v6 : {false, true}) {
    for (const TurnClient::Add& add : {nothing, TurnClient::Add{TurnClient::udp}}) {
      TurnClient stranger = client(v6);
      EXPECT_LE(growth(stranger, stranger.build(Method::kAllocate, MessageClass::kRequest, add, false), 401), 2.5);
      stranger.nonce = "x";
      EXPECT_LE(growth(stranger, stranger.build(Method::kAllocate, MessageClass::kRequest, add, true), 438), 2.5);
    }
  }
}

TEST_F(Strangers, CannotMakeTheServerRememberThem) {
  for (std::uint16_t port = 1; port <= 200; ++port) {
    TurnClient stranger{script, at("198.51.100.7", port)};
    stranger.bare(Method::kAllocate, TurnClient::udp);
  }
  EXPECT_EQ(script.server().allocations().size(), 0u);
  EXPECT_EQ(script.server().quota().users(), 0u);
  EXPECT_EQ(script.server().next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace causeway::test
