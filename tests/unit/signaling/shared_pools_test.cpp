// SPDX-License-Identifier: Apache-2.0
// What all rooms share: whoever holds most of it gives first, and whoever holds little loses nothing.
#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

class SharedPools : public HubScript {
 protected:
  SharedPools() {
    options.sessions_max = 10'000;
    options.rooms_max = 10'000;
    options.room_members_max = 1000;
    options.resume_grace = 30s;
  }

  void from(const std::string& text) { address = IpAddress::parse(text).value(); }
  // Enters `room` as `who` and loses the connection at once; the result is its token.
  std::string enter_and_lose(const std::string& who, const std::string& room) {
    enter(who, room);
    close(who);
    return token;
  }
};

constexpr std::size_t kBig = 2000;

TEST_F(SharedPools, ABroadcastIsChargedOnce) {
  enter("ada");
  for (int i = 0; i < 100; ++i)
    enter_and_lose("m" + std::to_string(i), "tea");
  for (int i = 0; i < 100; ++i)
    say("ada", Ping{});
  const std::size_t before = hub().replay().bytes();
  offer("ada", std::string(kBig, '1'));
  const std::size_t taken = hub().replay().bytes() - before;
  EXPECT_GE(taken, kBig);
  EXPECT_LE(taken, kBig + 256 + 100 * ReplayPool::kReferenceBytes);
}

TEST_F(SharedPools, WhatIsKeptIsGivenBack) {
  enter("ada");
  const std::string bob = enter_and_lose("bob", "tea");
  enter_and_lose("eve", "tea");
  const std::size_t before = hub().replay().bytes();
  offer("ada", std::string(kBig, '1'));
  resume("bob", bob, 0);
  acknowledge("bob", 100);
  EXPECT_GT(hub().replay().bytes(), before + kBig) << "Eve has it still";
  advance(31s);
  say("bob", Leave{});
  say("ada", Leave{});
  EXPECT_EQ(hub().rooms(), 0U);
  EXPECT_EQ(hub().replay().bytes(), 0U);
}

