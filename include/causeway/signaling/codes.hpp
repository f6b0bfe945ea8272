// SPDX-License-Identifier: Apache-2.0
// The closed sets of the signaling protocol: each value has one stable name on the wire and indexes a counter.
// docs/signaling-protocol.md explains every one of them to authors of clients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::signaling {

enum class RelayType : std::uint8_t { kOffer, kAnswer, kCandidate, kMessage };
inline constexpr std::size_t kRelayTypes = 4;
std::string_view name(RelayType type) noexcept;  // "offer" …

// A listener negotiates with single members, but says nothing to the room: it sends no `message`, and nothing without
// `to`.
enum class Role : std::uint8_t { kMember, kModerator, kListener };
inline constexpr std::size_t kRoles = 3;
std::string_view name(Role role) noexcept;  // "member" …

// Why a member is no longer in its room.
enum class LeftReason : std::uint8_t {
  kLeft,  // it sent `leave` or closed its connection in order
  kLost,  // its connection broke or was closed by the server
  kKicked,
};
inline constexpr std::size_t kLeftReasons = 3;
std::string_view name(LeftReason reason) noexcept;  // "left" …

// Who gets into a room by joining. Moderators always do.
enum class RoomLock : std::uint8_t {
  kOpen,
  kKnock,   // the others wait until a moderator lets them in
  kLocked,  // nobody else
};

// Why somebody does not wait to be let in any more.
enum class KnockEnd : std::uint8_t {
  kAdmitted,
  kDenied,
  kLeft,      // gave up or lost its connection
  kTimedOut,  // after waiting_max
};
inline constexpr std::size_t kKnockEnds = 4;
std::string_view name(KnockEnd end) noexcept;  // "admitted" …

enum class ErrorCode : std::uint8_t {
  kNotJson,        // not a JSON text; always fatal
  kBadMessage,     // JSON, but not a message of the protocol
  kUnknownType,    // a `type` that this server does not have
  kNotJoined,      // the request needs a room
  kAlreadyJoined,  // `join` while in a room
  kNoSuchMember,   // `to` names nobody else in the room
  kBadRoom,        // the room's name is not acceptable
  kBadName,        // the member's name is not acceptable
  kRoomFull,       // the room has room_members_max members
  kServerFull,     // the server has sessions_max sessions or rooms_max rooms
  kTokenRequired,  // nobody enters without an access token
  kBadToken,       // the access token is none of this server
  kTokenExpired,
  kSlowDown,            // this session has presented too many bad tokens
  kForbidden,           // the token is for another room, or the role does not allow it
  kRoomLocked,          // a moderator has locked the room
  kNotAdmitted,         // a moderator has refused to let this one in, or nobody has answered
  kTooManyConnections,  // of this address: sessions_per_address
};
inline constexpr std::size_t kErrorCodes = 18;
std::string_view name(ErrorCode code) noexcept;         // "not-json" …
std::string_view explanation(ErrorCode code) noexcept;  // a sentence for a person: what happened and what to do

// Why the server ends a session.
enum class CloseReason : std::uint8_t {
  kGoingAway,           // 1001: the server stops
  kNotText,             // 1003: a binary frame
  kNotJson,             // 1007
  kTooBig,              // 1009: a message of more than message_bytes_max
  kJoinDeadline,        // 4000: not in a room in time
  kRoomFull,            // 4001: plain clients only
  kServerFull,          // 4002
  kBadRoom,             // 4003: plain clients only
  kSlowReader,          // 4004: the outbound queue is full
  kReplaced,            // 4005: the member goes on with a newer connection
  kKicked,              // 4006: a moderator has removed the member
  kNoAccess,            // 4007: plain clients only: what is wrong with the token, or the room is locked
  kTooManyConnections,  // 4008: of one address
};
inline constexpr std::size_t kCloseReasons = 13;
std::string_view name(CloseReason reason) noexcept;               // "going-away" …
std::uint16_t websocket_close_code(CloseReason reason) noexcept;  // RFC 6455 §7.4; 4000–4099 are ours

// What `bye` advises the client to do.
enum class ByeAction : std::uint8_t { kResume, kRejoin, kStop };
std::string_view name(ByeAction action) noexcept;  // "resume" …
ByeAction bye_action(CloseReason reason) noexcept;

// Why a connection that cannot enter a room is closed. kBadRoom, kRoomFull, kServerFull,
// kTooManyConnections or kNoAccess.
CloseReason close_reason(ErrorCode refusal) noexcept;

// Events by value of an enum, for metrics.
template <class Enum, std::size_t kValues>
class Counters {
 public:
  std::uint64_t operator[](Enum value) const noexcept { return counts_[static_cast<std::size_t>(value)]; }
  void count(Enum value) noexcept { ++counts_[static_cast<std::size_t>(value)]; }

 private:
  std::array<std::uint64_t, kValues> counts_{};
};

}  // namespace causeway::signaling
