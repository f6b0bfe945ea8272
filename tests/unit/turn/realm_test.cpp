// SPDX-License-Identifier: Apache-2.0
// Several realms in one server: users, nonces, allocations and reservations of one are nothing in another.
#include "turn_client.hpp"

namespace causeway::test {
namespace {

constexpr std::string_view kOtherRealm = "example.net";

class Realms : public ::testing::Test {
 protected:
  Realms() {
    const std::map<std::string, std::string> users{{"alice", "another password"}, {"carol", "singer"}};
    script.more_realms.push_back(
        {std::make_shared<turn::Credentials>(std::string{kOtherRealm}, users, std::vector<std::string>{"hidden"}), {}});
  }
  TurnClient in_other_realm(const Endpoint& from = at("198.51.100.8", 40000)) {
    TurnClient client{script, from};
    client.ref.realm = 1;
    client.realm = kOtherRealm;
    return client.as("alice", "another password");
  }

  TurnScript script;
};

TEST_F(Realms, TheChallengeNamesTheRealmOfTheClient) {
  TurnClient client{script};
  EXPECT_EQ(client.bare(Method::kAllocate, TurnClient::udp).text(AttributeType::kRealm), kRealm);
  client.ref.realm = 1;
  EXPECT_EQ(client.bare(Method::kAllocate, TurnClient::udp).text(AttributeType::kRealm), kOtherRealm);
}

TEST_F(Realms, EachHasItsUsersAndSecrets) {
  TurnClient alice = in_other_realm();
  EXPECT_TRUE(alice.allocate().success());
  EXPECT_TRUE(in_other_realm(at("198.51.100.9", 1)).as("carol", "singer").allocate().success());
  EXPECT_TRUE(in_other_realm(at("198.51.100.9", 2))
                  .as_time_limited("dave", script.now.wall + 1h, "hidden")
                  .allocate()
                  .success());

  EXPECT_EQ(in_other_realm(at("198.51.100.9", 3)).as("alice", "wonder land").allocate().error(), 401);
  EXPECT_EQ(in_other_realm(at("198.51.100.9", 4)).as("bob", "builder").allocate().error(), 401);
  EXPECT_EQ(in_other_realm(at("198.51.100.9", 5)).as_time_limited("dave", script.now.wall + 1h).allocate().error(),
            401);
  TurnClient carol{script};
  EXPECT_EQ(carol.as("carol", "singer").allocate().error(), 401);
}

TEST_F(Realms, ANonceIsGoodInItsRealmOnly) {
  TurnClient alice{script};
  alice.challenge();
  TurnClient other = in_other_realm(at("198.51.100.7", 40000));
  other.nonce = alice.nonce;
  EXPECT_EQ(other.allocate().error(), 438);
}

TEST_F(Realms, ARequestOfAnotherRealmIsNotTheOwners) {
  TurnClient alice{script};
  ASSERT_TRUE(alice.allocate().success());
  TurnClient other = in_other_realm(alice.ref.five_tuple.client);
  EXPECT_EQ(other.refresh().error(), 441);
  EXPECT_EQ(other.permit("8.8.8.8").error(), 441);
  EXPECT_EQ(other.bind(0x4000, at("8.8.8.8", 9)).error(), 441);
  other.transaction = alice.transaction;
  EXPECT_EQ(other.retransmit(Method::kAllocate, TurnClient::udp).error(), 437);
  EXPECT_TRUE(alice.refresh().success());
}

TEST_F(Realms, AReservationIsGoodInItsRealmOnly) {
  TurnClient alice{script};
  const Answer reserving = alice.allocate(
      [](MessageBuilder& builder) { builder.add(AttributeType::kEvenPort, std::array<std::uint8_t, 1>{0x80}); });
  ASSERT_TRUE(reserving.success());
  const Octets token = octets_of(reserving.message().value(AttributeType::kReservationToken).value());
  const auto with_token = [&](MessageBuilder& builder) { builder.add(AttributeType::kReservationToken, token); };
  EXPECT_EQ(in_other_realm().allocate(with_token).error(), 508);
  TurnClient second{script, at("198.51.100.7", 40001)};
  EXPECT_TRUE(second.allocate(with_token).success());
}

}  // namespace
}  // namespace causeway::test
