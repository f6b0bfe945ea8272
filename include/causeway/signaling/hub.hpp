// SPDX-License-Identifier: Apache-2.0
// The signaling service without a network: one event in, a list of deliveries out, nothing pending in between.
// The edge owns the connections and performs the deliveries in their order; the Hub owns sessions, rooms and members.
// One loop owns a Hub: it is not thread-safe.
//
//   connection accepted  → open              text frame, read by the codec → on_message / on_bad_message
//   connection gone      → on_close          connection must go (reason known to the edge only) → end
//   messages have arrived → on_acknowledged
//   next_deadline() due  → on_timer          process stops → end_all
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/fair_pool.hpp"
#include "causeway/base/random.hpp"
#include "causeway/base/result.hpp"
#include "causeway/base/source_counts.hpp"
#include "causeway/base/time.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/base/token_bucket.hpp"
#include "causeway/signaling/access.hpp"
#include "causeway/signaling/codes.hpp"
#include "causeway/signaling/ice_servers.hpp"
#include "causeway/signaling/message.hpp"
#include "causeway/signaling/replay_pool.hpp"
#include "causeway/signaling/room.hpp"

namespace causeway::signaling {

struct HubOptions {
  std::size_t sessions_max = 10'000;
  // Sessions of an IPv4 address or an IPv6 /64, and as many members who are away. 0: no limit.
  std::size_t sessions_per_address = 0;
  bool limits_loopback = false;  // otherwise what comes from there may be a proxy that hides its clients
  std::size_t rooms_max = 5'000;
  std::size_t room_members_max = 16;
  std::chrono::seconds join_deadline{10};
  bool waiting_room = false;  // whether a new room begins with RoomLock::kKnock
  std::size_t room_visitors_max = 32;
  std::chrono::seconds waiting_max{600};  // for somebody to be let in
  // Of one session, and five times as many at once; 0: no limit. Of a session and not of an address, so that nobody
  // behind one address keeps others out: a new connection costs the server more than what a token does.
  std::uint32_t bad_tokens_per_second = 1;
  // How long a member whose connection is lost keeps its place and can resume; 0: not at all.
  std::chrono::seconds resume_grace{30};
  std::size_t away_max = 10'000;  // members without a connection; over it the largest network loses its oldest one
  ReplayLimits replay;
  // Kept by the edge, announced in `welcome`.
  std::size_t message_bytes_max = 64 * 1024;
  std::chrono::seconds ping{25};
};

// What the HTTP upgrade request said.
struct OpenRequest {
  std::optional<std::string> plain_room;  // the decoded query parameter of /ws?room=NAME; nullopt for /ws
  std::string host;                       // see IceServersRequest
  bool secure = false;
  IpAddress address{};                 // the client's
  std::optional<std::string> token{};  // of a plain client: the decoded query parameter
};

struct Delivery {
  SessionId receiver{};
  // One object for all receivers of a broadcast, so that its text can be written once. nullptr: only close.
  std::shared_ptr<const ServerMessage> message;
  std::optional<std::uint64_t> seq;  // the receiver's own, to be written into the text
  // Close with this after the message. The Hub has forgotten the session already and ignores further events of it.
  // For kSlowReader the edge drops what it still holds for the session, for any other reason it sends that first.
  std::optional<CloseReason> close;
};
using Deliveries = std::vector<Delivery>;

struct HubCounters {
  Counters<RelayType, kRelayTypes> relayed;  // messages taken from members, not copies sent
  Counters<ErrorCode, kErrorCodes> errors;
  Counters<CloseReason, kCloseReasons> closes;
  Counters<LeftReason, kLeftReasons> left;
  std::uint64_t opened = 0;
  std::uint64_t joined = 0;
  Counters<KnockEnd, kKnockEnds> knocks;  // of those who waited
  std::uint64_t resumed = 0;
  std::uint64_t gaps = 0;            // resumes to which messages were missing
  std::uint64_t resumes_failed = 0;  // a token that is unknown, wrong or too old: the client has joined anew
  std::uint64_t away_refused = 0;    // lost at once, because sessions_per_address members of the address were away
  std::uint64_t away_evicted = 0;    // lost early, because away_max members were away
};

class Hub {
 public:
  static constexpr std::size_t kIdCharacters = 16;  // base64url, of the random ids of rooms and members

