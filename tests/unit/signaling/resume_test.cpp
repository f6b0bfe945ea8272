// SPDX-License-Identifier: Apache-2.0
// Members who lose their connection and come back: nothing lost, nothing twice, or an explicit gap.
#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Resume : public HubScript {
 protected:
  Resume() { options.resume_grace = 30s; }

  // Ada and Bob in one room; the result is Bob's token.
  std::string two() {
    enter("ada");
    enter("bob");
    return token;
  }
};

TEST_F(Resume, AMemberWhoComesBackInTimeMissesNothingAndSeesNothingTwice) {
  const std::string bob = two();
  offer("ada", "1");
  offer("ada", "2");
  EXPECT_THAT(close("bob"), IsEmpty()) << "nobody is told of a short absence";
  EXPECT_THAT(offer_to("ada", "bob", "3"), IsEmpty());
  EXPECT_EQ(hub().away(), 1U);
  now.steady += 29s;
  EXPECT_EQ(resume("bob", bob, 1), (Lines{"bob: joined tea as bob with ada* received 0",
                                          "bob: offer from ada {sdp=2} #2", "bob: offer from ada {sdp=3} #3"}));
  EXPECT_EQ(hub().away(), 0U);
  EXPECT_EQ(offer("ada", "4"), Lines{"bob: offer from ada {sdp=4} #4"});
  EXPECT_EQ(offer("bob", "5"), Lines{"ada: offer from bob {sdp=5} #2"}) << "the same member as before";
  EXPECT_EQ(hub().counters().resumed, 1U);
  EXPECT_EQ(hub().counters().gaps, 0U);
}

TEST_F(Resume, TheClientLearnsHowManyOfItsMessagesWereTaken) {
  const std::string bob = two();
  offer("bob", "1");
  offer_to("bob", "nobody", "2");
  say("bob", Ping{});
  close("bob");
  EXPECT_EQ(resume("bob", bob, 0), Lines{"bob: joined tea as bob with ada* received 2"});
}

TEST_F(Resume, WhoDoesNotComeBackInTimeIsLost) {
  const std::string bob = two();
  close("bob");
  EXPECT_THAT(advance(29999ms), IsEmpty());
  EXPECT_EQ(advance(1ms), Lines{"ada: -bob lost #2"});
  EXPECT_EQ(hub().away(), 0U);
  const Lines anew = resume("bob", bob, 0);
  EXPECT_EQ(anew, (Lines{"bob: joined tea as bob with ada*", "ada: +bob #3"})) << "as a new member";
  EXPECT_EQ(hub().counters().resumes_failed, 1U);
}

TEST_F(Resume, ARoomLivesOnWhileAllOfItsMembersAreAway) {
  const std::string bob = two();
  close("ada");
  close("bob");
  EXPECT_EQ(hub().rooms(), 1U);
  EXPECT_EQ(resume("bob", bob, 0), Lines{"bob: joined tea as bob with ada* received 0"});
  EXPECT_EQ(advance(30s), (Lines{"bob: -ada* lost #1", "bob: role of bob moderator #2"}));
  close("bob");
  advance(30s);
  EXPECT_EQ(hub().rooms(), 0U);
}

TEST_F(Resume, ANewConnectionReplacesOneThatIsHalfDead) {
  const std::string bob = two();
  offer("ada", "1");
  EXPECT_EQ(resume("bob", bob, 0).size(), 3U);
  ASSERT_EQ(last.size(), 3U);
  EXPECT_EQ(last[0].close, CloseReason::kReplaced);
  EXPECT_NE(last[0].receiver, last[1].receiver);
  EXPECT_EQ(std::get<Bye>(*last[0].message).action, ByeAction::kStop) << "the old connection must not fight back";
  EXPECT_THAT(lines(hub().on_close(last[0].receiver, LeftReason::kLost, now)), IsEmpty());
  EXPECT_EQ(offer("ada", "2"), Lines{"bob: offer from ada {sdp=2} #2"});
  EXPECT_EQ(hub().sessions(), 2U);
}

