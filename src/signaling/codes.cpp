// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/codes.hpp"

namespace causeway::signaling {
namespace {

struct Closing {
  std::string_view name;
  std::uint16_t code;
  ByeAction action;
};

constexpr std::array<Closing, kCloseReasons> kClosings{{
    {"going-away", 1001, ByeAction::kRejoin},
    {"not-text", 1003, ByeAction::kStop},
    {"not-json", 1007, ByeAction::kStop},
    {"too-big", 1009, ByeAction::kStop},
    {"join-deadline", 4000, ByeAction::kStop},
    {"room-full", 4001, ByeAction::kStop},
    {"server-full", 4002, ByeAction::kRejoin},
    {"bad-room", 4003, ByeAction::kStop},
    {"slow-reader", 4004, ByeAction::kResume},
    {"replaced", 4005, ByeAction::kStop},
    {"kicked", 4006, ByeAction::kStop},
    {"no-access", 4007, ByeAction::kStop},
    {"too-many-connections", 4008, ByeAction::kRejoin},
}};

template <class Enum, std::size_t kValues>
std::string_view look_up(const std::array<std::string_view, kValues>& names, Enum value) noexcept {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

std::string_view name(RelayType type) noexcept {
  static constexpr std::array<std::string_view, kRelayTypes> kNames{"offer", "answer", "candidate", "message"};
  return look_up(kNames, type);
}

std::string_view name(Role role) noexcept {
  static constexpr std::array<std::string_view, kRoles> kNames{"member", "moderator", "listener"};
  return look_up(kNames, role);
}

std::string_view name(LeftReason reason) noexcept {
  static constexpr std::array<std::string_view, kLeftReasons> kNames{"left", "lost", "kicked"};
  return look_up(kNames, reason);
}

std::string_view name(KnockEnd end) noexcept {
  static constexpr std::array<std::string_view, kKnockEnds> kNames{"admitted", "denied", "left", "timed-out"};
  return look_up(kNames, end);
}

std::string_view name(ErrorCode code) noexcept {
  static constexpr std::array<std::string_view, kErrorCodes> kNames{
      "not-json",      "bad-message", "unknown-type", "not-joined",  "already-joined", "no-such-member",
      "bad-room",      "bad-name",    "room-full",    "server-full", "token-required", "bad-token",
      "token-expired", "slow-down",   "forbidden",    "room-locked", "not-admitted",   "too-many-connections"};
  return look_up(kNames, code);
}

std::string_view explanation(ErrorCode code) noexcept {
  static constexpr std::array<std::string_view, kErrorCodes> kSentences{
      "The frame is not a JSON text in UTF-8.",
      "The JSON is not a message of this protocol.",
      "There is no message of this type here: see features in the welcome message.",
      "You are not in a room: send join first.",
      "You are in a room already: send leave first.",
      "Nobody else in the room has the member id in to: take the ids from joined and member-joined.",
      "A room needs a name of 1 to 128 bytes of UTF-8 without control characters.",
      "The name of a member has at most 128 bytes of UTF-8 and no control characters.",
      "The room is full: try again when somebody has left, or take another room.",
      "The server has no place left for another room or connection: try again later.",
      "Nobody enters this room without an access token: use an invitation, or ask whoever runs the application.",
      "The access token is not valid here.",
      "The access token has expired: get a new one.",
      "Too many bad access tokens have come on this connection: try again in a few seconds.",
      "Your role does not allow this.",
      "A moderator has locked the room.",
      "No moderator has let you in.",
      "Your address has its maximum of connections: close some, or try again later."};
  return look_up(kSentences, code);
}

CloseReason close_reason(ErrorCode refusal) noexcept {
  if (refusal == ErrorCode::kBadRoom) return CloseReason::kBadRoom;
  if (refusal == ErrorCode::kRoomFull) return CloseReason::kRoomFull;
  if (refusal == ErrorCode::kServerFull) return CloseReason::kServerFull;
  if (refusal == ErrorCode::kTooManyConnections) return CloseReason::kTooManyConnections;
  return CloseReason::kNoAccess;
}

std::string_view name(CloseReason reason) noexcept {
  return kClosings[static_cast<std::size_t>(reason)].name;
}

std::uint16_t websocket_close_code(CloseReason reason) noexcept {
  return kClosings[static_cast<std::size_t>(reason)].code;
}

ByeAction bye_action(CloseReason reason) noexcept {
  return kClosings[static_cast<std::size_t>(reason)].action;
}

std::string_view name(ByeAction action) noexcept {
  static constexpr std::array<std::string_view, 3> kNames{"resume", "rejoin", "stop"};
  return look_up(kNames, action);
}

}  // namespace causeway::signaling
