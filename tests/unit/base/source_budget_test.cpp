// SPDX-License-Identifier: Apache-2.0
#include "causeway/base/source_budget.hpp"

#include <gtest/gtest.h>

#include "fake_time.hpp"

namespace causeway {
namespace {

using namespace std::chrono_literals;
using test::kStart;

int taken(SourceBudget& budget, std::string_view source, TimePoint now) {
  int count = 0;
  while (count < 100'000 && budget.take(IpAddress::parse(source).value(), now))
    ++count;
  return count;
}

TEST(SourceBudgetTest, AllowsABurstThenTheRate) {
  SourceBudget budget{10, 1};
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart), 50);
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart + 99ms), 0);
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart + 1s), 10);
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart + 3600s), 50);
}

TEST(SourceBudgetTest, TellsSourcesApartAndANetworkNot) {
  SourceBudget budget{1, 1};
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart), 5);
  EXPECT_EQ(taken(budget, "192.0.2.2", kStart), 5);
  EXPECT_EQ(taken(budget, "2001:db8:0:1::1", kStart), 5);
  EXPECT_EQ(taken(budget, "2001:db8:0:1:ffff::2", kStart), 0) << "the same /64";
  EXPECT_EQ(taken(budget, "2001:db8:0:2::1", kStart), 5);
}

TEST(SourceBudgetTest, AsksWithoutTaking) {
  SourceBudget budget{1, 1};
  const IpAddress source = IpAddress::parse("192.0.2.1").value();
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(budget.has_tokens(source, kStart));
  taken(budget, "192.0.2.1", kStart);
  EXPECT_FALSE(budget.has_tokens(source, kStart));
  EXPECT_TRUE(budget.has_tokens(source, kStart + 1s));
}

TEST(SourceBudgetTest, IsNoLimitAtZero) {
  SourceBudget budget{0, 1};
  EXPECT_EQ(taken(budget, "192.0.2.1", kStart), 100'000);
  EXPECT_TRUE(budget.has_tokens(IpAddress::parse("192.0.2.1").value(), kStart));
}

}  // namespace
}  // namespace causeway