TEST_F(Resume, ATokenIsGoodOnce) {
  const std::string first = two();
  close("bob");
  resume("bob", first, 0);
  const std::string second = token;
  EXPECT_NE(first, second);
  close("bob");
  // The reply with the second token may have been lost on its way.
  EXPECT_EQ(resume("bob", first, 0).at(0), "bob: joined tea as bob with ada* received 0");
  const std::string third = token;
  offer("bob", "1");  // now it is certain that Bob has the third
  close("bob");
  EXPECT_EQ(resume("bob", first, 0).at(0), "bob: joined tea as bob with ada* bob") << "another Bob";
  EXPECT_EQ(hub().counters().resumes_failed, 1U);
  open("bob");
  EXPECT_EQ(say("bob", Join{"tea", "bob", ResumeRequest{third, 0}}).at(0),
            "bob: joined tea as bob with ada* bob received 1");
}

TEST_F(Resume, AWrongTokenTakesNobodysPlace) {
  const std::string bob = two();
  std::string wrong = bob;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  for (const std::string& attempt : {wrong, std::string{}, bob.substr(0, 16), bob.substr(0, 31), bob + "A"}) {
    EXPECT_EQ(resume("eve", attempt, 0).at(0), "eve: joined tea as eve with ada* bob") << attempt;
    say("eve", Leave{});
    close("eve", LeftReason::kLeft);
  }
  EXPECT_EQ(resume("eve", bob, 0, "coffee").at(0), "eve: joined coffee as eve* with") << "the token of another room";
}

TEST_F(Resume, WhoLeavesInOrderIsGone) {
  const std::string bob = two();
  EXPECT_EQ(close("bob", LeftReason::kLeft), Lines{"ada: -bob left #2"});
  EXPECT_EQ(hub().away(), 0U);
}

TEST_F(Resume, WhoBreaksTheRulesIsGone) {
  two();
  EXPECT_EQ(end("bob", CloseReason::kTooBig), (Lines{"bob: bye stop too-big [1009]", "ada: -bob lost #2"}));
}

TEST_F(Resume, ASlowReaderMayResume) {
  const std::string bob = two();
  offer("ada", "1");
  EXPECT_EQ(end("bob", CloseReason::kSlowReader), Lines{"bob: bye resume slow-reader [4004]"});
  EXPECT_EQ(resume("bob", bob, 0),
            (Lines{"bob: joined tea as bob with ada* received 0", "bob: offer from ada {sdp=1} #1"}));
}

TEST_F(Resume, WhatTheBufferCannotHoldIsAGap) {
  options.replay.messages_max = 2;
  const std::string bob = two();
  for (const char* sdp : {"1", "2", "3", "4"})
    offer("ada", sdp);
  close("bob");
  EXPECT_EQ(resume("bob", bob, 1), (Lines{"bob: joined tea as bob with ada* received 0", "bob: gap of 1",
                                          "bob: offer from ada {sdp=3} #3", "bob: offer from ada {sdp=4} #4"}));
  EXPECT_EQ(hub().counters().gaps, 1U);
}

TEST_F(Resume, TheBufferIsBoundedInBytes) {
  options.replay.bytes_max = 3000;
  const std::string bob = two();
  const std::string big(2000, '1');
  offer("ada", big);
  offer("ada", big);  // 2256 octets each with the envelope: Bob's first one has to go
  close("bob");
  const Lines back = resume("bob", bob, 0);
  EXPECT_EQ(back.at(1), "bob: gap of 1");
  EXPECT_EQ(back.size(), 3U);
}

TEST_F(Resume, WhatHasArrivedIsNotKept) {
  options.replay.messages_max = 2;
  const std::string bob = two();
  offer("ada", "1");
  offer("ada", "2");
  acknowledge("bob", 2);
  offer("ada", "3");
  offer("ada", "4");
  close("bob");
  EXPECT_EQ(resume("bob", bob, 2).size(), 3U) << "without a gap";
  acknowledge("bob", 1000);
  offer("ada", "5");
  const std::string again = token;
  close("bob");
  EXPECT_EQ(resume("bob", again, 4),
            (Lines{"bob: joined tea as bob with ada* received 0", "bob: offer from ada {sdp=5} #5"}));
}

TEST_F(Resume, ASequenceFromTheFutureBringsNothing) {
  const std::string bob = two();
  offer("ada", "1");
  close("bob");
  EXPECT_EQ(resume("bob", bob, ~std::uint64_t{0}), Lines{"bob: joined tea as bob with ada* received 0"});
}

TEST_F(Resume, CredentialsAreDoneWithWhenTheMemberHasGoneForGood) {
  const std::string bob = two();  // ada asked first
  const Lines asked = ice_servers.asked;
  close("bob");
  resume("bob", bob, 0);
  EXPECT_EQ(ice_servers.departed, Lines{}) << "away and back";
  close("bob");
  advance(60s);
  EXPECT_EQ(ice_servers.departed, Lines{asked[1]});
  say("ada", Leave{});
  EXPECT_EQ(ice_servers.departed, (Lines{asked[1], asked[0]}));
}

