// SPDX-License-Identifier: Apache-2.0
// Bandwidth of allocations and users, each way, and where each packet counts.
#include "turn_client.hpp"

namespace causeway::test {
namespace {

constexpr std::size_t kPayload = 100;
const std::string kBytes(kPayload, 'x');

// How many of `count` packets of 100 octets came through.
int sent(TurnClient& client, int count, const Endpoint& peer = kPeer) {
  int through = 0;
  for (int i = 0; i < count; ++i)
    through += client.send(peer, kBytes).drop ? 0 : 1;
  return through;
}
int received(TurnClient& client, int count) {
  int through = 0;
  for (int i = 0; i < count; ++i)
    through += client.script.from_peer(client.relay(), kPeer, kBytes).drop ? 0 : 1;
  return through;
}

TEST(Bandwidth, OfAnAllocationEachWay) {
  TurnScript script;
  script.limits.allocation_bytes_per_second_max = 1000;
  TurnClient client{script};
  TurnClient other{script, at("198.51.100.7", 40001)};
  for (TurnClient* each : {&client, &other}) {
    ASSERT_TRUE(each->allocate().success());
    ASSERT_TRUE(each->permit("9.9.9.9").success());
  }
  EXPECT_EQ(sent(client, 20), 10);
  EXPECT_EQ(script.drops(DropReason::kAllocationBandwidth), 10u);
  EXPECT_EQ(received(client, 20), 10) << "the other way has its own tokens";
  EXPECT_EQ(sent(other, 20), 10) << "and so has another allocation";
  EXPECT_EQ(client.allocation()->from_client.packets, 10u) << "what is dropped is not relayed";
  script.pass(500ms);
  EXPECT_EQ(sent(client, 20), 5);
  script.pass(10s);
  EXPECT_EQ(sent(client, 20), 10);
}

TEST(Bandwidth, OfAUserOverAllItsAllocations) {
  TurnScript script;
  script.limits.user_bytes_per_second_max = 1000;
  TurnClient first{script};
  TurnClient second{script, at("198.51.100.7", 40001)};
  TurnClient bob{script, at("198.51.100.8", 40000)};
  bob.as("bob", "builder");
  for (TurnClient* each : {&first, &second, &bob}) {
    ASSERT_TRUE(each->allocate().success());
    ASSERT_TRUE(each->permit("9.9.9.9").success());
  }
  EXPECT_EQ(sent(first, 6), 6);
  EXPECT_EQ(sent(second, 6), 4);
  EXPECT_EQ(script.drops(DropReason::kUserBandwidth), 2u);
  EXPECT_EQ(received(second, 12), 10);
  EXPECT_EQ(sent(bob, 12), 10);
  // Another allocation brings no new tokens.
  ASSERT_TRUE(first.refresh(0).success());
  ASSERT_TRUE(second.refresh(0).success());
  ASSERT_TRUE(first.allocate().success());
  ASSERT_TRUE(first.permit("9.9.9.9").success());
  EXPECT_EQ(sent(first, 6), 0);
}

TEST(Bandwidth, APacketBetweenTwoRelaysCountsForBoth) {
  TurnScript script;
  script.limits.allocation_bytes_per_second_max = 1000;
  TurnClient alice{script};
  TurnClient bob{script, at("198.51.100.8", 40000)};
  bob.as("bob", "builder");
  const Answer of_alice = alice.allocate();
  const Answer of_bob = bob.allocate();
  ASSERT_TRUE(alice.permit("192.0.2.10").success());
  ASSERT_TRUE(bob.permit("192.0.2.10", "9.9.9.9").success());
  EXPECT_EQ(received(bob, 4), 4);
  EXPECT_EQ(sent(alice, 9, of_bob.relayed()), 6) << "bob has received 4 already";
  EXPECT_EQ(bob.allocation()->from_peers.packets, 10u);
  EXPECT_EQ(alice.allocation()->from_client.packets, 9u);
  ASSERT_TRUE(alice.permit("9.9.9.9").success());
  EXPECT_EQ(sent(alice, 9), 1);
}

TEST(Bandwidth, OfARealmsOwnLimits) {
  TurnScript script;
  script.limits.user_bytes_per_second_max = 1000;
  script.more_realms.push_back(
      {std::make_shared<turn::Credentials>("example.net", std::map<std::string, std::string>{{"alice", "wonder land"}},
                                           std::vector<std::string>{}),
       {.user_bytes_per_second_max = 2000}});
  TurnClient alice{script};
  alice.ref.realm = 1;
  alice.realm = "example.net";
  ASSERT_TRUE(alice.allocate().success());
  ASSERT_TRUE(alice.permit("9.9.9.9").success());
  EXPECT_EQ(sent(alice, 30), 20);
}

}  // namespace
}  // namespace causeway::test
