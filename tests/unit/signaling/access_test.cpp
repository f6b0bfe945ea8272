// SPDX-License-Identifier: Apache-2.0
// Tokens, roles, locks, the waiting room, and who is shown the door.
#include "causeway/signaling/access.hpp"

#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class AccessTest : public HubScript {
 protected:
  AccessTest() {
    tokens.known["host"] = {"u1", {}, "tea", Role::kModerator, {}};
    tokens.known["guest"] = {{}, {}, "te*", Role::kMember, {}};
    tokens.known["audience"] = {{}, {}, "*", Role::kListener, {}};
    tokens.known["few"] = {{}, {}, "tea", Role::kMember, 1};
  }
  void require_tokens() { tokens.tokens = TokenUse::kRequired; }
};

TEST_F(AccessTest, PatternsCoverRooms) {
  EXPECT_TRUE(covers("tea", "tea"));
  EXPECT_FALSE(covers("tea", "teapot"));
  EXPECT_FALSE(covers("tea", "te"));
  EXPECT_TRUE(covers("te*", "tea"));
  EXPECT_TRUE(covers("te*", "te"));
  EXPECT_FALSE(covers("te*", "t"));
  EXPECT_TRUE(covers("*", "anything"));
  EXPECT_FALSE(covers("", "tea"));
}

TEST_F(AccessTest, WithoutKeysATokenIsRefusedAndRoomsAreOpen) {
  const NoAccessTokens none;
  EXPECT_EQ(none.use(), TokenUse::kNone);
  EXPECT_EQ(none.verify("anything", now).error().code, ErrorCode::kBadToken);
  open("ada");
  EXPECT_EQ(join_with("ada", "nonsense"), Lines{"ada: error bad-token"});
  EXPECT_EQ(join("ada"), Lines{"ada: joined tea as ada* with"});
}

TEST_F(AccessTest, ATokenSaysTheRoomTheRoleAndTheUser) {
  require_tokens();
  open("ada");
  EXPECT_EQ(say("ada", Join{"tea", "ada"}, "1"), Lines{"ada: error token-required id=1"});
  EXPECT_EQ(join_with("ada", "expired"), Lines{"ada: error token-expired"});
  EXPECT_EQ(join_with("ada", "nonsense"), Lines{"ada: error bad-token"});
  EXPECT_EQ(join_with("ada", "host", "coffee"), Lines{"ada: error forbidden"});
  EXPECT_EQ(join_with("ada", "guest"), Lines{"ada: joined tea as ada with"})
      << "no moderator without a token that says so";
  open("bob");
  EXPECT_EQ(join_with("bob", "host"), (Lines{"bob: joined tea as bob*(u1) with ada", "ada: +bob*(u1) #1"}));
  EXPECT_EQ(close("bob", LeftReason::kLeft), Lines{"ada: -bob*(u1) left #2"}) << "and no successor";
}

TEST_F(AccessTest, ATokenMayNameItsBearer) {
  require_tokens();
  tokens.known["named"] = {{}, "ada", "tea", Role::kMember, {}};
  open("ada");
  EXPECT_EQ(say("ada", Join{"tea", "the queen", {}, "named"}), Lines{"ada: joined tea as ada with"});
}

TEST_F(AccessTest, OptionalTokensLetOthersInAsMembers) {
  tokens.tokens = TokenUse::kOptional;
  open("ada");
  EXPECT_EQ(join("ada"), Lines{"ada: joined tea as ada with"});
  open("bob");
  EXPECT_EQ(join_with("bob", "nonsense"), Lines{"bob: error bad-token"}) << "a bad one is worse than none";
  EXPECT_EQ(join_with("bob", "host"), (Lines{"bob: joined tea as bob*(u1) with ada", "ada: +bob*(u1) #1"}));
}

TEST_F(AccessTest, ATokenMayAskForASmallRoom) {
  require_tokens();
  open("ada");
  EXPECT_EQ(join_with("ada", "few"), Lines{"ada: joined tea as ada with"});
  open("bob");
  EXPECT_EQ(join_with("bob", "few"), Lines{"bob: error room-full"});
  EXPECT_EQ(join_with("bob", "guest").front(), "bob: joined tea as bob with ada");
}

TEST_F(AccessTest, ASessionWithBadTokensIsSlowedDown) {
  require_tokens();
  open("ada");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(join_with("ada", "nonsense"), Lines{"ada: error bad-token"});
  EXPECT_EQ(join_with("ada", "host"), Lines{"ada: error slow-down"}) << "not even looked at";
  open("eve");
  EXPECT_EQ(join_with("eve", "nonsense"), Lines{"eve: error bad-token"}) << "another session of the address";
  advance(1s);
  EXPECT_EQ(join_with("ada", "host"), Lines{"ada: joined tea as ada*(u1) with"});
}

