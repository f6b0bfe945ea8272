// SPDX-License-Identifier: Apache-2.0
// Clients that know nothing but offers, answers, candidates and `ready`, among themselves and with normal clients.
#include <gtest/gtest.h>

#include "hub_script.hpp"

namespace causeway::signaling {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

using PlainClientTest = HubScript;

TEST_F(PlainClientTest, TwoInANamedRoom) {
  EXPECT_THAT(open("ada", "x"), IsEmpty());
  EXPECT_EQ(open("bob", "x"), Lines{"ada: ready"});
  EXPECT_EQ(offer("ada", "1"), Lines{"bob: offer from ada {sdp=1}"});
  EXPECT_EQ(say("bob", Relay{RelayType::kAnswer, std::nullopt, {{"sdp", "2"}}}), Lines{"ada: answer from bob {sdp=2}"});
  EXPECT_EQ(offer_to("bob", "ada", "3"), Lines{"ada: offer from bob {sdp=3}"}) << "from can be answered with to";
  EXPECT_THAT(close("ada"), IsEmpty()) << "no presence for plain clients";
  EXPECT_EQ(hub().rooms(), 1U);
}

TEST_F(PlainClientTest, FirstMessageEntersTheRoomDefault) {
  EXPECT_EQ(open("ada"), Lines{"ada: welcome"});
  EXPECT_THAT(offer("ada", "1"), IsEmpty());
  open("bob");
  EXPECT_EQ(say("bob", Relay{RelayType::kCandidate, std::nullopt, {{"candidate", "\"\""}}}),
            (Lines{"ada: ready", "ada: candidate from bob {candidate=\"\"}"}));
  EXPECT_EQ(say("bob", Relay{RelayType::kAnswer, std::nullopt, {{"sdp", "2"}}}), Lines{"ada: answer from bob {sdp=2}"});
  open("eve");
  EXPECT_EQ(join("eve", "default"), (Lines{"eve: joined default as eve* with ada bob", "ada: ready", "bob: ready"}));
}

TEST_F(PlainClientTest, HasNoDeadlineAndIsPushedNoIceServers) {
  open("ada", "x");
  open("bob");
  offer("bob", "1");
  EXPECT_FALSE(hub().next_deadline());
  EXPECT_EQ(say("ada", IceRequest{}, "1"), Lines{"ada: ice id=1"}) << "an answer to its own request";
  EXPECT_FALSE(hub().next_deadline());
  EXPECT_EQ(say("ada", Ping{}), Lines{"ada: pong"});
}

TEST_F(PlainClientTest, MeetsNormalClients) {
  enter("ada");
  EXPECT_EQ(open("pat", "tea"), Lines{"ada: +pat #1"});
  open("bob");
  EXPECT_EQ(join("bob"), (Lines{"bob: joined tea as bob with ada* pat", "ada: +bob #2", "pat: ready"}));
  EXPECT_EQ(offer("ada", "1"), (Lines{"pat: offer from ada {sdp=1}", "bob: offer from ada {sdp=1} #1"}));
  EXPECT_EQ(last.at(0).message, last.at(1).message);
  EXPECT_EQ(offer_to("bob", "pat", "2"), Lines{"pat: offer from bob {sdp=2}"});
  EXPECT_EQ(offer("pat", "3"), (Lines{"ada: offer from pat {sdp=3} #3", "bob: offer from pat {sdp=3} #2"}));
  EXPECT_EQ(close("ada"), (Lines{"bob: -ada* lost #3", "bob: role of bob moderator #4"}))
      << "the longest-present member that is not plain";
  EXPECT_EQ(close("bob"), Lines{}) << "nobody left who would know what a role is";
  EXPECT_EQ(hub().rooms(), 1U);
  open("eve");
  EXPECT_EQ(join("eve"), (Lines{"eve: joined tea as eve* with pat", "pat: ready"}));
  EXPECT_EQ(close("pat", LeftReason::kLeft), Lines{"eve: -pat left #1"});
}

TEST_F(PlainClientTest, IsClosedWhenItCannotEnter) {
  for (const char* who : {"ada", "bob", "eve"})
    enter(who);
  EXPECT_EQ(open("pat", "tea"), (Lines{"pat: fatal error room-full", "pat: [4001]"}));
  EXPECT_EQ(open("pat", ""), (Lines{"pat: fatal error bad-room", "pat: [4003]"}));
  EXPECT_EQ(open("pat", "\xFF"), (Lines{"pat: fatal error bad-room", "pat: [4003]"}));
  enter("joe", "coffee");
  EXPECT_EQ(open("pat", "new"), (Lines{"pat: fatal error server-full", "pat: [4002]"}));
  open("pat");
  EXPECT_EQ(offer("pat", "1"), (Lines{"pat: fatal error server-full", "pat: [4002]"})) << "there is no room default";
  EXPECT_THAT(offer("pat", "1"), IsEmpty());
  EXPECT_EQ(hub().sessions(), 4U);
}

TEST_F(PlainClientTest, GetsErrorsButNoBye) {
  open("pat", "tea");
  EXPECT_EQ(say("pat", Join{"tea", "pat"}), Lines{"pat: error already-joined"});
  EXPECT_EQ(say("pat", Relay{RelayType::kOffer, "nobody", {{"sdp", "1"}}}), Lines{"pat: error no-such-member"});
  EXPECT_EQ(bad("pat", {ErrorCode::kNotJson, "No.", ""}), (Lines{"pat: fatal error not-json", "pat: [1007]"}));
}

TEST_F(PlainClientTest, MayLeaveAndBecomeANormalClient) {
  open("pat", "tea");
  EXPECT_EQ(say("pat", Leave{}, "1"), Lines{"pat: left id=1"});
  EXPECT_EQ(offer("pat", "1"), Lines{"pat: error not-joined"}) << "its first message was another";
  EXPECT_EQ(join("pat"), Lines{"pat: joined tea as pat* with"});
}

}  // namespace
}  // namespace causeway::signaling
