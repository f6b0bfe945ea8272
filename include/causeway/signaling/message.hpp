// SPDX-License-Identifier: Apache-2.0
// The messages of the signaling protocol as values. A client message views the text it was read from and lives no
// longer than that text; a server message owns what it says and is shared by all of its receivers.
// "Raw" means the bytes of one JSON value as they came: never parsed again, forwarded and echoed byte for byte.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "causeway/signaling/codes.hpp"
#include "causeway/signaling/ice_servers.hpp"

namespace causeway::signaling {

// --- from the client ---

struct Join {
  std::string room;
  std::string name;  // empty: none
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

struct ClientMessage {
  std::variant<Join, Relay, IceRequest, Leave, Ping> body;
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
};

struct Welcome {
  std::size_t message_bytes_max = 0;
  std::chrono::seconds ping{0};
};

struct Joined {
  std::string room;
  MemberInfo self;
  std::vector<MemberInfo> members;
  IceServerList ice;
  std::string id;  // raw, here and below; empty: none
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

using ServerMessage =
    std::variant<Welcome, Joined, MemberJoined, MemberLeft, RoleChanged, Relayed, Ice, Ready, Left, Pong, Error, Bye>;

}  // namespace causeway::signaling
