// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/relay_ports.hpp"

#include <gtest/gtest.h>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

struct Pool : testing::Test {
  ScriptedRelayPorts ports;
  ScriptedRandom random;
  IpAddress address = ip("192.0.2.10");
  std::uint32_t opened = 0;

  Result<std::uint16_t, RelayOpenError> open(PortPool& pool, PortParity parity = PortParity::kAny,
                                             std::uint32_t count = 1) {
    std::vector<RelayId> relays;
    for (std::uint32_t i = 0; i < count; ++i)
      relays.push_back({opened++, 1});
    return pool.open(ports, relays, address, address, parity, random);
  }
};

using PortPoolTest = Pool;

TEST_F(PortPoolTest, HandsOutEveryPortOfItsRangeOnceAndNoOther) {
  PortPool pool{50000, 50099};
  std::set<std::uint16_t> handed_out;
  for (int i = 0; i < 100; ++i) {
    const auto port = open(pool);
    ASSERT_TRUE(port);
    EXPECT_TRUE(handed_out.insert(*port).second);
  }
  EXPECT_EQ(*handed_out.begin(), 50000);
  EXPECT_EQ(*handed_out.rbegin(), 50099);
  EXPECT_EQ(open(pool).error(), RelayOpenError::kNoPortFree);
  EXPECT_EQ(ports.tried.size(), 100u);
}

TEST_F(PortPoolTest, UsesAReleasedPortAgain) {
  PortPool pool{50000, 50009};
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(open(pool));
  pool.release({address, 50004});
  std::erase_if(ports.open_relays, [](const auto& relay) { return relay.second.port == 50004; });
  EXPECT_EQ(*open(pool), 50004);
  EXPECT_FALSE(open(pool));
}

TEST_F(PortPoolTest, StartsWhereTheRandomSourceSays) {
  PortPool pool{50000, 50099};
  random.scripted = {42, 142, 42, 99, 99};
  EXPECT_EQ(*open(pool), 50042);
  EXPECT_EQ(*open(pool), 50043) << "the next free one";
  EXPECT_EQ(*open(pool), 50044);
  EXPECT_EQ(*open(pool), 50099);
  EXPECT_EQ(*open(pool), 50000) << "round the end";
}

TEST_F(PortPoolTest, WorksUpToTheLastPortThereIs) {
  PortPool pool{65534, 65535};
  EXPECT_TRUE(open(pool));
  EXPECT_TRUE(open(pool));
  EXPECT_FALSE(open(pool));
  ports.open_relays.clear();
  PortPool all{0, 65535};
  random.scripted = {65535};
  EXPECT_EQ(*open(all), 65535);
  PortPool one{50001, 50001};
  EXPECT_FALSE(open(one, PortParity::kEven));
  EXPECT_EQ(*open(one), 50001);
}

TEST_F(PortPoolTest, GivesEvenPortsWhileThereAreAny) {
  PortPool pool{50001, 50009};
  std::set<std::uint16_t> even;
  for (int i = 0; i < 4; ++i)
    even.insert(*open(pool, PortParity::kEven));
  EXPECT_EQ(even, (std::set<std::uint16_t>{50002, 50004, 50006, 50008}));
  EXPECT_EQ(open(pool, PortParity::kEven).error(), RelayOpenError::kNoPortFree);
  EXPECT_TRUE(open(pool));
}

TEST_F(PortPoolTest, OpensTwoInARowOrNone) {
  PortPool pool{50000, 50005};
  std::set<std::uint16_t> first;
  for (int i = 0; i < 3; ++i)
    first.insert(*open(pool, PortParity::kEven, 2));
  EXPECT_EQ(first, (std::set<std::uint16_t>{50000, 50002, 50004}));
  EXPECT_EQ(open(pool, PortParity::kAny, 2).error(), RelayOpenError::kNoPortFree);
  PortPool odd_end{50000, 50002};
  random.scripted = {2};
  ports.open_relays.clear();
  EXPECT_EQ(*open(odd_end, PortParity::kEven, 2), 50000) << "50003 is out of the range";
}

TEST_F(PortPoolTest, ClosesTheFirstWhereTheSecondFails) {
  PortPool pool{50000, 50001};
  ports.fail_at[1] = RelayOpenError::kNoResources;
  EXPECT_EQ(open(pool, PortParity::kEven, 2).error(), RelayOpenError::kNoResources);
  EXPECT_TRUE(ports.open_relays.empty());
  EXPECT_EQ(*open(pool, PortParity::kEven, 2), 50000);
}

TEST_F(PortPoolTest, TriesOtherPortsForPortInUseOnly) {
  PortPool pool{50000, 50099};
  ports.fail_at[0] = ports.fail_at[1] = RelayOpenError::kPortInUse;
  EXPECT_TRUE(open(pool));
  EXPECT_EQ(ports.tried.size(), 3u);
  ports.fail_at[3] = RelayOpenError::kAddressNotAvailable;
  EXPECT_EQ(open(pool).error(), RelayOpenError::kAddressNotAvailable);
  EXPECT_EQ(ports.tried.size(), 4u);
}

TEST_F(PortPoolTest, CountsEachAddressOnItsOwn) {
  PortPool pool{50000, 50000};
  EXPECT_TRUE(open(pool));
  address = ip("192.0.2.11");
  EXPECT_FALSE(pool.is_in_use(address));
  EXPECT_TRUE(open(pool));
  EXPECT_TRUE(pool.is_in_use(address));
  pool.release({address, 50000});
  EXPECT_FALSE(pool.is_in_use(address));
  EXPECT_TRUE(pool.is_in_use(ip("192.0.2.10")));
}

TEST_F(PortPoolTest, RemembersNoAddressWithoutAPortInUse) {
  PortPool pool{50000, 50009};
  for (std::uint8_t i = 0; i < 200; ++i) {
    address = IpAddress{std::array<std::uint8_t, 4>{127, 0, 0, i}};
    const auto port = open(pool);
    ASSERT_TRUE(port);
    pool.release({address, *port});
    ports.fail_at[ports.tried.size()] = RelayOpenError::kNoResources;
    EXPECT_FALSE(open(pool));
  }
  EXPECT_EQ(pool.addresses(), 0u);
}

TEST_F(PortPoolTest, KeepsItsBooksThroughRandomUse) {
  PortPool pool{50000, 50019};
  std::map<std::uint16_t, RelayId> held;
  for (int step = 0; step < 2000; ++step) {
    if (random.below(2) == 0) {
      const RelayId relay{opened, 1};
      const auto port = open(pool);
      ASSERT_EQ(port.has_value(), held.size() < 20);
      ASSERT_TRUE(!port || held.emplace(*port, relay).second);
    } else if (!held.empty()) {
      const auto victim = std::next(held.begin(), random.below(static_cast<std::uint32_t>(held.size())));
      ports.close(victim->second);
      pool.release({address, victim->first});
      held.erase(victim);
    }
    ASSERT_EQ(pool.is_in_use(address), !held.empty());
  }
}

}  // namespace
}  // namespace causeway::turn