// Behind one NAT or proxy.
TEST_F(AccessTest, BadTokensKeepNobodyElseOfTheAddressOut) {
  require_tokens();
  for (int session = 0; session < 5; ++session) {
    const std::string name = "eve" + std::to_string(session);
    open(name);
    for (int i = 0; i < 20; ++i)
      join_with(name, "nonsense");
  }
  open("ada");
  EXPECT_EQ(join_with("ada", "host"), Lines{"ada: joined tea as ada*(u1) with"});
}

TEST_F(AccessTest, GoodTokensAreNotSlowedDown) {
  require_tokens();
  open("ada");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(join_with("ada", "host").size(), 1U);
    say("ada", Leave{});
  }
  EXPECT_EQ(hub().counters().errors[ErrorCode::kSlowDown], 0U);
}

TEST_F(AccessTest, AMemberResumesWithoutAToken) {
  options.resume_grace = 30s;
  require_tokens();
  open("ada");
  join_with("ada", "host");
  const std::string resume_token = token;
  close("ada");
  EXPECT_EQ(resume("ada", resume_token, 0), (Lines{"ada: joined tea as ada*(u1) with received 0"}));
}

TEST_F(AccessTest, AListenerNegotiatesWithSingleMembersOnly) {
  require_tokens();
  open("ada");
  join_with("ada", "host");
  open("eve");
  EXPECT_EQ(join_with("eve", "audience").front(), "eve: joined tea as eve~ with ada*(u1)");
  EXPECT_EQ(offer_to("eve", "ada", "1"), Lines{"ada: offer from eve {sdp=1} #2"});
  EXPECT_EQ(offer("eve", "1"), Lines{"eve: error forbidden"});
  EXPECT_EQ(say("eve", Relay{RelayType::kMessage, member_id("ada"), {{"data", "1"}}}, "3"),
            Lines{"eve: error forbidden id=3"});
  EXPECT_EQ(say("eve", Kick{member_id("ada")}), Lines{"eve: error forbidden"});
}

TEST_F(AccessTest, PlainClientsBringTheirTokenInTheAddress) {
  require_tokens();
  EXPECT_EQ(open("ada", "tea"), Lines({"ada: fatal error token-required", "ada: [4007]"}));
  next_token = "nonsense";
  EXPECT_EQ(open("ada", "tea"), Lines({"ada: fatal error bad-token", "ada: [4007]"}));
  next_token = "host";
  EXPECT_THAT(open("ada", "tea"), IsEmpty());
  open("bob");
  EXPECT_EQ(offer("bob", "1"), Lines({"bob: fatal error token-required", "bob: [4007]"}))
      << "nor into the default room";
}

TEST_F(AccessTest, OnlyModeratorsModerate) {
  enter("ada");
  enter("bob");
  EXPECT_EQ(say("bob", Lock{RoomLock::kLocked}, "1"), Lines{"bob: error forbidden id=1"});
  EXPECT_EQ(say("bob", Kick{member_id("ada")}, "2"), Lines{"bob: error forbidden id=2"});
  EXPECT_EQ(say("bob", Admit{"x"}), Lines{"bob: error forbidden"});
  EXPECT_EQ(say("bob", Deny{"x"}), Lines{"bob: error forbidden"});
  open("eve");
  EXPECT_EQ(say("eve", Kick{member_id("ada")}), Lines{"eve: error not-joined"});
  EXPECT_EQ(say("ada", Admit{member_id("bob")}), Lines{"ada: error no-such-member"}) << "who is in does not wait";
  EXPECT_EQ(say("ada", Deny{"x"}, "5"), Lines{"ada: error no-such-member id=5"});
}

TEST_F(AccessTest, ALockedRoomTakesNobodyButModerators) {
  enter("ada");
  enter("bob");
  EXPECT_EQ(say("ada", Lock{RoomLock::kLocked}, "7"), (Lines{"ada: now locked id=7 #2", "bob: now locked #1"}));
  open("eve");
  EXPECT_EQ(join("eve"), Lines{"eve: error room-locked"});
  EXPECT_EQ(open("pat", "tea"), Lines({"pat: fatal error room-locked", "pat: [4007]"}));
  EXPECT_EQ(say("ada", Lock{RoomLock::kOpen}), (Lines{"ada: now open #3", "bob: now open #2"}));
  EXPECT_EQ(join("eve").front(), "eve: joined tea as eve with ada* bob");
}