  // All references outlive the Hub. What `tokens` answers may change.
  Hub(const HubOptions& options, IceServers& ice_servers, const AccessTokens& tokens, RandomSource& random);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Events of a session that is not (or no longer) known are ignored.
  [[nodiscard]] Deliveries open(SessionId id, const OpenRequest& request, Now now);
  [[nodiscard]] Deliveries on_message(SessionId id, const ClientMessage& message, Now now);
  [[nodiscard]] Deliveries on_bad_message(SessionId id, const BadMessage& bad);
  // The client's end has everything up to this `seq`: it need not be kept for a resume.
  void on_acknowledged(SessionId id, std::uint64_t seq);
  // kLeft when the client closed in order (a close frame), kLost when the connection broke or fell silent.
  [[nodiscard]] Deliveries on_close(SessionId id, LeftReason reason, Now now);
  // The edge cannot go on with this connection: kNotText, kTooBig, kSlowReader.
  [[nodiscard]] Deliveries end(SessionId id, CloseReason reason, Now now);
  [[nodiscard]] Deliveries end_all(CloseReason reason);

  [[nodiscard]] Deliveries on_timer(Now now);
  std::optional<TimePoint> next_deadline() const noexcept;

  // Whether it is in a room.
  bool is_member(SessionId id) const noexcept;
  std::size_t sessions() const noexcept { return sessions_.size(); }
  std::size_t away() const noexcept { return away_members_.amount(); }  // members who may still resume
  std::size_t rooms() const noexcept { return rooms_.size(); }
  std::size_t visitors() const noexcept { return visitors_; }  // who wait to be let in
  const HubCounters& counters() const noexcept { return counters_; }
  const ReplayPool& replay() const noexcept { return replay_; }

 private:
  // Its timer is the join deadline while it has no member, and the end of its patience while it waits to be let in.
  struct Session : Timer, FairPool::Item {
    SessionId id{};
    IpAddress address;
    std::string host;
    bool secure = false;
    bool has_spoken = false;
    TokenBucket bad_tokens{};  // left to it
    Member* member = nullptr;  // nullptr: not in a room
    Room* waits_in = nullptr;  // the room of which it is a visitor

    bool is_plain() const noexcept { return member != nullptr && member->plain; }
  };

  void join(Session& session, const Join& request, std::string_view request_id, Now now, Deliveries& out);
  void relay(Session& session, const Relay& relay, std::string_view request_id, bool first, Now now, Deliveries& out);
  void leave(Session& session, std::string_view request_id, Now now, Deliveries& out);
  void send_ice(Member& member, std::string_view request_id, Now now, Deliveries& out);

  Member* find_resumable(const Join& request) noexcept;
  void resume(Session& session, Member& member, const Join& request, std::string_view request_id, Now now,
              Deliveries& out);
  // The member's connection is gone or will be: it is away from now on, or lost where it may not be.
  void go_away(Member& member, Now now, Deliveries& out);
  bool may_be_away(const Member& member) noexcept;
  void come_back(Member& member);  // or depart

