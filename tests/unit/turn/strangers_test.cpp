// SPDX-License-Identifier: Apache-2.0
// What somebody gets who has not proved its address: little, so that a forged source is worth nothing. Sizes are those
// of IP packets.
#include <array>
#include <vector>

#include "turn_client.hpp"

namespace causeway::test {
namespace {

constexpr std::size_t kIpv4AndUdpBytes = 28;
constexpr std::size_t kIpv6AndUdpBytes = 48;
// What a REALM takes, and what it has above the 16 octets that the factor of 2.5 covers.
struct RealmSize {
  std::size_t octets;
  std::size_t above;
};
constexpr std::array kRealmSizes{RealmSize{1, 0}, RealmSize{16, 0}, RealmSize{17, 4}, RealmSize{20, 4},
                                 RealmSize{127, 112}};

class Strangers : public ::testing::Test {
 protected:
  Strangers() {
    for (const RealmSize& size : kRealmSizes)
      script.more_realms.push_back(
          {std::make_shared<turn::Credentials>(std::string(size.octets, 'r'), script.users, script.secrets), {}});
  }
  TurnClient client(bool v6, std::size_t realm = 1) {
    TurnClient made{script, v6 ? at("2001:db8:1::7", 40000) : at("198.51.100.7", 40000),
                    v6 ? at("2001:db8::10", 3478) : at("192.0.2.10", 3478)};
    made.ref.realm = static_cast<turn::RealmIndex>(realm + 1);
    made.realm = std::string(kRealmSizes.at(realm).octets, 'r');
    return made;
  }
  // The answer's size as a multiple of the question's, but for so many octets.
  double growth(TurnClient& of, const Octets& question, int error, std::size_t but_for = 0) {
    const Answer answer = script.from_client(of.ref, question);
    EXPECT_EQ(answer.error(), error);
    EXPECT_FALSE(answer.has(AttributeType::kSoftware));
    if (answer.has(AttributeType::kNonce)) {
      EXPECT_LE(answer.text(AttributeType::kNonce).size(), 36u);
    }
    const std::size_t headers = of.ref.five_tuple.client.address.is_v4() ? kIpv4AndUdpBytes : kIpv6AndUdpBytes;
    return static_cast<double>(answer.reply->size() + headers - but_for) /
           static_cast<double>(question.size() + headers);
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

// However the question is made, and for a realm of more than 16 octets what it has above them.
TEST_F(Strangers, GetAChallengeOfTwoAndAHalfTimesTheQuestion) {
  const std::vector<TurnClient::Add> additions{
      {},
      [](MessageBuilder& builder) { builder.add_flag(AttributeType::kSoftware); },
      [](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, 0); },
      TurnClient::udp,
      [](MessageBuilder& builder) {
        TurnClient::udp(builder);
        TurnClient::additional_ipv6(builder);
      }};
  for (const bool v6 : {false, true}) {
    for (std::size_t realm = 0; realm < kRealmSizes.size(); ++realm) {
      const std::size_t above = kRealmSizes.at(realm).above;
      for (const TurnClient::Add& add : additions) {
        for (const bool with_fingerprint : {false, true}) {
          TurnClient stranger = client(v6, realm);
          stranger.with_fingerprint = with_fingerprint;
          const Octets bare = stranger.build(Method::kAllocate, MessageClass::kRequest, add, false);
          EXPECT_LE(growth(stranger, bare, 401, above), 2.5);
          stranger.nonce = "x";
          const Octets stale = stranger.build(Method::kAllocate, MessageClass::kRequest, add, true);
          EXPECT_LE(growth(stranger, stale, 438, above), 2.5);
        }
      }
    }
  }
}

TEST_F(Strangers, AreOfferedSha256WithTheSmallestRequestThatClientsSend) {
  for (std::size_t realm = 0; realm < kRealmSizes.size(); ++realm) {
    TurnClient stranger = client(false, realm);
    EXPECT_TRUE(stranger.bare(Method::kAllocate, TurnClient::udp).has(AttributeType::kPasswordAlgorithms));
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
