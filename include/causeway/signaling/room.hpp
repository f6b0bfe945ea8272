// SPDX-License-Identifier: Apache-2.0
// A Room and its Members. The Hub owns the rooms, a room owns its members; both die with the last member's leave.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/signaling/message.hpp"

namespace causeway::signaling {

// Chosen by the edge, one per connection, never used twice in the life of a Hub.
enum class SessionId : std::uint64_t {};

struct Room;

struct Member {
  MemberInfo info;
  Room* room = nullptr;
  SessionId session{};
  bool plain = false;          // knows offers, answers, candidates and `ready` only
  std::uint64_t sequence = 0;  // `seq` of the last message to this member
};

struct Room {
  std::string id;                                // random, for usernames of credentials
  std::string name;                              // as the clients know it
  std::vector<std::unique_ptr<Member>> members;  // in the order of arrival

  Member* find(std::string_view member_id) const noexcept;
  // Gives the role to the longest-present member that is not plain if nobody has it. Returns that member, or nullptr.
  Member* appoint_moderator() noexcept;
  std::unique_ptr<Member> remove(const Member& member);
};

// Rules for names that people choose: 1–128 bytes of UTF-8 without control characters (C0, DEL, C1).
inline constexpr std::size_t kNameBytesMax = 128;
bool is_valid_name(std::string_view text) noexcept;

}  // namespace causeway::signaling
