// SPDX-License-Identifier: Apache-2.0
// What an idle client costs: many of them decide how many a server can have.
#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr std::size_t kClients = 1000;
constexpr std::size_t kBytesMax = 3 * 1024;

std::size_t heap_bytes() {
  return mallinfo2().uordblks;
}

// With a permission and a channel, as a user of its own with a time-limited username.
TEST(AllocationMemory, StaysBelowThreeKibibytesForOneWithAChannel) {
  TurnScript script;
  script.limits.allocations_per_user_max = 0;
  script.options.limits.allocations_per_source_max = 0;
  script.options.limits.unauthenticated_answers_per_second_max = 0;
  script.options.relay_port_min = 40000;
  script.options.relay_port_max = 49999;
  std::vector<std::unique_ptr<TurnClient>> clients;
  for (std::size_t i = 0; i < 2 * kClients; ++i) {
    clients.push_back(std::make_unique<TurnClient>(script, at("198.51.100.7", static_cast<std::uint16_t>(20000 + i))));
    clients.back()->as_time_limited("somebody-" + std::to_string(i), script.now.wall + 1h);
  }
  std::size_t before = 0;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i == kClients) before = heap_bytes();  // all tables of a fixed size are there by now
    ASSERT_TRUE(clients[i]->allocate().success());
    ASSERT_TRUE(clients[i]->bind(0x4000, at("9.9.9.9", 5000)).success());
  }
  const std::size_t each = (heap_bytes() - before) / kClients;
  RecordProperty("bytes", static_cast<int>(each));
  EXPECT_LE(each, kBytesMax);
}

}  // namespace
}  // namespace causeway::turn
