// SPDX-License-Identifier: Apache-2.0
// Normal clients: join, presence, relaying, leaving, roles, deadlines, limits.
#include "causeway/signaling/hub.hpp"

#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

using HubTest = HubScript;

TEST_F(HubTest, WelcomeComesFirstAndNamesTheLimits) {
  options.message_bytes_max = 1234;
  options.ping = 7s;
  EXPECT_EQ(open("ada"), Lines{"ada: welcome"});
  const auto& welcome = std::get<Welcome>(*last.at(0).message);
  EXPECT_EQ(welcome.message_bytes_max, 1234U);
  EXPECT_EQ(welcome.ping, 7s);
}

TEST_F(HubTest, RoomOfOne) {
  open("ada");
  EXPECT_EQ(say("ada", Join{"tea", "ada"}, "7"), Lines{"ada: joined tea as ada* with id=7"});
  EXPECT_THAT(offer("ada", "1"), IsEmpty());
  EXPECT_EQ(say("ada", Leave{}, "\"x\""), Lines{"ada: left id=\"x\" #1"});
  EXPECT_EQ(hub().rooms(), 0U);
  EXPECT_EQ(hub().sessions(), 1U);
}

TEST_F(HubTest, RoomOfTwo) {
  enter("ada");
  open("bob");
  EXPECT_EQ(join("bob"), (Lines{"bob: joined tea as bob with ada*", "ada: +bob #1"}));
  EXPECT_EQ(offer_to("ada", "bob", "\"v=0\""), Lines{"bob: offer from ada {sdp=\"v=0\"} #1"});
  EXPECT_EQ(say("bob", Relay{RelayType::kAnswer, member_id("ada"), {{"sdp", "\"v=0\""}}}),
            Lines{"ada: answer from bob {sdp=\"v=0\"} #2"});
  EXPECT_EQ(say("bob", Relay{RelayType::kCandidate, std::nullopt, {{"candidate", "null"}, {"candidates", "[]"}}}),
            Lines{"ada: candidate from bob {candidate=nullcandidates=[]} #3"});
  EXPECT_EQ(say("ada", Relay{RelayType::kMessage, std::nullopt, {{"data", "1e400"}}}),
            Lines{"bob: message from ada {data=1e400} #2"});
  EXPECT_EQ(say("ada", Leave{}), (Lines{"ada: left #4", "bob: -ada* left #3", "bob: role of bob moderator #4"}));
  EXPECT_EQ(hub().counters().opened, 2U);
  EXPECT_EQ(hub().counters().relayed[RelayType::kOffer], 1U);
  EXPECT_EQ(hub().counters().relayed[RelayType::kMessage], 1U);
}

TEST_F(HubTest, RoomOfThreeKeepsTheOrderAndSharesOneMessage) {
  enter("ada");
  enter("bob");
  open("eve");
  EXPECT_EQ(join("eve"), (Lines{"eve: joined tea as eve with ada* bob", "ada: +eve #2", "bob: +eve #1"}));
  EXPECT_EQ(last.at(1).message, last.at(2).message);
  EXPECT_EQ(offer("ada", "1"), (Lines{"bob: offer from ada {sdp=1} #2", "eve: offer from ada {sdp=1} #1"}));
  EXPECT_EQ(last.at(0).message, last.at(1).message) << "one object, however many receive it";
  EXPECT_EQ(offer_to("bob", "eve", "2"), Lines{"eve: offer from bob {sdp=2} #2"});
  EXPECT_EQ(close("bob"), (Lines{"ada: -bob lost #3", "eve: -bob lost #3"}));
}

TEST_F(HubTest, RoomsAreApart) {
  enter("ada", "tea");
  enter("bob", "coffee");
  EXPECT_THAT(offer("ada", "1"), IsEmpty());
  EXPECT_EQ(offer_to("ada", "bob", "1"), Lines{"ada: error no-such-member"});
}

TEST_F(HubTest, NobodyIsReachedByAnUnknownIdOrTheirOwn) {
  enter("ada");
  enter("bob");
  EXPECT_EQ(say("ada", Relay{RelayType::kOffer, "nobody", {{"sdp", "1"}}}, "5"),
            Lines{"ada: error no-such-member id=5"});
  EXPECT_EQ(offer_to("ada", "ada", "1"), Lines{"ada: error no-such-member"});
  close("bob");
  EXPECT_EQ(offer_to("ada", "bob", "1"), Lines{"ada: error no-such-member"});
  EXPECT_EQ(hub().counters().relayed[RelayType::kOffer], 0U);
}

