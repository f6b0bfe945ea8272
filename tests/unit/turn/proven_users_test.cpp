// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/proven_users.hpp"

#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;
using stun::PasswordAlgorithm;

std::shared_ptr<const ProvenUser> user(const std::string& name, PasswordAlgorithm algorithm = PasswordAlgorithm::kMd5) {
  const auto key = stun::long_term_key_md5(name, kRealm, "password");
  return std::make_shared<ProvenUser>(ProvenUser{name, algorithm, {key, name, std::nullopt}, stun::IntegrityKey{key}});
}

TEST(ProvenUsers, AreFoundByNameAndAlgorithm) {
  ProvenUsers users;
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kMd5), nullptr);
  const auto alice = user("alice");
  users.remember(alice);
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kMd5), alice);
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kSha256), nullptr);
  EXPECT_EQ(users.find("bob", PasswordAlgorithm::kMd5), nullptr);
  const auto with_sha256 = user("alice", PasswordAlgorithm::kSha256);
  users.remember(with_sha256);
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kMd5), alice);
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kSha256), with_sha256);
}

TEST(ProvenUsers, AreAFixedNumber) {
  ProvenUsers users;
  std::vector<std::weak_ptr<const ProvenUser>> made;
  for (std::size_t i = 0; i < 10 * ProvenUsers::kUsersMax; ++i) {
    const auto added = user("user" + std::to_string(i));
    users.remember(added);
    EXPECT_EQ(users.find(added->username, PasswordAlgorithm::kMd5), added) << "the newest is there";
    made.push_back(added);
  }
  const auto kept = std::count_if(made.begin(), made.end(), [](const auto& weak) { return !weak.expired(); });
  EXPECT_LE(kept, static_cast<std::ptrdiff_t>(ProvenUsers::kUsersMax));
  EXPECT_GE(kept, static_cast<std::ptrdiff_t>(ProvenUsers::kUsersMax / 2));
  users.clear();
  EXPECT_TRUE(made.back().expired());
}

TEST(ProvenUsers, ReplaceTheirFormerSelves) {
  ProvenUsers users;
  for (int i = 0; i < 10; ++i)
    users.remember(user("alice"));
  const std::weak_ptr<const ProvenUser> former = users.find("alice", PasswordAlgorithm::kMd5);
  const auto next = user("alice");
  users.remember(next);
  EXPECT_TRUE(former.expired());
  EXPECT_EQ(users.find("alice", PasswordAlgorithm::kMd5), next);
}

// What is remembered changes no answer.
TEST(ProvenUsers, AreAskedForTheirPasswordEveryTime) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.refresh().success());
  client.password = "wrong";
  EXPECT_EQ(client.refresh().error(), 401);
  client.password = script.users.at("alice");
  EXPECT_TRUE(client.refresh().success());
}

TEST(ProvenUsers, AreNotThoseOfAnExpiredCredential) {
  TurnScript script;
  TurnClient client{script};
  client.as_time_limited("carol", script.now.wall + 5s);
  EXPECT_TRUE(client.allocate().success());
  script.pass(5s);
  EXPECT_EQ(client.refresh().error(), 401);
}

TEST(ProvenUsers, MayComeWithAnotherSecretThanLastTime) {
  TurnScript script;
  for (const std::string_view secret : {kSecret, kOldSecret, kSecret}) {
    TurnClient client{script, at("198.51.100.7", static_cast<std::uint16_t>(40000 + script.events.created.size()))};
    client.as_time_limited("carol", script.now.wall + 1h, secret);
    EXPECT_TRUE(client.allocate().success());
  }
}

TEST(ProvenUsers, AreForgottenWhenTheUsersChange) {
  TurnScript script;
  TurnClient client{script};
  EXPECT_TRUE(client.allocate().success());
  script.server().set_credentials(
      0,
      std::make_shared<Credentials>(std::string{kRealm}, std::map<std::string, std::string>{{"alice", "another"}},
                                    std::vector<std::string>{}),
      script.now);
  EXPECT_EQ(client.allocate().error(), 401);
  client.password = "another";
  EXPECT_TRUE(client.allocate().success());
}

}  // namespace
}  // namespace causeway::turn