TEST_F(AccessTest, ARoomWithoutAModeratorOpensToTheNextOne) {
  enter("ada");
  open("pat", "tea");
  say("ada", Lock{RoomLock::kLocked});
  close("ada", LeftReason::kLeft);
  open("eve");
  EXPECT_EQ(join("eve").front(), "eve: joined tea as eve* with pat locked");
}

TEST_F(AccessTest, ThoseWhoKnockAreLetInOrNot) {
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  open("bob");
  EXPECT_EQ(say("bob", Join{"tea", "bob"}, "1"), (Lines{"ada: knock of bob #2", "bob: waiting for tea id=1"}));
  EXPECT_EQ(join("bob"), Lines{"bob: error already-joined"});
  EXPECT_EQ(offer("bob", "1"), Lines{"bob: error not-joined"});
  open("eve");
  EXPECT_EQ(say("eve", Join{"tea", "eve"}, "2"), (Lines{"ada: knock of eve #3", "eve: waiting for tea id=2"}));
  EXPECT_EQ(hub().visitors(), 2U);
  EXPECT_EQ(say("ada", Admit{member_id("bob")}),
            (Lines{"ada: knock ended, admitted #4", "bob: joined tea as bob with ada* knock id=1", "ada: +bob #5"}));
  EXPECT_EQ(say("ada", Deny{member_id("eve")}), (Lines{"ada: knock ended, denied #6", "eve: error not-admitted id=2"}));
  EXPECT_EQ(hub().visitors(), 0U);
  EXPECT_EQ(say("eve", Join{"coffee", "eve"}), Lines{"eve: joined coffee as eve* with"});
  EXPECT_EQ(hub().counters().knocks[KnockEnd::kAdmitted], 1U);
  EXPECT_EQ(hub().counters().knocks[KnockEnd::kDenied], 1U);
}

TEST_F(AccessTest, AVisitorMayGiveUp) {
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  open("bob");
  join("bob");
  EXPECT_EQ(say("bob", Leave{}, "4"), (Lines{"bob: left id=4", "ada: knock ended, left #3"}));
  join("bob");
  EXPECT_EQ(close("bob"), Lines{"ada: knock ended, left #5"});
  open("eve");
  join("eve");
  EXPECT_EQ(end("eve", CloseReason::kTooBig), (Lines{"eve: bye stop too-big [1009]", "ada: knock ended, left #7"}));
  open("dan");
  join("dan");
  EXPECT_EQ(bad("dan", {ErrorCode::kNotJson, "no", {}}).back(), "ada: knock ended, left #9");
  EXPECT_EQ(hub().visitors(), 0U);
}

TEST_F(AccessTest, NobodyWaitsForever) {
  options.waiting_max = 60s;
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  open("bob");
  join("bob");
  EXPECT_THAT(advance(59s), IsEmpty());
  EXPECT_EQ(advance(1s),
            (Lines{"ada: knock ended, timed-out #3", "bob: error not-admitted", "bob: bye stop join-deadline [4000]"}));
}

TEST_F(AccessTest, OpeningTheRoomLetsInThoseForWhomThereIsRoom) {
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  for (const char* who : {"bob", "eve", "dan"}) {
    open(who);
    join(who);
  }
  const Lines opened = say("ada", Lock{RoomLock::kOpen});
  EXPECT_THAT(opened, testing::Contains("bob: joined tea as bob with ada*"));
  EXPECT_THAT(opened, testing::Contains("eve: joined tea as eve with ada* bob"));
  EXPECT_EQ(opened.back(), "dan: error room-full");
}

TEST_F(AccessTest, AFullRoomAdmitsNobody) {
  options.room_members_max = 2;
  enter("ada");
  enter("bob");
  say("ada", Lock{RoomLock::kKnock});
  open("eve");
  EXPECT_EQ(join("eve"), Lines{"eve: error room-full"});
  close("bob");
  EXPECT_EQ(join("eve").back(), "eve: waiting for tea");
  say("ada", Lock{RoomLock::kOpen});
  open("dan");
  EXPECT_EQ(join("dan"), Lines{"dan: error room-full"});
}

TEST_F(AccessTest, ModeratorsSeeWhoWaitsWhenTheyCome) {
  require_tokens();
  options.waiting_room = true;
  open("bob");
  EXPECT_EQ(join_with("bob", "guest"), Lines{"bob: waiting for tea"}) << "before anybody is there";
  EXPECT_EQ(hub().rooms(), 1U);
  open("ada");
  EXPECT_EQ(join_with("ada", "host"), (Lines{"ada: joined tea as ada*(u1) with knock", "ada: knock of bob #1"}));
  EXPECT_EQ(close("ada", LeftReason::kLeft), Lines{}) << "who waits goes on waiting";
  EXPECT_EQ(hub().rooms(), 1U);
  close("bob");
  EXPECT_EQ(hub().rooms(), 0U);
}

