// SPDX-License-Identifier: Apache-2.0
// A valid credential of somebody who may not come now.
#include <gtest/gtest.h>

#include <set>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

class Doorkeeper : public UserGate {
 public:
  bool admits(std::string_view user) const override { return !away.contains(std::string{user}); }
  std::set<std::string> away;
};

struct Gate : testing::Test {
  Gate() { script.gate = keeper; }
  std::shared_ptr<Doorkeeper> keeper = std::make_shared<Doorkeeper>();
  TurnScript script;
};

TEST_F(Gate, WhoIsNotAdmittedIsRefusedWithAValidCredential) {
  TurnClient carol{script};
  carol.as_time_limited("carol", script.now.wall + 12h);
  keeper->away = {"carol"};
  const Answer refused = carol.allocate();
  EXPECT_EQ(refused.error(), 401);
  EXPECT_TRUE(refused.has(AttributeType::kNonce)) << "with a challenge, like any other 401";
  EXPECT_TRUE(script.ports.tried.empty());
  keeper->away.clear();
  EXPECT_TRUE(carol.allocate().success());
}

TEST_F(Gate, AUserThatHasProvedItsPasswordBeforeIsAskedAgain) {
  TurnClient carol{script};
  carol.as_time_limited("carol", script.now.wall + 12h);
  ASSERT_TRUE(carol.allocate().success());
  keeper->away = {"carol"};
  script.server().end_allocations_of("carol", script.now);
  EXPECT_EQ(carol.refresh().error(), 401);
  EXPECT_EQ(carol.allocate().error(), 401);
  EXPECT_EQ(script.server().allocations().size(), 0U);
}

TEST_F(Gate, StaticUsersPassItUnasked) {
  keeper->away = {"alice"};
  TurnClient alice{script};
  EXPECT_TRUE(alice.allocate().success());
}

TEST_F(Gate, NewCredentialsOfTheRealmEndAllocationsOfThoseWhoAreNotAdmitted) {
  TurnClient carol{script};
  carol.as_time_limited("carol", script.now.wall + 12h);
  ASSERT_TRUE(carol.allocate().success());
  keeper->away = {"carol"};
  script.server().set_credentials(
      0, std::make_shared<turn::Credentials>(std::string{kRealm}, script.users, script.secrets, keeper), script.now);
  EXPECT_EQ(script.server().allocations().size(), 0U);
}

}  // namespace
}  // namespace causeway::turn
