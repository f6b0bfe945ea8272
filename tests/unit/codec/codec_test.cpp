// SPDX-License-Identifier: Apache-2.0
#include "signaling/codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace causeway::signaling {
namespace {

BadMessage bad(std::string_view text) {
  auto message = parse_client_message(text);
  EXPECT_FALSE(message.has_value()) << text;
  return message ? BadMessage{ErrorCode::kServerFull, "", ""} : message.error();
}

ClientMessage good(std::string_view text) {
  auto message = parse_client_message(text);
  if (!message) throw std::runtime_error(message.error().message);
  return *message;
}

template <class Body>
Body body(std::string_view text) {
  return std::get<Body>(good(text).body);
}

// What the receiver of a relayed message gets to read.
std::string relayed(std::string_view text) {
  const Relay relay = body<Relay>(text);
  Relayed out{relay.type, "id", {}};
  for (const RelayedValueView& value : relay.values)
    out.values.push_back({value.name, std::string(value.value)});
  return write_server_message(out);
}

TEST(ParseClientMessage, Join) {
  const Join join = body<Join>(R"({"type":"join","room":"t\u00e9a","name":"Ada","token":"x.y.z","other":{},"id":7})");
  EXPECT_EQ(join.room, "téa");
  EXPECT_EQ(join.name, "Ada");
  EXPECT_EQ(join.token, "x.y.z");
  EXPECT_FALSE(body<Join>(R"({"type":"join","room":"tea","token":null})").token);
  EXPECT_EQ(body<Join>(R"({"type":"join","room":"tea"})").name, "");
  EXPECT_EQ(body<Join>(R"({"type":"join","room":"tea","name":null})").name, "");
}

TEST(ParseClientMessage, RequestsWithoutMembers) {
  EXPECT_NO_THROW(body<IceRequest>(R"({"type":"ice"})"));
  EXPECT_NO_THROW(body<Leave>(R"({"type":"leave"})"));
  EXPECT_NO_THROW(body<Ping>(R"({"\u0074ype":"p\u0069ng","more":[1]})"));
}

TEST(ParseClientMessage, Moderation) {
  EXPECT_EQ(body<Lock>(R"({"type":"lock","locked":true})").lock, RoomLock::kLocked);
  EXPECT_EQ(body<Lock>(R"({"type":"lock","locked":true,"knock":true})").lock, RoomLock::kKnock);
  EXPECT_EQ(body<Lock>(R"({"type":"lock","locked":false,"knock":true})").lock, RoomLock::kOpen);
  EXPECT_EQ(body<Kick>(R"({"type":"kick","member":"a"})").member, "a");
  EXPECT_EQ(body<Admit>(R"({"type":"admit","member":"b"})").member, "b");
  EXPECT_EQ(body<Deny>(R"({"type":"deny","member":"c"})").member, "c");
}

TEST(ParseClientMessage, Relay) {
  const Relay to_all = body<Relay>(R"({"type":"offer","sdp":"v=0"})");
  EXPECT_EQ(to_all.type, RelayType::kOffer);
  EXPECT_FALSE(to_all.to);
  EXPECT_FALSE(body<Relay>(R"({"type":"answer","to":null,"sdp":"v=0"})").to);
  const Relay to_one = body<Relay>(R"({"type":"candidate","to":"abc","candidates":[1]})");
  EXPECT_EQ(to_one.type, RelayType::kCandidate);
  EXPECT_EQ(to_one.to, "abc");
  EXPECT_EQ(body<Relay>(R"({"type":"message","data":1})").type, RelayType::kMessage);
}

TEST(ParseClientMessage, IdIsKeptAsItCame) {
  for (const char* id : {"7", "-0.50", "1e400", "\"\\u0061\"", "\"\""}) {
    const std::string text = R"({"type":"ping","id":)" + std::string(id) + "}";
    EXPECT_EQ(good(text).id, id);
  }
  EXPECT_EQ(good(R"({"type":"ping","id":null})").id, "");
  for (const char* id : {"true", "[]", "{}"}) {
    EXPECT_EQ(bad(R"({"type":"ping","id":)" + std::string(id) + "}").code, ErrorCode::kBadMessage);
  }
}

TEST(ParseClientMessage, NobodySpeaksInAnothersName) {
  for (const char* member : {R"("from":"x")", R"("seq":1)", R"("from":null)", R"("fr\u006fm":"x")"}) {
    const BadMessage refused = bad(R"({"type":"message","data":1,"id":5,)" + std::string(member) + "}");
    EXPECT_EQ(refused.code, ErrorCode::kBadMessage);
    EXPECT_EQ(refused.id, "5");
  }
  EXPECT_NO_THROW(body<Relay>(R"({"type":"message","data":{"from":"x","seq":1}})"));
}

TEST(ParseClientMessage, BadMessages) {
  for (const char* text : {R"([])",
                           R"("join")",
                           R"({})",
                           R"({"type":1})",
                           R"({"type":null})",
                           R"({"type":"join"})",
                           R"({"type":"join","room":1})",
                           R"({"type":"join","room":null})",
                           R"({"type":"join","room":"a","name":{}})",
                           R"({"type":"join","room":"a","token":1})",
                           R"({"type":"lock"})",
                           R"({"type":"lock","locked":1})",
                           R"({"type":"lock","locked":true,"knock":"no"})",
                           R"({"type":"kick"})",
                           R"({"type":"admit","member":1})",
                           R"({"type":"offer"})",
                           R"({"type":"offer","to":1,"sdp":""})",
                           R"({"type":"candidate","sdp":""})",
                           R"({"type":"message"})",
                           R"({"type":"ping","type":"ping"})",
                           R"({"type":"message","data":"\ud83d"})"}) {
    const BadMessage refused = bad(text);
    EXPECT_EQ(refused.code, ErrorCode::kBadMessage) << text;
    EXPECT_FALSE(refused.message.empty());
  }
  EXPECT_EQ(bad(R"({"type":"message","data":)" + std::string(32, '[') + std::string(32, ']') + "}").code,
            ErrorCode::kBadMessage);
  std::string many = R"({"type":"ping")";
  for (int i = 0; i < 40; ++i)
    many += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(bad(many + "}").code, ErrorCode::kBadMessage);
}

TEST(ParseClientMessage, JoinWithResume) {
  const auto message = parse_client_message(R"({"type":"join","room":"tea","resume":{"token":"abc","seq":7}})");
  ASSERT_TRUE(message);
  const auto& join = std::get<Join>(message->body);
  ASSERT_TRUE(join.resume);
  EXPECT_EQ(join.resume->token, "abc");
  EXPECT_EQ(join.resume->seq, 7U);
  EXPECT_FALSE(std::get<Join>(parse_client_message(R"({"type":"join","room":"tea","resume":null})")->body).resume);
  for (const char* resume : {"7", "[]", "{}", R"({"token":"a"})", R"({"seq":1})", R"({"token":1,"seq":1})",
                             R"({"token":"a","seq":-1})", R"({"token":"a","seq":1.5})", R"({"token":"a","seq":"1"})",
                             R"({"token":"a","seq":18446744073709551616})", R"({"token":"a","seq":1,"seq":2})"}) {
    EXPECT_EQ(bad(R"({"type":"join","room":"tea","resume":)" + std::string(resume) + "}").code, ErrorCode::kBadMessage)
        << resume;
  }
}

TEST(ParseClientMessage, NotJson) {
  for (const char* text : {"", "hello", "{", R"({"type":"ping"}x)", "{\"type\":\"\xff\"}"}) {
    EXPECT_EQ(bad(text).code, ErrorCode::kNotJson) << text;
  }
}

TEST(ParseClientMessage, TypesThatThisServerDoesNotHave) {
  for (const char* type : {"publish", "joined", "Join", "", "ready"}) {
    const BadMessage refused = bad(R"({"type":")" + std::string(type) + R"(","id":"a"})");
    EXPECT_EQ(refused.code, ErrorCode::kUnknownType) << type;
    EXPECT_EQ(refused.id, "\"a\"");
  }
  EXPECT_LT(bad(R"({"type":")" + std::string(60'000, 'x') + R"("})").message.size(), 200U);
}

TEST(Relaying, ValuesArriveByteForByte) {
  for (const char* value :
       {"null", "\"\"", "1e400", "0.10", "-0", "123456789012345678901234567890", R"("\u00e9\/é\n\ud83d\ude00")",
        R"({ "candidate" : "" , "sdpMid":null, "unknown":{"a":1,"a":2}, "usernameFragment" : "x"})", "[ ]", "true"}) {
    const std::string raw = value;
    EXPECT_EQ(relayed(R"({"type":"candidate","candidate": )" + raw + " }"),
              R"({"type":"candidate","from":"id","candidate":)" + raw + "}");
    EXPECT_EQ(relayed(R"({"candidates":)" + raw + R"(,"type":"candidate"})"),
              R"({"type":"candidate","from":"id","candidates":)" + raw + "}");
    EXPECT_EQ(relayed(R"({"type":"message","x":1,"data":)" + raw + "}"),
              R"({"type":"message","from":"id","data":)" + raw + "}");
    EXPECT_EQ(relayed(R"({"sdp":)" + raw + R"(,"type":"offer"})"), R"({"type":"offer","from":"id","sdp":)" + raw + "}");
  }
}

TEST(WriteServerMessage, EveryMessage) {
  EXPECT_EQ(
      write_server_message(Welcome{65536, std::chrono::seconds{25}}),
      R"({"type":"welcome","protocol":1,"features":["message","ice","roles","resume","token","lock","kick","waiting"],)"
      R"("message_bytes_max":65536,"ping_seconds":25})");
  const MemberInfo ada{"a1", "A\"da", Role::kModerator};
  const MemberInfo plain{"p1", "", Role::kMember};
  const IceServerList ice{{{{"stun:h"}, "", ""}, {{"turn:h", "turns:h"}, "u", "c"}}, std::chrono::seconds{60}, {}};
  EXPECT_EQ(
      write_server_message(Joined{"tea", {"b1", "Bob", Role::kMember}, {ada, plain}, ice, {}, {}, {}, "7"}),
      R"({"type":"joined","room":"tea","self":{"member":"b1","name":"Bob","role":"member","polite":true},)"
      R"("members":[{"member":"a1","name":"A\"da","role":"moderator"},{"member":"p1","name":"","role":"member"}],)"
      R"("locked":false,"knock":false,)"
      R"("ice_servers":[{"urls":["stun:h"]},{"urls":["turn:h","turns:h"],"username":"u","credential":"c"}],)"
      R"("ice_ttl_seconds":60,"id":7})");
  const IceServerList two_addresses{{}, {}, {"stun:192.0.2.1:3478", "stun:192.0.2.2:3478"}};
  EXPECT_EQ(write_server_message(Ice{two_addresses, ""}),
            R"({"type":"ice","ice_servers":[],"ice_ttl_seconds":0,)"
            R"("nat_discovery":["stun:192.0.2.1:3478","stun:192.0.2.2:3478"]})");
  EXPECT_EQ(
      write_server_message(Joined{"tea", ada, {}, {}, {"secret", std::chrono::seconds{30}}, RoomLock::kKnock, 5, ""}),
      R"({"type":"joined","room":"tea","self":{"member":"a1","name":"A\"da","role":"moderator","polite":true},)"
      R"("members":[],"locked":true,"knock":true,"ice_servers":[],"ice_ttl_seconds":0,)"
      R"("resume":{"token":"secret","grace_seconds":30},"received":5})");
  EXPECT_EQ(write_server_message(MemberJoined{{"l1", "", Role::kListener, "u7"}}),
            R"({"type":"member-joined","member":"l1","name":"","role":"listener","user":"u7"})");
  EXPECT_EQ(write_server_message(Waiting{"tea", "7"}), R"({"type":"waiting","room":"tea","id":7})");
  EXPECT_EQ(write_server_message(Knock{"k1", "Eve", "u8"}),
            R"({"type":"knock","member":"k1","name":"Eve","user":"u8"})");
  EXPECT_EQ(write_server_message(Knock{"k1", "", ""}), R"({"type":"knock","member":"k1","name":""})");
  EXPECT_EQ(write_server_message(KnockEnded{"k1", KnockEnd::kTimedOut}),
            R"({"type":"knock-ended","member":"k1","reason":"timed-out"})");
  EXPECT_EQ(write_server_message(Locked{RoomLock::kLocked, "\"a\""}),
            R"({"type":"locked","locked":true,"knock":false,"id":"a"})");
  EXPECT_EQ(write_server_message(Gap{3}), R"({"type":"gap","missing":3})");
  EXPECT_EQ(write_server_message(MemberJoined{plain}),
            R"({"type":"member-joined","member":"p1","name":"","role":"member"})");
  EXPECT_EQ(write_server_message(MemberLeft{ada, LeftReason::kLost}),
            R"({"type":"member-left","member":"a1","name":"A\"da","role":"moderator","reason":"lost"})");
  EXPECT_EQ(write_server_message(RoleChanged{"b1", Role::kModerator}),
            R"({"type":"role-changed","member":"b1","role":"moderator"})");
  EXPECT_EQ(write_server_message(Ice{{}, "\"x\""}), R"({"type":"ice","ice_servers":[],"ice_ttl_seconds":0,"id":"x"})");
  EXPECT_EQ(write_server_message(Ready{}), R"({"type":"ready"})");
  EXPECT_EQ(write_server_message(Left{""}), R"({"type":"left"})");
  EXPECT_EQ(write_server_message(Pong{{}, "1e400"}), R"({"type":"pong","id":1e400})");
  EXPECT_EQ(write_server_message(Pong{7, ""}), R"({"type":"pong","received":7})");
  EXPECT_EQ(write_server_message(Error{ErrorCode::kRoomFull, "No.", "1", false}),
            R"({"type":"error","code":"room-full","message":"No.","fatal":false,"id":1})");
  EXPECT_EQ(write_server_message(Bye{ByeAction::kRejoin, CloseReason::kGoingAway}),
            R"({"type":"bye","action":"rejoin","reason":"going-away"})");
}

TEST(WriteServerMessage, StaysJsonWhateverThePeopleWrite) {
  const MemberInfo odd{"a1", "\xff\x01\"\\", Role::kMember};
  const auto read = nlohmann::json::parse(write_server_message(MemberJoined{odd}));
  EXPECT_EQ(read["name"], "\xEF\xBF\xBD\x01\"\\");
}

TEST(DeliveryWriter, WritesTheSeqOfEachReceiver) {
  const auto ready = std::make_shared<const ServerMessage>(Ready{});
  const auto left = std::make_shared<const ServerMessage>(Left{"1"});
  DeliveryWriter writer;
  EXPECT_EQ(writer.write({SessionId{1}, ready, 1, {}}), R"({"type":"ready","seq":1})");
  EXPECT_EQ(writer.write({SessionId{2}, ready, 18446744073709551615U, {}}),
            R"({"type":"ready","seq":18446744073709551615})");
  EXPECT_EQ(writer.write({SessionId{3}, ready, {}, {}}), R"({"type":"ready"})");
  EXPECT_EQ(writer.write({SessionId{1}, left, 2, {}}), R"({"type":"left","id":1,"seq":2})");
}

}  // namespace
}  // namespace causeway::signaling