TEST_F(HubTest, SuccessionFollowsTheOrderOfArrival) {
  for (const char* who : {"ada", "bob", "eve"})
    enter(who);
  EXPECT_EQ(close("ada", LeftReason::kLeft), (Lines{"bob: -ada* left #2", "eve: -ada* left #1",
                                                    "bob: role of bob moderator #3", "eve: role of bob moderator #2"}));
  EXPECT_EQ(close("eve"), Lines{"bob: -eve lost #4"}) << "no succession when the moderator stays";
  enter("ada");
  EXPECT_EQ(say("bob", Leave{}), (Lines{"bob: left #6", "ada: -bob* left #1", "ada: role of ada moderator #2"}));
}

TEST_F(HubTest, IdsOfMembersAndRoomsAreNeverUsedTwice) {
  enter("ada");
  enter("bob");
  say("ada", Leave{});
  join("ada");
  close("ada");
  close("bob");
  enter("eve");
  const std::set<std::string> distinct(ice_servers.asked.begin(), ice_servers.asked.end());
  EXPECT_EQ(distinct.size(), 4U);
  EXPECT_THAT(ice_servers.asked, ElementsAre("id00000000000001/id00000000000002", "id00000000000001/id00000000000003",
                                             "id00000000000001/id00000000000004", "id00000000000005/id00000000000006"));
}

TEST_F(HubTest, RequestsNeedARoom) {
  open("ada");
  EXPECT_EQ(say("ada", IceRequest{}, "1"), Lines{"ada: error not-joined id=1"});
  EXPECT_EQ(say("ada", Leave{}, "2"), Lines{"ada: error not-joined id=2"});
  EXPECT_EQ(offer("ada", "1"), Lines{"ada: error not-joined"}) << "not a first message: no plain client";
  EXPECT_EQ(say("ada", Ping{}, "3"), Lines{"ada: pong id=3"});
  join("ada");
  EXPECT_EQ(say("ada", Join{"other", "ada"}, "4"), Lines{"ada: error already-joined id=4"});
  EXPECT_EQ(say("ada", Ping{}), Lines{"ada: pong received 0"}) << "without seq";
}

TEST_F(HubTest, AMessageNeedsARoomEvenAsTheFirst) {
  open("ada");
  EXPECT_EQ(say("ada", Relay{RelayType::kMessage, std::nullopt, {{"data", "1"}}}), Lines{"ada: error not-joined"});
}

TEST_F(HubTest, LateCandidateAfterLeaveEntersNoRoom) {
  enter("ada");
  say("ada", Leave{});
  EXPECT_EQ(say("ada", Relay{RelayType::kCandidate, std::nullopt, {{"candidate", "1"}}}),
            Lines{"ada: error not-joined"});
  EXPECT_EQ(hub().rooms(), 0U);
}

TEST_F(HubTest, LeaveAllowsAnotherJoinWithinTheDeadline) {
  enter("ada");
  advance(60s);
  say("ada", Leave{});
  EXPECT_THAT(advance(9999ms), IsEmpty());
  EXPECT_EQ(join("ada", "coffee"), Lines{"ada: joined coffee as ada* with"});
  enter("bob", "coffee");
  EXPECT_EQ(offer("bob", "1"), Lines{"ada: offer from bob {sdp=1} #2"}) << "seq starts anew";
  say("ada", Leave{});
  EXPECT_EQ(advance(10s), Lines{"ada: bye stop join-deadline [4000]"});
}

TEST_F(HubTest, JoinDeadline) {
  open("ada");
  advance(4s);
  open("bob");
  EXPECT_EQ(*hub().next_deadline(), now.steady + 6s);
  EXPECT_THAT(advance(5999ms), IsEmpty());
  say("ada", Ping{});
  EXPECT_EQ(advance(1ms), Lines{"ada: bye stop join-deadline [4000]"});
  EXPECT_THAT(join("ada"), IsEmpty()) << "forgotten";
  join("bob");
  EXPECT_THAT(advance(10s), IsEmpty());
  EXPECT_EQ(hub().sessions(), 1U);
  EXPECT_EQ(hub().counters().closes[CloseReason::kJoinDeadline], 1U);
}

TEST_F(HubTest, RoomIsFull) {
  for (const char* who : {"ada", "bob", "eve"})
    enter(who);
  open("joe");
  EXPECT_EQ(say("joe", Join{"tea", "joe"}, "1"), Lines{"joe: error room-full id=1"});
  close("bob");
  EXPECT_EQ(join("joe").at(0), "joe: joined tea as joe with ada* eve");
}

TEST_F(HubTest, RoomsAreLimited) {
  enter("ada", "one");
  enter("bob", "two");
  open("eve");
  EXPECT_EQ(join("eve", "three"), Lines{"eve: error server-full"});
  EXPECT_EQ(join("eve", "two").at(0), "eve: joined two as eve with bob*");
}

