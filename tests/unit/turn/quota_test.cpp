// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/quota.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr TimePoint kStart = TimePoint{} + 1000s;

struct Holder {
  RealmIndex realm = 0;
  std::string_view user = "a";
  std::string_view source = "198.51.100.7";
};

Result<Quota::Hold, QuotaError> acquire(Quota& quota, const QuotaLimits& limits, const Holder& holder = {},
                                        TimePoint now = kStart) {
  return quota.acquire(holder.realm, holder.user, ip(holder.source), limits, now);
}

Quota::Hold hold(Quota& quota, const QuotaLimits& limits = {}, const Holder& holder = {}, TimePoint now = kStart) {
  auto acquired = acquire(quota, limits, holder, now);
  EXPECT_TRUE(acquired);
  return acquired ? std::move(*acquired) : Quota::Hold{};
}

TEST(Quota, LimitsEachUserAndTheTotal) {
  Quota quota{1, 7};
  const QuotaLimits limits{.per_user = 2, .total = 3};
  std::vector<Quota::Hold> holds;
  for (const char* user : {"a", "a", "b"})
    holds.push_back(hold(quota, limits, {.user = user}));
  EXPECT_EQ(quota.total(), 3u);
  EXPECT_EQ(acquire(quota, limits).error(), QuotaError::kTotal);
  holds.pop_back();
  EXPECT_EQ(acquire(quota, limits).error(), QuotaError::kUser);
  EXPECT_TRUE(acquire(quota, limits, {.user = "b"}));
}

TEST(Quota, AUserOfAnotherRealmIsAnotherUser) {
  Quota quota{2, 7};
  const QuotaLimits limits{.per_user = 1};
  const auto first = hold(quota, limits);
  EXPECT_EQ(acquire(quota, limits).error(), QuotaError::kUser);
  EXPECT_TRUE(acquire(quota, limits, {.realm = 1}));
}

TEST(Quota, LimitsEachRealm) {
  Quota quota{2, 7};
  const QuotaLimits limits{.per_realm = 2};
  const std::array holds{hold(quota, limits), hold(quota, limits, {.user = "b"})};
  EXPECT_EQ(acquire(quota, limits, {.user = "c"}).error(), QuotaError::kRealm);
  EXPECT_TRUE(acquire(quota, limits, {.realm = 1}));
  EXPECT_EQ(quota.of_realm(0), 2u);
  EXPECT_EQ(quota.of_realm(1), 0u);
}

TEST(Quota, LimitsEachAddressAndEachIPv6Network) {
  Quota quota{1, 7};
  const QuotaLimits limits{.per_source = 1};
  const std::array holds{hold(quota, limits), hold(quota, limits, {.user = "b", .source = "2001:db8:0:1::1"})};
  EXPECT_EQ(acquire(quota, limits, {.user = "c"}).error(), QuotaError::kSource);
  EXPECT_EQ(acquire(quota, limits, {.source = "2001:db8:0:1:ffff::2"}).error(), QuotaError::kSource) << "the same /64";
  EXPECT_TRUE(acquire(quota, limits, {.source = "198.51.100.8"}));
  EXPECT_TRUE(acquire(quota, limits, {.source = "2001:db8:0:2::1"}));
}

TEST(Quota, ZeroIsNoLimit) {
  Quota quota{1, 7};
  std::vector<Quota::Hold> holds;
  for (int i = 0; i < 1000; ++i)
    holds.push_back(hold(quota));
  EXPECT_EQ(quota.total(), 1000u);
  holds.clear();
  EXPECT_EQ(quota.total(), 0u);
}

TEST(Quota, ARefusalHoldsNothing) {
  Quota quota{1, 7};
  const QuotaLimits limits{.per_user = 1, .per_source = 1};
  const auto held = hold(quota, limits);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(acquire(quota, limits));
    EXPECT_FALSE(acquire(quota, limits, {.user = "b"}));
  }
  EXPECT_EQ(quota.total(), 1u);
  EXPECT_EQ(quota.users(), 1u);
}

TEST(Quota, AHoldGivesItsPlaceBackOnceHoweverItMoves) {
  Quota quota{1, 7};
  const QuotaLimits limits{.per_user = 1};
  {
    Quota::Hold first = hold(quota, limits);
    Quota::Hold second = std::move(first);
    Quota::Hold third;
    third = std::move(second);
    EXPECT_EQ(quota.total(), 1u);
    EXPECT_FALSE(acquire(quota, limits));
    Quota::Hold other = hold(quota, limits, {.user = "b"});
    third = std::move(other);
    EXPECT_EQ(quota.total(), 1u) << "what it held before is free";
    EXPECT_TRUE(acquire(quota, limits));
  }
  EXPECT_EQ(quota.total(), 0u);
  EXPECT_EQ(quota.of_realm(0), 0u);
  EXPECT_EQ(quota.users(), 0u) << "none of them has spent a token";
}

TEST(Quota, AllocationsOfAUserShareItsBandwidth) {
  Quota quota{1, 7};
  const auto first = hold(quota);
  const auto second = hold(quota);
  const auto other = hold(quota, {}, {.user = "b"});
  EXPECT_EQ(&first.bandwidth(), &second.bandwidth());
  EXPECT_NE(&first.bandwidth(), &other.bandwidth());
}

TEST(Quota, WhatAUserHasSpentIsRememberedUntilItIsBack) {
  Quota quota{1, 7};
  const TokenRate rate{1000};
  hold(quota).bandwidth().from_client.take(rate, 1000, kStart);
  EXPECT_FALSE(hold(quota).bandwidth().from_client.has_tokens(rate, kStart));
  EXPECT_EQ(quota.users(), 1u);
  hold(quota, {}, {.user = "b"}, kStart + 999ms);
  EXPECT_EQ(quota.users(), 1u);
  hold(quota, {}, {.user = "b"}, kStart + 1s);
  EXPECT_EQ(quota.users(), 0u);
  EXPECT_TRUE(hold(quota).bandwidth().from_client.has_tokens(rate, kStart + 1s));
}

TEST(Quota, RemembersNoMoreUsersThanSpendLately) {
  Quota quota{1, 7};
  const TokenRate rate{1000};
  TimePoint now = kStart;
  std::size_t most = 0;
  for (int i = 0; i < 2000; ++i, now += 10ms) {
    hold(quota, {}, {.user = std::to_string(i)}, now).bandwidth().from_peers.take(rate, 500, now);
    most = std::max(most, quota.users());
  }
  EXPECT_LE(most, 150u) << "50 are not full at a time";
}

}  // namespace
}  // namespace causeway::turn
