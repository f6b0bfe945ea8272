// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/answer_budget.hpp"

#include <gtest/gtest.h>

#include "turn_script.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr TimePoint kStart = TimePoint{} + 1000s;

int answers(AnswerBudget& budget, std::string_view source, TimePoint now) {
  int count = 0;
  while (count < 100'000 && budget.take(ip(source), now))
    ++count;
  return count;
}

TEST(AnswerBudgetTest, AllowsABurstThenTheRate) {
  AnswerBudget budget{10, 1};
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart), 50);
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart + 99ms), 0);
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart + 1s), 10);
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart + 3600s), 50);
}

TEST(AnswerBudgetTest, TellsSourcesApartAndANetworkNot) {
  AnswerBudget budget{1, 1};
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart), 5);
  EXPECT_EQ(answers(budget, "192.0.2.2", kStart), 5);
  EXPECT_EQ(answers(budget, "2001:db8:0:1::1", kStart), 5);
  EXPECT_EQ(answers(budget, "2001:db8:0:1:ffff::2", kStart), 0) << "the same /64";
  EXPECT_EQ(answers(budget, "2001:db8:0:2::1", kStart), 5);
}

TEST(AnswerBudgetTest, IsNoLimitAtZero) {
  AnswerBudget budget{0, 1};
  EXPECT_EQ(answers(budget, "192.0.2.1", kStart), 100'000);
}

TEST(AnswerBudgetTest, StopsAnswersToStrangersOverUdpOnly) {
  TurnScript script;
  script.options.limits.unauthenticated_answers_per_second_max = 1;
  TurnClient known{script, at("198.51.100.7", 1)};
  EXPECT_TRUE(known.allocate().success());
  TurnClient stranger{script, at("198.51.100.7", 2)};
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(stranger.bare(Method::kBinding).reply);
  EXPECT_EQ(stranger.bare(Method::kBinding).drop, DropReason::kAnswerBudget);
  EXPECT_EQ(stranger.bare(Method::kAllocate, TurnClient::udp).drop, DropReason::kAnswerBudget);
  EXPECT_TRUE(known.bare(Method::kBinding).reply) << "its allocation proves its address";
  EXPECT_TRUE(known.refresh().success());
  TurnClient over_tcp{script, at("198.51.100.7", 3), at("192.0.2.10", 3478), Transport::kTcp};
  EXPECT_TRUE(over_tcp.bare(Method::kBinding).reply);
  script.pass(1s);
  EXPECT_TRUE(stranger.bare(Method::kBinding).reply);
}

}  // namespace
}  // namespace causeway::turn
