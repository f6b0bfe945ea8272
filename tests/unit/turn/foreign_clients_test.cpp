// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/foreign_clients.hpp"

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

FiveTuple client(std::uint16_t port) {
  return {at("198.51.100.1", port), at("192.0.2.10", 3478), Transport::kUdp};
}

TEST(ForeignClients, AreFoundUntilTheyAreGivenBack) {
  ForeignClients clients{7};
  EXPECT_EQ(clients.find(client(1), TimePoint{}), std::nullopt);
  clients.add(client(1), 3, TimePoint{});
  EXPECT_EQ(clients.find(client(1), TimePoint{}), 3);
  clients.add(client(1), 2, TimePoint{});
  EXPECT_EQ(clients.find(client(1), TimePoint{}), 2);
  EXPECT_EQ(clients.find(client(2), TimePoint{}), std::nullopt);
  clients.remove(client(1));
  EXPECT_FALSE(clients.contains(client(1)));
}

TEST(ForeignClients, OneMoreDisplacesTheOneThatHasBeenSilentForLongest) {
  ForeignClients clients{7};
  for (std::size_t i = 0; i < ForeignClients::kClientsMax; ++i)
    clients.add(client(static_cast<std::uint16_t>(i)), 1, TimePoint{} + std::chrono::seconds{i});
  clients.find(client(0), TimePoint{} + 10000s);
  clients.add(client(60000), 1, TimePoint{} + 10001s);
  EXPECT_EQ(clients.size(), ForeignClients::kClientsMax);
  EXPECT_TRUE(clients.contains(client(0)));
  EXPECT_FALSE(clients.contains(client(1)));
  EXPECT_TRUE(clients.contains(client(60000)));
}

}  // namespace
}  // namespace causeway::turn
