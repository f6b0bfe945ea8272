// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include <gtest/gtest.h>

using namespace causeway::config;

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("port", "port"), 0u);
  EXPECT_EQ(edit_distance("port", "prot"), 1u);
  EXPECT_EQ(edit_distance("realm", "relm"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, PrefersTheSameSectionAndFindsOthers) {
  const std::set<std::string> known{"turn", "turn.relay.port_min", "turn.relay.port_max", "listeners[].port"};
  EXPECT_EQ(nearest("turn.relay.port_mni", known), "turn.relay.port_min");
  EXPECT_EQ(nearest("port_max", known), "turn.relay.port_max");
  EXPECT_EQ(nearest("listeners[12].prt", known), "listeners[].port");
  EXPECT_EQ(nearest("turn.users.alice", {"turn", "turn.users", "turn.peers.allow"}), "turn.users");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), {}), "");
}
