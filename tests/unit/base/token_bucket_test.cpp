// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/token_bucket.hpp"

#include <gtest/gtest.h>

#include "fake_time.hpp"

namespace causeway {
namespace {

using namespace std::chrono_literals;
using test::kStart;

std::uint64_t taken(TokenBucket& bucket, const TokenRate& rate, std::uint64_t count, TimePoint now) {
  std::uint64_t sum = 0;
  for (int i = 0; i < 1000 && bucket.has_tokens(rate, now); ++i) {
    bucket.take(rate, count, now);
    sum += count;
  }
  return sum;
}

TEST(TokenBucket, HoldsABurstAndFillsAtTheRate) {
  const TokenRate rate{1000, 2s};
  TokenBucket bucket;
  EXPECT_TRUE(bucket.is_unused());
  EXPECT_EQ(taken(bucket, rate, 100, kStart), 2000u);
  EXPECT_FALSE(bucket.is_unused());
  EXPECT_FALSE(bucket.is_full(kStart + 1999ms));
  EXPECT_EQ(taken(bucket, rate, 100, kStart + 500ms), 500u);
  EXPECT_TRUE(bucket.is_full(kStart + 10s));
  EXPECT_EQ(taken(bucket, rate, 100, kStart + 3600s), 2000u) << "no more than full";
}

TEST(TokenBucket, WhatIsLargerThanTheBurstPassesAndIsPaidFor) {
  const TokenRate rate{10};
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, rate, 1500, kStart), 1500u);
  EXPECT_FALSE(bucket.has_tokens(rate, kStart + 149s));
  EXPECT_TRUE(bucket.has_tokens(rate, kStart + 150s));
}

TEST(TokenBucket, ZeroIsNoLimitAndTheRateMayChange) {
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, {}, 65535, kStart), 65'535'000u);
  EXPECT_TRUE(bucket.is_unused());
  EXPECT_EQ(taken(bucket, {10}, 10, kStart), 10u);
  EXPECT_TRUE(bucket.has_tokens({}, kStart));
  EXPECT_EQ(taken(bucket, {100'000'000}, 1'000'000, kStart + 1s), 100'000'000u);
}

}  // namespace
}  // namespace causeway
