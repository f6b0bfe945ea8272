// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/fair_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace causeway {
namespace {

struct Thing : FairPool::Item {
  explicit Thing(std::string text) : name(std::move(text)) {}
  std::string name;
};

class FairPoolTest : public testing::Test {
 protected:
  Thing& add(const char* source, std::size_t amount, std::uint64_t group = 0) {
    Thing& thing = things_.emplace_back(source + std::string("#") + std::to_string(++numbers_[source]));
    pool.add(thing, IpAddress::parse(source).value(), group, amount);
    return thing;
  }
  // Removes what goes first.
  std::string take() {
    auto* thing = static_cast<Thing*>(pool.oldest_of_largest());
    if (thing == nullptr) return {};
    pool.remove(*thing);
    return thing->name;
  }

  FairPool pool{1};

 private:
  std::deque<Thing> things_;
  std::map<std::string, int> numbers_;
};

TEST_F(FairPoolTest, TheLargestHolderGivesItsOldestFirst) {
  add("192.0.2.1", 10);
  add("192.0.2.2", 6);
  add("192.0.2.2", 6);
  EXPECT_EQ(pool.amount(), 22U);
  EXPECT_EQ(take(), "192.0.2.2#1");
  EXPECT_EQ(take(), "192.0.2.1#1");
  EXPECT_EQ(take(), "192.0.2.2#2");
  EXPECT_EQ(take(), "");
  EXPECT_EQ(pool.amount(), 0U);
}

TEST_F(FairPoolTest, OfEqualHoldersTheOldestGivesFirst) {
  for (const char* source : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"})
    add(source, 1);
  EXPECT_EQ(take(), "192.0.2.1#1");
  EXPECT_EQ(take(), "192.0.2.2#1");
  EXPECT_EQ(take(), "2001:db8::1#1");
  EXPECT_EQ(take(), "192.0.2.3#1");
}

TEST_F(FairPoolTest, ManyPrefixesOfOneNetworkAreOneHolder) {
  add("192.0.2.1", 2);
  add("2001:db8:1:0101::1", 1);  // one /48, of which these three are one /56
  add("2001:db8:1:0102::1", 1);
  add("2001:db8:1:0103::1", 1);
  add("2001:db8:1:0201::1", 2);
  add("2001:db8:2::1", 2);
  EXPECT_EQ(take(), "2001:db8:1:0101::1#1") << "of the /48 with 5, the /56 with 3";
  EXPECT_EQ(take(), "2001:db8:1:0102::1#1") << "of two with 2, the one that was there first";
  EXPECT_EQ(take(), "2001:db8:1:0201::1#1");
  EXPECT_EQ(take(), "192.0.2.1#1");
}

TEST_F(FairPoolTest, WithinASourceTheLargestGroupGives) {
  add("2001:db8::1", 3, 1);
  add("2001:db8::2", 2, 2);
  add("2001:db8::3", 2, 2);
  EXPECT_EQ(take(), "2001:db8::2#1");
  EXPECT_EQ(take(), "2001:db8::1#1");
}

TEST_F(FairPoolTest, WhatGrowsCounts) {
  Thing& small = add("192.0.2.1", 1);
  add("192.0.2.2", 2);
  pool.grow(small, 2);
  EXPECT_EQ(small.amount(), 3U);
  EXPECT_EQ(take(), "192.0.2.1#1");
  EXPECT_FALSE(small.is_pooled());
  pool.remove(small);  // once more
  EXPECT_EQ(pool.amount(), 2U);
}

// A thousand addresses of one who wants all against somebody who holds little: the latter loses nothing.
TEST_F(FairPoolTest, WhoHoldsLittleLosesNothing) {
  constexpr std::size_t kMax = 500;
  Thing& honest = add("198.51.100.7", 3);
  for (int i = 0; i < 10'000; ++i) {
    add(("2001:db8:77:" + std::to_string(i % 1000) + "::1").c_str(), 1);
    while (pool.amount() > kMax)
      ASSERT_TRUE(take().starts_with("2001:db8:77:"));
  }
  EXPECT_TRUE(honest.is_pooled());
}

// Against a plain model: random additions and removals.
TEST_F(FairPoolTest, FindsTheLargestAfterAnySequence) {
  std::uint32_t state = 1;
  const auto below = [&state](std::uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  std::map<std::string, std::vector<Thing*>> held;
  for (int step = 0; step < 3000; ++step) {
    const std::string source = "192.0.2." + std::to_string(below(40));
    std::vector<Thing*>& of_source = held[source];
    if (below(2) == 0) {
      of_source.push_back(&add(source.c_str(), 1 + below(9)));
    } else if (!of_source.empty()) {
      const auto victim = of_source.begin() + below(static_cast<std::uint32_t>(of_source.size()));
      pool.remove(**victim);
      of_source.erase(victim);
    }
    std::size_t largest = 0;
    std::size_t all = 0;
    std::map<std::size_t, std::vector<Thing*>> by_amount;  // the oldest of each holder
    for (const auto& [name, things] : held) {
      std::size_t amount = 0;
      for (const Thing* thing : things)
        amount += thing->amount();
      if (!things.empty()) by_amount[amount].push_back(things.front());
      largest = std::max(largest, amount);
      all += amount;
    }
    ASSERT_EQ(pool.amount(), all);
    auto* first = static_cast<Thing*>(pool.oldest_of_largest());
    if (all == 0) {
      ASSERT_EQ(first, nullptr);
    } else {
      ASSERT_TRUE(std::ranges::count(by_amount[largest], first)) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace causeway
