// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/quota.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::turn {
namespace {

Quota::Hold hold(Quota& quota, const std::string& user) {
  auto acquired = quota.acquire(user);
  EXPECT_TRUE(acquired);
  return acquired ? std::move(*acquired) : Quota::Hold{};
}

TEST(Quota, LimitsEachUserAndTheTotal) {
  Quota quota{2, 3};
  std::vector<Quota::Hold> holds;
  for (const char* user : {"a", "a", "b"})
    holds.push_back(hold(quota, user));
  EXPECT_EQ(quota.total(), 3u);
  EXPECT_EQ(quota.acquire("a").error(), QuotaError::kTotal);
  holds.pop_back();
  EXPECT_EQ(quota.acquire("a").error(), QuotaError::kUser);
  EXPECT_TRUE(quota.acquire("b"));
}

TEST(Quota, ZeroIsNoLimit) {
  Quota quota{0, 0};
  std::vector<Quota::Hold> holds;
  for (int i = 0; i < 1000; ++i)
    holds.push_back(hold(quota, "a"));
  EXPECT_EQ(quota.total(), 1000u);
  holds.clear();
  EXPECT_EQ(quota.total(), 0u);
}

TEST(Quota, ARefusalHoldsNothing) {
  Quota quota{1, 0};
  const auto held = quota.acquire("a");
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(quota.acquire("a"));
  EXPECT_EQ(quota.total(), 1u);
}

TEST(Quota, AHoldGivesItsPlaceBackOnceHoweverItMoves) {
  Quota quota{1, 0};
  {
    Quota::Hold first = hold(quota, "a");
    Quota::Hold second = std::move(first);
    Quota::Hold third;
    third = std::move(second);
    EXPECT_EQ(quota.total(), 1u);
    EXPECT_FALSE(quota.acquire("a"));
    Quota::Hold other = hold(quota, "b");
    third = std::move(other);
    EXPECT_EQ(quota.total(), 1u) << "what it held before is free";
    EXPECT_TRUE(quota.acquire("a"));
  }
  EXPECT_EQ(quota.total(), 0u);
}

}  // namespace
}  // namespace causeway::turn
