// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/fair_share.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace causeway {
namespace {

TEST(FairShare, ATableWithRoomRefusesNobodyAndAFullOneEverybody) {
  EXPECT_TRUE(may_take_place(0, 0, 80));
  EXPECT_TRUE(may_take_place(69, 69, 80)) << "one holder alone gets seven eighths";
  EXPECT_FALSE(may_take_place(70, 70, 80));
  EXPECT_FALSE(may_take_place(0, 80, 80));
  EXPECT_FALSE(may_take_place(0, 81, 80)) << "a limit that has been lowered";
}

TEST(FairShare, TheLastEighthIsForThoseWhoHoldLittle) {
  EXPECT_TRUE(may_take_place(1, 70, 80));
  EXPECT_FALSE(may_take_place(2, 70, 80));
  EXPECT_TRUE(may_take_place(0, 79, 80));
  EXPECT_FALSE(may_take_place(1, 79, 80));
}

TEST(FairShare, ASmallTableIsFirstComeFirstServed) {
  for (std::size_t taken = 0; taken < 7; ++taken)
    EXPECT_TRUE(may_take_place(taken, taken, 7));
}

// One after the other takes all it can.
TEST(FairShare, TwentyGreedyNetworksLeavePlacesForOthers) {
  constexpr std::size_t kPlaces = 8000;
  std::size_t taken = 0;
  for (int network = 0; network < 20; ++network) {
    std::size_t held = 0;
    while (may_take_place(held, taken, kPlaces)) {
      ++held;
      ++taken;
    }
  }
  EXPECT_GE(kPlaces - taken, 100U);
}

}  // namespace
}  // namespace causeway