TEST_F(Resume, NoMoreThanSoManyOfAnAddressAreAway) {
  options.sessions_per_address = 1;
  const auto from = [this](const char* text) { address = IpAddress::parse(text).value(); };
  from("192.0.2.1");
  enter("ada");
  const std::string ada = token;
  close("ada");
  enter("bob");
  close("bob");
  EXPECT_EQ(hub().away(), 1U) << "Bob has the same address";
  EXPECT_EQ(hub().counters().away_refused, 1U);

  from("192.0.2.2");
  enter("eve");
  close("eve");
  EXPECT_EQ(hub().away(), 2U);
  resume("ada", ada, 0);  // from there
  from("192.0.2.1");
  enter("bob");
  close("bob");
  EXPECT_EQ(hub().away(), 2U) << "who has come back is not counted any more";
  advance(60s);
  enter("bob");
  close("bob");
  EXPECT_EQ(hub().away(), 1U) << "nor is who has gone";
  EXPECT_EQ(hub().counters().away_refused, 1U);
}

TEST_F(Resume, PlainClientsHaveNoPlaceKept) {
  enter("ada");
  open("pip", "tea");
  EXPECT_EQ(close("pip"), Lines{"ada: -pip lost #2"});
}

TEST_F(Resume, CredentialsAreRenewedForWhoIsThereOnly) {
  const std::string bob = two();  // their life is 1000 s
  options.resume_grace = 30s;
  close("bob");
  resume("bob", bob, 0);
  EXPECT_EQ(advance(800s), (Lines{"ada: ice #2", "bob: ice #1"}));
  close("ada");
  close("bob");
  advance(30s);
  EXPECT_EQ(hub().next_deadline(), std::nullopt);
}

TEST_F(Resume, EverythingEndsWithTheServer) {
  two();
  close("bob");
  EXPECT_EQ(end_all(), Lines{"ada: bye rejoin going-away [1001]"});
  EXPECT_EQ(hub().away(), 0U);
  EXPECT_EQ(hub().next_deadline(), std::nullopt);
}

// Random sequences: whatever breaks when, each receiver gets each message once and in order, or is told of the gap.
TEST_F(Resume, NothingIsLostOrDoubledWhereverTheConnectionBreaks) {
  options.replay.messages_max = 8;
  std::uint32_t state = 1;
  const auto below = [&state](std::uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  std::string bob = two();
  std::uint64_t seen = 0;       // by Bob's client
  std::uint64_t sent = 0;       // to Bob
  std::uint64_t accounted = 0;  // seen by Bob, or reported missing
  bool connected = true;
  const auto receive = [&](std::size_t deliveries_that_arrive) {
    for (const Delivery& delivery : last) {
      if (!delivery.message || deliveries_that_arrive == 0) continue;
      if (const auto* gap = std::get_if<Gap>(delivery.message.get())) {
        accounted += gap->missing;
        seen += gap->missing;
      }
      const auto* relayed = std::get_if<Relayed>(delivery.message.get());
      if (relayed == nullptr) continue;
      --deliveries_that_arrive;
      ASSERT_EQ(delivery.seq, seen + 1) << "in order, nothing twice, nothing left out";
      seen = *delivery.seq;
      ++accounted;
    }
  };
  for (int step = 0; step < 20'000; ++step) {
    switch (below(4)) {
      case 0:
      case 1:
        offer_to("ada", "bob", std::to_string(++sent));
        if (connected) receive(below(8) == 0 ? 0 : 1);  // now and then it is on its way when the connection breaks
        if (connected && seen < sent) {
          close("bob");
          connected = false;
        }
        break;
      case 2:
        if (connected) close("bob");
        connected = false;
        now.steady += std::chrono::milliseconds(below(1000));
        break;
      default:
        if (connected && below(2) == 0) {
          acknowledge("bob", seen);
          break;
        }
        resume("bob", bob, seen);
        bob = token;
        connected = true;
        receive(~std::size_t{0});
    }
  }
  resume("bob", bob, seen);
  receive(~std::size_t{0});
  EXPECT_EQ(accounted, sent);
  EXPECT_GT(hub().counters().gaps, 0U);
}

}  // namespace
}  // namespace causeway::signaling
