// SPDX-License-Identifier: Apache-2.0
// A Room and its Members. The Hub owns the rooms, a room owns its members; both die with the last member's leave.
// A member whose connection is lost stays in its room for a while, away, and can resume with another connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/fair_pool.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/signaling/message.hpp"
#include "causeway/signaling/replay_buffer.hpp"

namespace causeway::signaling {

// Chosen by the edge, one per connection, never used twice in the life of a Hub.
enum class SessionId : std::uint64_t {};

struct Room;

// Its timer is the renewal of its ICE servers while it has a session, then the end of the time it may be away. It is
// pooled while it is away.
struct Member : Timer, FairPool::Item {
  explicit Member(const ReplayLimits& limits) : sent(limits) {}

  MemberInfo info;
  Room* room = nullptr;
  std::optional<SessionId> session;  // nullopt: away
  IpAddress address;                 // of its latest session
  bool plain = false;                // knows offers, answers, candidates and `ready` only
  std::uint64_t sequence = 0;        // `seq` of the last message to this member
  std::uint64_t received = 0;        // relayed messages that the server took from this member, refused ones included
  ReplayBuffer sent;                 // empty for plain members
  std::string resume_secret;
  std::string former_resume_secret;  // still good, until it is certain that the member has got the new one
};

// Somebody who waits to be let in. Has no place in the room yet.
struct Visitor {
  SessionId session{};
  MemberInfo info;
  std::optional<std::size_t> members_max;  // see AccessClaims
  std::string request_id;                  // raw, of the `join`
};

struct Room {
  std::string id;                                // random, for usernames of credentials
  std::string name;                              // as the clients know it
  std::vector<std::unique_ptr<Member>> members;  // in the order of arrival
  std::vector<Visitor> visitors{};               // the same
  RoomLock lock = RoomLock::kOpen;
  IpAddress founder{};

  bool is_empty() const noexcept { return members.empty() && visitors.empty(); }
  Member* find(std::string_view member_id) const noexcept;
  // Gives the role to the longest-present member that is neither plain nor a listener if nobody has it. Returns that
  // member, or nullptr.
  Member* appoint_moderator() noexcept;
  std::unique_ptr<Member> remove(const Member& member);
};

// Rules for names that people choose: 1–128 bytes of UTF-8 without control characters (C0, DEL, C1) and without those
// that turn the direction of text or break lines: with them one name passes for another (UTR 36 §2.1).
inline constexpr std::size_t kNameBytesMax = 128;
bool is_valid_name(std::string_view text) noexcept;

}  // namespace causeway::signaling
