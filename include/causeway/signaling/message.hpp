// SPDX-License-Identifier: Apache-2.0
// The messages of the signaling protocol as values. A client message views the text it was read from and lives no
// longer than that text; a server message owns what it says and is shared by all of its receivers.
// "Raw" means the bytes of one JSON value as they came: never parsed again, forwarded and echoed byte for byte.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "causeway/signaling/codes.hpp"
#include "causeway/signaling/ice_servers.hpp"

namespace causeway::signaling {

// --- from the client ---

// A connection's claim to go on as the member that a lost one was.
struct ResumeRequest {
  std::string token;      // of the last `joined`
  std::uint64_t seq = 0;  // the last one seen; 0: none
};

struct Join {
  std::string room;
  std::string name;  // empty: none
  std::optional<ResumeRequest> resume{};
  std::optional<std::string> token{};  // as it came
};

struct RelayedValueView {
  std::string_view name;   // of static storage: "sdp", "candidate", "candidates" or "data"
  std::string_view value;  // raw
};

struct Relay {
  RelayType type = RelayType::kMessage;
  std::optional<std::string> to;  // a member id; nullopt: all others in the room
  std::vector<RelayedValueView> values;
};

struct IceRequest {};
struct Leave {};
struct Ping {};

// From here on for moderators.
struct Lock {
  RoomLock lock = RoomLock::kOpen;
};
struct Kick {
  std::string member;
};
// To somebody who waits.
struct Admit {
  std::string member;
};
struct Deny {
  std::string member;
};

struct ClientMessage {
  std::variant<Join, Relay, IceRequest, Leave, Ping, Lock, Kick, Admit, Deny> body;
  std::string_view id;  // raw; empty: the request had none
};

// Why a text is no ClientMessage. code is kNotJson, kBadMessage or kUnknownType.
struct BadMessage {
  ErrorCode code = ErrorCode::kBadMessage;
  std::string message;  // for a person
  std::string id;       // raw; empty: none that could be read
};

// --- from the server ---

struct MemberInfo {
  std::string member;  // the member id
  std::string name;    // empty: none
  Role role = Role::kMember;
  std::string user{};  // whom the access token calls the member; empty: nothing
};

struct Welcome {
  std::size_t message_bytes_max = 0;
  std::chrono::seconds ping{0};
};

// What a client needs to resume. No token: this server keeps no place for anybody.
struct ResumeOffer {
  std::string token;
  std::chrono::seconds grace{0};
};

struct Joined {
  std::string room;
  MemberInfo self;
  std::vector<MemberInfo> members;
  IceServerList ice;
  ResumeOffer resume;
  RoomLock lock = RoomLock::kOpen;
  std::optional<std::uint64_t> received;  // after a resume: how many relayed messages of this member the server took
  std::string id;                         // raw, here and below; empty: none
};

// Messages to this member are lost: it was away for too long or they were too many.
struct Gap {
  std::uint64_t missing = 0;  // how many
};

struct MemberJoined {
  MemberInfo member;
};

struct MemberLeft {
  MemberInfo member;
  LeftReason reason = LeftReason::kLeft;
};

struct RoleChanged {
  std::string member;
  Role role = Role::kMember;
};

// The reply to a `join` that a moderator has to decide about. `joined` or an error comes later, with the same id.
struct Waiting {
  std::string room;
  std::string id;
};

// To moderators: somebody waits.
struct Knock {
  std::string member;  // the id that it will have as a member
  std::string name;
  std::string user;
};

// To moderators: somebody who waited does not any more.
struct KnockEnded {
  std::string member;
  KnockEnd end = KnockEnd::kLeft;
};

// The room is open or locked from now on.
struct Locked {
  RoomLock lock = RoomLock::kOpen;
  std::string id;
};

struct RelayedValue {
  std::string_view name;  // of static storage
  std::string value;      // raw
};

struct Relayed {
  RelayType type = RelayType::kMessage;
  std::string from;
  std::vector<RelayedValue> values;
};

struct Ice {
  IceServerList ice;
  std::string id;
};

struct Ready {};  // to plain clients: another member arrived

struct Left {
  std::string id;
};

struct Pong {
  std::optional<std::uint64_t> received;  // as in Joined; nullopt: not in a room
  std::string id;
};

struct Error {
  ErrorCode code = ErrorCode::kBadMessage;
  std::string message;
  std::string id;
  bool fatal = false;  // the server closes the connection next
};

struct Bye {
  ByeAction action = ByeAction::kStop;
  CloseReason reason = CloseReason::kGoingAway;
};

using ServerMessage = std::variant<Welcome, Joined, Gap, MemberJoined, MemberLeft, RoleChanged, Waiting, Knock,
                                   KnockEnded, Locked, Relayed, Ice, Ready, Left, Pong, Error, Bye>;

inline std::shared_ptr<const ServerMessage> shared(ServerMessage message) {
  return std::make_shared<const ServerMessage>(std::move(message));
}

// An error with the explanation of its code.
Error error_of(ErrorCode code, std::string_view request_id);

// About what it takes to keep the message: that of its values, and the same for the rest of every one.
std::size_t approximate_bytes(const ServerMessage& message) noexcept;

}  // namespace causeway::signaling
