// SPDX-License-Identifier: Apache-2.0
// What an operator changes while clients are connected: users and secrets, limits, the peer policy, draining.
#include "turn_client.hpp"

namespace causeway::test {
namespace {

using turn::EndReason;
using turn::QuotaError;
using Users = std::map<std::string, std::string>;
using Secrets = std::vector<std::string>;

std::shared_ptr<const turn::Credentials> credentials(const Users& users, const Secrets& secrets) {
  return std::make_shared<turn::Credentials>(std::string{kRealm}, users, secrets);
}

TEST(SetCredentials, ARemovedUserLosesItsAllocationsAndNobodyElse) {
  TurnScript script;
  TurnClient alice{script};
  TurnClient bob{script, at("198.51.100.8", 40000)};
  bob.as("bob", "builder");
  TurnClient member{script, at("198.51.100.9", 40000)};
  member.as_time_limited("carol", script.now.wall + 1h);
  for (TurnClient* each : {&alice, &bob, &member})
    ASSERT_TRUE(each->allocate().success());

  script.server().set_credentials(0, credentials({{"bob", "builder"}}, script.secrets), script.now);
  ASSERT_EQ(script.events.ended.size(), 1u);
  EXPECT_EQ(script.events.ended[0].user, "alice");
  EXPECT_EQ(script.events.ended[0].reason, EndReason::kCredentialRevoked);
  EXPECT_EQ(alice.refresh().error(), 401);
  EXPECT_TRUE(bob.refresh().success());
  EXPECT_TRUE(member.refresh().success());
}

TEST(EndAllocationsOf, AUserLosesThemAndNobodyElse) {
  TurnScript script;
  TurnClient carol{script};
  TurnClient again{script, at("198.51.100.7", 40001)};
  TurnClient dave{script, at("198.51.100.8", 40000)};
  carol.as_time_limited("carol", script.now.wall + 1h);
  again.as_time_limited("carol", script.now.wall + 2h);
  dave.as_time_limited("dave", script.now.wall + 1h);
  for (TurnClient* each : {&carol, &again, &dave})
    ASSERT_TRUE(each->allocate().success());

  script.server().end_allocations_of("caro", script.now);
  EXPECT_TRUE(script.events.ended.empty());
  script.server().end_allocations_of("carol", script.now);
  ASSERT_EQ(script.events.ended.size(), 2u);
  EXPECT_EQ(script.events.ended[0].user, "carol");
  EXPECT_EQ(script.events.ended[0].reason, EndReason::kCredentialRevoked);
  EXPECT_EQ(carol.refresh().error(), 437);
  EXPECT_TRUE(dave.refresh().success());
  script.server().end_allocations_of("carol", script.now);
  EXPECT_EQ(script.events.ended.size(), 2u);
}

TEST(SetCredentials, AChangedPasswordEndsThem) {
  TurnScript script;
  TurnClient alice{script};
  TurnClient modern{script, at("198.51.100.7", 40001)};
  modern.algorithm = stun::PasswordAlgorithm::kSha256;
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(modern.allocate().success());
  script.server().set_credentials(0, credentials(script.users, script.secrets), script.now);
  EXPECT_TRUE(script.events.ended.empty()) << "the same users are no change";
  script.server().set_credentials(0, credentials({{"alice", "another"}, {"bob", "builder"}}, {}), script.now);
  EXPECT_EQ(script.events.ended.size(), 2u);
  alice.password = "another";
  EXPECT_TRUE(alice.allocate().success());
}

TEST(SetCredentials, ASecretsEndIsTheEndOfWhatItMade) {
  TurnScript script;
  TurnClient of_old{script};
  TurnClient of_new{script, at("198.51.100.8", 40000)};
  of_old.as_time_limited("carol", script.now.wall + 1h, kOldSecret);
  of_new.as_time_limited("dave", script.now.wall + 1h, kSecret);
  ASSERT_TRUE(of_old.allocate().success());
  ASSERT_TRUE(of_new.allocate().success());
  script.server().set_credentials(0, credentials(script.users, {"newest", std::string{kSecret}}), script.now);
  ASSERT_EQ(script.events.ended.size(), 1u);
  EXPECT_EQ(script.events.ended[0].user, "carol");
}

TEST(SetCredentials, WhatHasExpiredWasNotRevoked) {
  TurnScript script;
  TurnClient member{script};
  member.as_time_limited("carol", script.now.wall + 30s);
  ASSERT_TRUE(member.allocate().success());
  script.pass(31s);
  script.server().set_credentials(0, credentials({}, {}), script.now);
  ASSERT_EQ(script.events.ended.size(), 1u);
  EXPECT_EQ(script.events.ended[0].reason, EndReason::kCredentialExpired);
}

TEST(SetCredentials, OfOneRealmConcernsNoOther) {
  TurnScript script;
  script.more_realms.push_back({std::make_shared<turn::Credentials>("example.net", script.users, Secrets{}), {}});
  TurnClient alice{script};
  TurnClient other{script, at("198.51.100.8", 40000)};
  other.ref.realm = 1;
  other.realm = "example.net";
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(other.allocate().success());
  script.server().set_credentials(1, std::make_shared<turn::Credentials>("example.net", Users{}, Secrets{}),
                                  script.now);
  EXPECT_EQ(script.events.ended.size(), 1u);
  EXPECT_TRUE(alice.refresh().success());
  EXPECT_EQ(other.refresh().error(), 401);
}

TEST(SetLimits, ApplyToWhatComes) {
  TurnScript script;
  TurnClient first{script};
  TurnClient second{script, at("198.51.100.8", 40000)};
  ASSERT_TRUE(first.allocate().success());
  ASSERT_TRUE(second.allocate().success());
  ASSERT_TRUE(first.permit("8.8.8.8").success());
  turn::ServerLimits limits;
  limits.permissions_per_allocation_max = 1;
  limits.unauthenticated_answers_per_second_max = 1;
  script.server().set_limits(
      limits, std::array{turn::RealmLimits{.allocations_per_user_max = 1, .user_bytes_per_second_max = 10}});
  EXPECT_TRUE(first.refresh().success()) << "what is there lives on";
  EXPECT_TRUE(second.refresh().success());
  EXPECT_EQ(first.permit("8.8.4.4").error(), 508);
  EXPECT_FALSE(first.send(at("8.8.8.8", 9), "0123456789").drop);
  EXPECT_EQ(first.send(at("8.8.8.8", 9), "0123456789").drop, DropReason::kUserBandwidth);
  TurnClient third{script, at("198.51.100.9", 40000)};
  EXPECT_EQ(third.allocate().error(), 486);
  for (int i = 0; i < 4; ++i)
    third.bare(Method::kBinding);
  EXPECT_EQ(third.bare(Method::kBinding).drop, DropReason::kAnswerBudget);
}

TEST(Quotas, AnswerWhoseLimitItWasAndCountIt) {
  TurnScript script;
  script.options.limits.allocations_total_max = 4;
  script.options.limits.allocations_per_source_max = 2;
  script.limits.allocations_per_user_max = 2;
  script.limits.allocations_max = 3;
  std::uint16_t port = 1;
  const auto allocate = [&](std::string_view from, std::string user, std::string password) {
    TurnClient client{script, at(from, port++)};
    return client.as(std::move(user), std::move(password)).allocate().error();
  };
  EXPECT_EQ(allocate("198.51.100.1", "alice", "wonder land"), 0);
  EXPECT_EQ(allocate("198.51.100.1", "alice", "wonder land"), 0);
  EXPECT_EQ(allocate("198.51.100.2", "alice", "wonder land"), 486) << "RFC 8656 §7.2: the user's";
  EXPECT_EQ(allocate("198.51.100.1", "bob", "builder"), 486) << "the address's";
  EXPECT_EQ(allocate("198.51.100.2", "bob", "builder"), 0);
  EXPECT_EQ(allocate("198.51.100.3", "bob", "builder"), 508) << "the realm's";
  script.server().set_limits(
      [] {
        turn::ServerLimits limits;
        limits.allocations_total_max = 3;
        return limits;
      }(),
      std::array{turn::RealmLimits{}});
  EXPECT_EQ(allocate("198.51.100.3", "bob", "builder"), 508) << "the server's";
  for (const auto error : {QuotaError::kUser, QuotaError::kSource, QuotaError::kRealm, QuotaError::kTotal})
    EXPECT_EQ(script.server().counters().quota_refusals[static_cast<std::size_t>(error)], 1u);
}

TEST(SetPeerPolicy, JudgesLivePermissionsAndChannelsAgain) {
  TurnScript script;
  script.options.peers.allow = {cidr("10.0.0.0/8")};
  TurnClient alice{script};
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(alice.permit("10.1.1.1", "8.8.8.8").success());
  ASSERT_TRUE(alice.bind(0x4000, at("10.1.1.1", 9)).success());
  ASSERT_TRUE(alice.channel_data(0x4000, "before").to_peer);

  script.server().set_peer_policy({});
  EXPECT_EQ(alice.channel_data(0x4000, "after").drop, DropReason::kNoPermission);
  EXPECT_EQ(alice.send(at("10.1.1.1", 9), "after").drop, DropReason::kNoPermission);
  EXPECT_EQ(script.from_peer(alice.relay(), at("10.1.1.1", 9), "after").drop, DropReason::kNoPermission);
  EXPECT_EQ(alice.bind(0x4000, at("10.1.1.1", 9)).error(), 403);
  EXPECT_TRUE(alice.send(at("8.8.8.8", 9), "after").to_peer);

  script.server().set_peer_policy({.allow = {cidr("10.0.0.0/8")}, .deny = {cidr("8.8.8.8/32")}});
  EXPECT_EQ(alice.send(at("8.8.8.8", 9), "after").drop, DropReason::kNoPermission);
  EXPECT_TRUE(alice.bind(0x4000, at("10.1.1.1", 9)).success()) << "the number has stayed the peer's";
  EXPECT_TRUE(alice.channel_data(0x4000, "again").to_peer);
}

TEST(SetPeerPolicy, LeavesTheWayBetweenTwoRelays) {
  TurnScript script;
  TurnClient alice{script};
  TurnClient bob{script, at("198.51.100.8", 40000)};
  bob.as("bob", "builder");
  ASSERT_TRUE(alice.allocate().success());
  const Endpoint relayed = bob.allocate().relayed();
  ASSERT_TRUE(alice.permit("192.0.2.10").success());
  ASSERT_TRUE(bob.permit("192.0.2.10").success());
  script.server().set_peer_policy({.deny = {cidr("0.0.0.0/0")}});
  EXPECT_TRUE(alice.send(relayed, "in process").to_client);
}

// `ip addr add` while clients are connected.
TEST(SetRelayAddresses, EndsPermissionsForAnAddressThatTheMachineHasGot) {
  TurnScript script;
  script.options.relay_addresses.relay = {ip("192.0.2.10")};
  TurnClient alice{script};
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(alice.bind(0x4000, at("9.9.9.10", 22)).success());
  ASSERT_TRUE(alice.permit("8.8.8.8").success());
  ASSERT_TRUE(alice.channel_data(0x4000, "a stranger's").to_peer);

  turn::RelayAddressOptions changed = script.options.relay_addresses;
  changed.interfaces.push_back(ip("9.9.9.10"));
  script.server().set_relay_addresses(changed);
  EXPECT_EQ(alice.channel_data(0x4000, "own").drop, DropReason::kNoPermission);
  EXPECT_EQ(alice.permit("9.9.9.10").error(), 403);
  EXPECT_EQ(alice.bind(0x4000, at("9.9.9.10", 22)).error(), 403);
  EXPECT_TRUE(alice.send(at("8.8.8.8", 9), "another's").to_peer);

  script.server().set_relay_addresses(script.options.relay_addresses);
  EXPECT_TRUE(alice.bind(0x4000, at("9.9.9.10", 22)).success()) << "the machine has given it up";
  EXPECT_TRUE(alice.channel_data(0x4000, "a stranger's").to_peer);
}

TEST(SetRelayAddresses, APermissionForANewAddressWithRelaysLeadsToThemAlone) {
  TurnScript script;
  TurnClient alice{script};
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(alice.permit("9.9.9.10").success());
  ASSERT_TRUE(alice.send(at("9.9.9.10", 22), "a stranger's").to_peer);

  script.options.relay_addresses.interfaces.push_back(ip("9.9.9.10"));
  script.server().set_relay_addresses(script.options.relay_addresses);
  EXPECT_EQ(alice.send(at("9.9.9.10", 22), "own").drop, DropReason::kOwnAddressNotRelayed);
  TurnClient bob{script, at("198.51.100.8", 40000), at("9.9.9.10", 3478)};
  const Endpoint relayed = bob.allocate().relayed();
  EXPECT_EQ(relayed.address, ip("9.9.9.10"));
  EXPECT_TRUE(bob.permit("192.0.2.10").success());
  EXPECT_TRUE(alice.send(relayed, "a relay").to_client);
}

class Draining : public ::testing::Test {
 protected:
  Draining() {
    script.options.alternate = {{at("203.0.113.8", 3478), at("2001:db8::8", 3478)}, 5349, "turn2.example.org"};
  }
  static std::vector<Endpoint> alternates(const Answer& answer) {
    std::vector<Endpoint> found;
    answer.message().for_each([&](const stun::Attribute& attribute) {
      if (attribute.type == AttributeType::kAlternateServer)
        found.push_back(stun::read_address(attribute.value).value());
    });
    return found;
  }
  TurnScript script;
};

TEST_F(Draining, RefusesNewAllocationsAndServesThoseThereAre) {
  TurnClient old{script};
  ASSERT_TRUE(old.allocate().success());
  EXPECT_FALSE(script.server().is_draining());
  script.server().drain();
  EXPECT_TRUE(script.server().is_draining());
  EXPECT_TRUE(old.retransmit(Method::kAllocate, TurnClient::udp).success());
  EXPECT_TRUE(old.permit("8.8.8.8").success());
  EXPECT_TRUE(old.send(at("8.8.8.8", 9), "still here").to_peer);
  EXPECT_TRUE(old.refresh().success());
  EXPECT_TRUE(old.bare(Method::kBinding).success()) << "RFC 8489 §12: no redirection of Binding";

  TurnClient late{script, at("198.51.100.7", 40001)};
  const Answer answer = late.allocate();
  EXPECT_EQ(answer.error(), 300);
  EXPECT_TRUE(answer.has(AttributeType::kMessageIntegrity));
  EXPECT_EQ(alternates(answer), (std::vector{at("203.0.113.8", 3478), at("2001:db8::8", 3478)}));
  EXPECT_FALSE(answer.has(AttributeType::kAlternateDomain)) << "RFC 8489 §10: over TLS and DTLS only";
}

TEST_F(Draining, NamesTheFamilyOfTheClientFirst) {
  script.server().drain();
  TurnClient late{script, at("2001:db8:1::7", 40001), at("2001:db8::10", 3478)};
  EXPECT_EQ(alternates(late.allocate()), (std::vector{at("2001:db8::8", 3478), at("203.0.113.8", 3478)}));
}

TEST_F(Draining, TellsNoStranger) {
  script.server().drain();
  TurnClient stranger{script};
  EXPECT_EQ(stranger.bare(Method::kAllocate, TurnClient::udp).error(), 401);
  stranger.password = "guess";
  EXPECT_EQ(stranger.allocate().error(), 401);
}

TEST_F(Draining, NamesTheCertificateToAClientThatKnowsTheAttribute) {
  script.server().drain();
  TurnClient modern{script, at("198.51.100.7", 40001), at("192.0.2.10", 5349), turn::Transport::kTls};
  modern.algorithm = stun::PasswordAlgorithm::kSha256;
  const Answer answer = modern.allocate();
  EXPECT_EQ(answer.error(), 300);
  EXPECT_EQ(alternates(answer).front(), at("203.0.113.8", 5349));
  EXPECT_EQ(answer.text(AttributeType::kAlternateDomain), "turn2.example.org");
  TurnClient of_5389{script, at("198.51.100.7", 40002), at("192.0.2.10", 5349), turn::Transport::kDtls};
  const Answer without = of_5389.allocate();
  EXPECT_EQ(alternates(without).front(), at("203.0.113.8", 5349));
  EXPECT_FALSE(without.has(AttributeType::kAlternateDomain));
}

TEST_F(Draining, WithoutAnAlternateOfTheFamilyIs508) {
  script.options.alternate.addresses.pop_back();
  script.server().drain();
  TurnClient v6{script, at("2001:db8:1::7", 40001), at("2001:db8::10", 3478)};
  EXPECT_EQ(v6.allocate().error(), 508);
  TurnClient v4{script};
  EXPECT_EQ(alternates(v4.allocate()), std::vector{at("203.0.113.8", 3478)});
}

}  // namespace
}  // namespace causeway::test
