// SPDX-License-Identifier: Apache-2.0
// How many answers a stranger gets: whoever has not proved its address over UDP may be a forged source.
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

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

TEST(AnswerBudgetTest, StreamsOfASourceTakeTurnsWhichUdpDoesNotSpend) {
  TurnScript script;
  script.options.limits.unauthenticated_answers_per_second_max = 1;
  TurnClient over_udp{script, at("198.51.100.7", 1)};
  for (int i = 0; i < 10; ++i)
    over_udp.bare(Method::kBinding);
  const IpAddress source = at("198.51.100.7", 2).address;
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(script.server().take_stream_turn(source, script.now));
  EXPECT_FALSE(script.server().take_stream_turn(source, script.now));
  EXPECT_TRUE(script.server().take_stream_turn(at("198.51.100.8", 2).address, script.now));
  script.pass(1s);
  EXPECT_TRUE(script.server().take_stream_turn(source, script.now));
  EXPECT_FALSE(script.server().take_stream_turn(source, script.now));
}

}  // namespace
}  // namespace causeway::turn