TEST_F(HubTest, SessionsAreLimited) {
  for (const char* who : {"a", "b", "c", "d", "e", "f"})
    open(who);
  EXPECT_EQ(open("g"), (Lines{"g: welcome", "g: fatal error server-full", "g: bye rejoin server-full [4002]"}));
  EXPECT_THAT(join("g"), IsEmpty());
  close("a");
  EXPECT_EQ(open("g"), Lines{"g: welcome"});
}

TEST_F(HubTest, NamesAreChecked) {
  open("ada");
  EXPECT_EQ(join("ada", ""), Lines{"ada: error bad-room"});
  EXPECT_EQ(join("ada", "a\nb"), Lines{"ada: error bad-room"});
  EXPECT_EQ(join("ada", "a\u202Eb"), Lines{"ada: error bad-room"});
  EXPECT_EQ(say("ada", Join{"tea", "a\u2066b"}), Lines{"ada: error bad-name"});
  EXPECT_EQ(say("ada", Join{"tea", std::string(129, 'x')}), Lines{"ada: error bad-name"});
  EXPECT_EQ(hub().rooms(), 0U);
  EXPECT_EQ(say("ada", Join{"tea", ""}), Lines{"ada: joined tea as ada* with"}) << "no name is fine";
}

TEST_F(HubTest, IceServersAreMintedForTheMemberAndPushedInTime) {
  enter("ada");
  EXPECT_EQ(ice_servers.hosts, Lines{"https://call.example.org"});
  EXPECT_EQ(*hub().next_deadline(), now.steady + 800s);
  EXPECT_THAT(advance(799s), IsEmpty());
  EXPECT_EQ(say("ada", IceRequest{}, "1"), Lines{"ada: ice id=1 #1"});
  EXPECT_THAT(advance(799s), IsEmpty()) << "a request puts the push off";
  EXPECT_EQ(advance(1s), Lines{"ada: ice #2"});
  EXPECT_EQ(std::get<Ice>(*last.at(0).message).ice.servers.at(0).username, "id00000000000001/id00000000000002");
  EXPECT_EQ(advance(800s), Lines{"ada: ice #3"});
  say("ada", Leave{});
  EXPECT_EQ(advance(800s), Lines{"ada: bye stop join-deadline [4000]"});
}

TEST_F(HubTest, CredentialsThatDoNotExpireAreNotPushed) {
  ice_servers.ttl = 0s;
  enter("ada");
  EXPECT_FALSE(hub().next_deadline());
}

TEST_F(HubTest, BadMessagesAreAnsweredAndOnlyNotJsonIsFatal) {
  enter("ada");
  enter("bob");
  EXPECT_EQ(bad("ada", {ErrorCode::kBadMessage, "No.", "7"}), Lines{"ada: error bad-message id=7"});
  EXPECT_EQ(bad("ada", {ErrorCode::kUnknownType, "No.", ""}), Lines{"ada: error unknown-type"});
  EXPECT_EQ(bad("ada", {ErrorCode::kNotJson, "No.", ""}),
            (Lines{"ada: fatal error not-json", "ada: bye stop not-json [1007]", "bob: -ada* lost #1",
                   "bob: role of bob moderator #2"}));
  EXPECT_THAT(bad("ada", {ErrorCode::kBadMessage, "No.", ""}), IsEmpty());
  EXPECT_EQ(hub().counters().errors[ErrorCode::kBadMessage], 1U);
}

TEST_F(HubTest, TheEdgeEndsASession) {
  enter("ada");
  enter("bob");
  enter("eve");
  EXPECT_EQ(end("bob", CloseReason::kSlowReader),
            (Lines{"bob: bye resume slow-reader [4004]", "ada: -bob lost #3", "eve: -bob lost #1"}));
  EXPECT_EQ(end("eve", CloseReason::kNotText), (Lines{"eve: bye stop not-text [1003]", "ada: -eve lost #4"}));
  EXPECT_EQ(end("ada", CloseReason::kTooBig), Lines{"ada: bye stop too-big [1009]"});
  EXPECT_THAT(end("ada", CloseReason::kTooBig), IsEmpty());
  EXPECT_THAT(close("ada"), IsEmpty());
  EXPECT_EQ(hub().sessions() + hub().rooms(), 0U);
  EXPECT_FALSE(hub().next_deadline());
}

TEST_F(HubTest, TheServerStops) {
  enter("ada");
  open("bob");
  open("eve", "tea");
  EXPECT_THAT(end_all(), testing::UnorderedElementsAre("ada: bye rejoin going-away [1001]",
                                                       "bob: bye rejoin going-away [1001]", "eve: [1001]"));
  EXPECT_EQ(hub().sessions() + hub().rooms(), 0U);
  EXPECT_FALSE(hub().next_deadline());
  EXPECT_EQ(hub().counters().left[LeftReason::kLost], 2U);
}

}  // namespace
}  // namespace causeway::signaling