TEST_F(AccessTest, AWaitingRoomWithoutTokensHasItsFirstMemberForModerator) {
  options.waiting_room = true;
  open("ada");
  EXPECT_EQ(join("ada"), Lines{"ada: joined tea as ada* with knock"});
  open("bob");
  join("bob");
  EXPECT_EQ(say("ada", Leave{}), (Lines{"ada: left #2", "bob: error not-admitted"}));
  EXPECT_EQ(hub().rooms(), 0U);
  EXPECT_EQ(join("bob"), Lines{"bob: joined tea as bob* with knock"});
}

TEST_F(AccessTest, TheNextModeratorIsToldWhoWaits) {
  enter("ada");
  enter("bob");
  say("ada", Lock{RoomLock::kKnock});
  open("eve");
  join("eve");
  EXPECT_EQ(close("ada", LeftReason::kLeft),
            (Lines{"bob: -ada* left #2", "bob: role of bob moderator #3", "bob: knock of eve #4"}));
}

TEST_F(AccessTest, WaitersAreBounded) {
  options.room_visitors_max = 1;
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  open("bob");
  join("bob");
  open("eve");
  EXPECT_EQ(join("eve"), Lines{"eve: error room-full"});
}

TEST_F(AccessTest, KickedMeansGone) {
  options.resume_grace = 30s;
  enter("ada");
  enter("bob");
  enter("eve");
  EXPECT_EQ(say("ada", Kick{member_id("ada")}), Lines{"ada: error no-such-member"});
  EXPECT_EQ(say("ada", Kick{member_id("bob")}),
            (Lines{"bob: bye stop kicked [4006]", "ada: -bob kicked #3", "eve: -bob kicked #1"}));
  close("eve");
  EXPECT_EQ(hub().away(), 1U);
  EXPECT_EQ(say("ada", Kick{member_id("eve")}), Lines{"ada: -eve kicked #4"}) << "who is away as well";
  EXPECT_EQ(hub().away(), 0U);
  open("pat", "tea");
  EXPECT_EQ(say("ada", Kick{member_id("pat")}), (Lines{"pat: [4006]", "ada: -pat kicked #6"}));
}

TEST_F(AccessTest, AnAddressHasSoManyConnections) {
  options.sessions_per_address = 2;
  const auto from = [this](const char* text) { address = IpAddress::parse(text).value(); };
  from("2001:db8::1");
  EXPECT_EQ(open("ada"), Lines{"ada: welcome"});
  EXPECT_THAT(open("bob", "tea"), IsEmpty());
  from("2001:db8::2");
  EXPECT_EQ(open("eve"), (Lines{"eve: welcome", "eve: fatal error too-many-connections",
                                "eve: bye rejoin too-many-connections [4008]"}))
      << "of the same /64";
  EXPECT_EQ(open("pat", "tea"), (Lines{"pat: fatal error too-many-connections", "pat: [4008]"}));
  from("2001:db8:0:1::1");
  EXPECT_EQ(open("dan"), Lines{"dan: welcome"});
  from("2001:db8::3");
  close("bob");
  EXPECT_EQ(open("eve"), Lines{"eve: welcome"});
  close("ada");
  close("eve");
  EXPECT_EQ(open("ada"), Lines{"ada: welcome"});
  EXPECT_EQ(hub().counters().errors[ErrorCode::kTooManyConnections], 2U);
}

TEST_F(AccessTest, LoopbackHasALimitWhereProxiesTellWhoTheirClientsAre) {
  options.sessions_per_address = 1;
  options.limits_loopback = true;
  address = IpAddress::parse("127.0.0.1").value();
  open("ada");
  EXPECT_THAT(open("eve"), testing::Contains("eve: fatal error too-many-connections"));
}

TEST_F(AccessTest, LoopbackHasNoLimitOtherwise) {
  options.sessions_per_address = 1;
  for (const char* const loopback : {"127.0.0.1", "127.0.0.1", "::1", "::1"}) {
    address = IpAddress::parse(loopback).value();
    EXPECT_EQ(open(loopback), Lines{std::string(loopback) + ": welcome"});
  }
}

TEST_F(AccessTest, TheEndOfTheServerIsTheEndOfWaiting) {
  enter("ada");
  say("ada", Lock{RoomLock::kKnock});
  open("bob");
  join("bob");
  end_all();
  EXPECT_EQ(hub().visitors(), 0U);
  EXPECT_EQ(hub().rooms(), 0U);
}

}  // namespace
}  // namespace causeway::signaling