// Two addresses with rooms full of members who are away, against the room of somebody else.
TEST_F(SharedPools, WhoFillsTheReplayPoolLosesItsOwnMessagesFirst) {
  options.replay.bytes_total_max = 60'000;
  from("198.51.100.7");
  enter("ada");
  const std::string bob = enter_and_lose("bob", "tea");
  offer("ada", "an offer");
  std::string mallory;
  for (const char* source : {"192.0.2.1", "2001:db8:66:1::1"}) {
    from(source);
    for (int room = 0; room < 10; ++room) {
      const std::string number = std::string(source) + std::to_string(room);
      enter("sender " + number, "room " + number);
      const std::string receiver = enter_and_lose("receiver " + number, "room " + number);
      if (mallory.empty()) mallory = receiver;
      for (int i = 0; i < 20; ++i)
        offer("sender " + number, std::string(kBig, '1'));
    }
  }
  EXPECT_LE(hub().replay().bytes(), 60'000U);
  EXPECT_GT(hub().replay().dropped(), 300U);
  from("198.51.100.7");
  EXPECT_EQ(resume("bob", bob, 0),
            (Lines{"bob: joined tea as bob with ada* received 0", "bob: offer from ada {sdp=an offer} #1"}));
  EXPECT_THAT(resume("receiver 192.0.2.10", mallory, 0, "room 192.0.2.10"),
              Contains(testing::StartsWith("receiver 192.0.2.10: gap of ")));
}

// All clients have one address (a proxy that nobody trusts): then the largest room pays.
TEST_F(SharedPools, WithinASourceTheLargestRoomLosesItsMessages) {
  options.replay.bytes_total_max = 20'000;
  enter("ada", "small");
  const std::string bob = enter_and_lose("bob", "small");
  offer("ada", "an offer");
  enter("mallory", "large");
  enter_and_lose("eve", "large");
  for (int i = 0; i < 50; ++i)
    offer("mallory", std::string(kBig, '1'));
  EXPECT_THAT(resume("bob", bob, 0, "small"), Not(Contains(testing::HasSubstr("gap"))));
}

TEST_F(SharedPools, WhatIsDroppedIsAGapAlsoInTheMiddle) {
  options.replay.bytes_total_max = 5000;
  from("192.0.2.1");
  enter("ada");
  from("192.0.2.2");
  enter("bob");
  const std::string eve = enter_and_lose("eve", "tea");
  offer("bob", "1");
  for (int i = 0; i < 3; ++i)
    offer("ada", std::string(kBig, '2'));  // her first ones are dropped, Bob's is not
  offer("bob", "3");
  const Lines back = resume("eve", eve, 0);
  EXPECT_EQ(back.at(1), "eve: gap of 3") << "what is before a hole is of no use";
  EXPECT_EQ(back.size(), 4U);
}

TEST_F(SharedPools, TheLongestAwayOfTheLargestNetworkIsLostWhenTooManyAreAway) {
  options.away_max = 3;
  from("198.51.100.7");
  enter("stays");
  const std::string ada = enter_and_lose("ada", "tea");
  from("2001:db8:66:1::1");
  enter("keeps", "lair");
  const std::string first = enter_and_lose("m1", "lair");
  from("2001:db8:66:2::1");
  enter_and_lose("m2", "lair");
  from("2001:db8:66:3::1");
  enter("m3", "lair");
  EXPECT_EQ(close("m3"), Lines{"keeps: -m1 lost #4"});
  EXPECT_EQ(hub().away(), 3U);
  EXPECT_EQ(hub().counters().away_evicted, 1U);
  EXPECT_EQ(resume("ada", ada, 0).at(0), "ada: joined tea as ada with stays* received 0");
  EXPECT_EQ(hub().away(), 2U);
}

TEST_F(SharedPools, ASessionWithoutARoomMakesWayForAnotherNetwork) {
  options.sessions_max = 3;
  from("192.0.2.1");
  open("m1");
  open("m2");
  from("198.51.100.7");
  enter("ada");
  EXPECT_EQ(hub().sessions(), 3U);
  EXPECT_EQ(open("bob").at(0), "bob: welcome") << "with one session against two";
  EXPECT_EQ(last.at(1).close, std::nullopt);
  EXPECT_EQ(hub().sessions(), 3U);
  EXPECT_EQ(hub().counters().closes[CloseReason::kServerFull], 1U);
  EXPECT_THAT(say("m1", Ping{}), IsEmpty()) << "forgotten";
  EXPECT_THAT(open("eve"), Contains("eve: fatal error server-full")) << "with two against one";
}

TEST_F(SharedPools, TheLastSessionsAreForThoseWhoHaveFew) {
  options.sessions_max = 800;
  from("192.0.2.1");
  for (int i = 0; i < 800; ++i)
    enter("m" + std::to_string(i), "lair " + std::to_string(i));
  EXPECT_EQ(hub().sessions(), 700U);
  from("198.51.100.7");
  enter("ada");
  EXPECT_EQ(hub().sessions(), 701U);
}

TEST_F(SharedPools, TheLastRoomsAreForThoseWhoHaveFew) {
  options.rooms_max = 80;
  from("2001:db8:66::1");
  for (int i = 0; i < 80; ++i) {
    from("2001:db8:66:" + std::to_string(i) + "::1");  // one /48
    enter("m" + std::to_string(i), "lair " + std::to_string(i));
  }
  EXPECT_EQ(hub().rooms(), 70U);
  from("198.51.100.7");
  enter("ada", "tea");
  EXPECT_EQ(hub().rooms(), 71U);
  say("m0", Leave{});
  EXPECT_EQ(hub().rooms(), 70U);
  say("ada", Leave{});
  from("2001:db8:66:1::1");
  open("again");
  join("again", "another");
  EXPECT_EQ(hub().rooms(), 70U) << "a room that has gone counts no more";
}

TEST_F(SharedPools, WhoKnocksManyTimesMakesWayForAnotherNetwork) {
  options.room_visitors_max = 3;
  from("198.51.100.7");
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  from("192.0.2.1");
  for (const char* who : {"m1", "m2", "m3"}) {
    open(who);
    join(who);
  }
  from("198.51.100.8");
  open("bob");
  EXPECT_THAT(join("bob"), Contains("bob: waiting for tea"));
  EXPECT_EQ(hub().visitors(), 3U);
  from("198.51.100.9");
  open("eve");
  EXPECT_THAT(join("eve"), Contains("eve: waiting for tea"));
  from("198.51.100.10");
  open("dan");
  EXPECT_EQ(join("dan"), Lines{"dan: error room-full"}) << "nobody has more than Dan would have";
}

// Many honest people behind one address, in one table with others.
TEST_F(SharedPools, TwoHundredBehindOneAddressAndOneNetworkComeAndComeBack) {
  for (const std::string network : {"198.51.100.7", "2001:db8:1:1::"}) {
    std::map<std::string, std::string> resume_tokens;
    for (int i = 0; i < 200; ++i) {
      from(network == "198.51.100.7" ? network : network + std::to_string(i + 1));
      const std::string who = network + "#" + std::to_string(i);
      const std::string room = network + " " + std::to_string(i / 4);
      resume_tokens[who] = enter_and_lose(who, room);
      offer_to(who, who, "nobody");
    }
    for (int i = 0; i < 200; ++i) {
      const std::string who = network + "#" + std::to_string(i);
      EXPECT_THAT(resume(who, resume_tokens[who], 0, network + " " + std::to_string(i / 4)),
                  Contains(testing::HasSubstr("received 0")));
    }
  }
  EXPECT_EQ(hub().sessions(), 400U);
  EXPECT_EQ(hub().rooms(), 100U);
  EXPECT_EQ(hub().counters().away_refused + hub().counters().away_evicted, 0U);
  EXPECT_EQ(hub().replay().dropped(), 0U);
}

}  // namespace
}  // namespace causeway::signaling