  // What somebody enters a room as.
  struct Entrant {
    MemberInfo info;  // without an id: a new one is given
    std::optional<std::size_t> members_max;
    bool plain = false;
  };
  // The entrant that `request` makes, or why it may not enter. Some of those who may have to wait first.
  Result<Entrant, Error> admission(const IpAddress& address, TokenBucket& bad_tokens, const Join& request, bool plain,
                                   Now now);
  Result<Entrant, Error> entrant_of(TokenBucket& bad_tokens, const Join& request, Now now);
  RoomLock lock_for(const std::string& room_name, const Entrant& entrant) const noexcept;
  bool is_full(const Room& room, std::optional<std::size_t> members_max) const noexcept;
  Room& room_named(std::string_view room_name, const IpAddress& founder);  // made where there is none
  Member& enter(Session& session, Room& room, Entrant entrant);
  void enter_and_announce(Session& session, Room& room, Entrant entrant, std::string_view request_id, Now now,
                          Deliveries& out);
  void announce_arrival(const Member& member, Deliveries& out);
  Joined joined_reply(Member& member, std::string_view request_id, Now now);
  void depart(Member& member, LeftReason reason, Deliveries& out);
  void remove_if_empty(Room& room);

  // The waiting room, and what moderators may do.
  void knock(Session& session, const Join& request, Entrant entrant, std::string_view request_id, Now now,
             Deliveries& out);
  // The session does not wait any more. Does nothing when it does not.
  Visitor end_visit(Session& session, KnockEnd end, Deliveries& out);
  void turn_away(Session& session, KnockEnd end, ErrorCode code, Deliveries& out);
  void admit(Session& visitor, Now now, Deliveries& out);
  void show_visitors_to(Member& member, Deliveries& out);
  void tell_moderators(const Room& room, ServerMessage message, const IpAddress& cause, Deliveries& out);
  void moderate(Member& moderator, const ClientMessage& message, Now now, Deliveries& out);
  void set_lock(Member& moderator, RoomLock lock, std::string_view request_id, Now now, Deliveries& out);
  std::optional<ErrorCode> kick(Member& moderator, std::string_view member_id, Deliveries& out);
  Session* find_visitor(const Room& room, std::string_view member_id) noexcept;
  IceServerList ice_servers(Member& member, Now now);

  // `cause`: the client that has caused the message is charged for what is kept of it (ReplayPool).
  void send(Member& member, std::shared_ptr<const ServerMessage> message, const IpAddress& cause, Deliveries& out);
  // To all but `except` (may be nullptr) that are not plain.
  void broadcast(const Room& room, const Member* except, ServerMessage message, const IpAddress& cause,
                 Deliveries& out);
  void send_error(SessionId id, Error error, Deliveries& out);
  // Fatal: the error, then the goodbye.
  void refuse(SessionId id, bool plain, Error error, Deliveries& out);
  void say_goodbye(SessionId id, bool plain, CloseReason reason, Deliveries& out);
  // Whether one more is too many for an address.
  bool is_at_limit(const SourceCounts& counts, const IpAddress& address) const;
  // What the address and its network are charged for: nothing, where it may be a proxy that hides its clients.
  std::size_t charged(const SourceCounts& counts, const IpAddress& address) const;
  bool has_place_for(const IpAddress& newcomer, Deliveries& out);
  bool make_way_in(const Room& room, const IpAddress& visitor, Deliveries& out);
  void await_join(Session& session, Now now);
  void forget(Session& session);
  std::string random_id();

  const HubOptions options_;
  IceServers& ice_servers_;
  const AccessTokens& tokens_;
  RandomSource& random_;
  SourceCounts sessions_by_address_;
  SourceCounts away_by_address_;
  SourceCounts rooms_by_address_;  // of those who made them
  FairPool roomless_sessions_;     // in no room and waiting for none: they make way when all places are taken
  FairPool away_members_;          // outlives the rooms, as does the next
  ReplayPool replay_;
  // Timers are pointed at: both tables keep their elements in place. Clients choose the names of rooms, hence a tree:
  // no choice of names makes it slow.
  std::unordered_map<SessionId, Session> sessions_;
  std::map<std::string, Room, std::less<>> rooms_;
  TimerQueue<Session> session_timers_;
  TimerQueue<Member> member_timers_;
  std::size_t visitors_ = 0;
  HubCounters counters_;
};

}  // namespace causeway::signaling
