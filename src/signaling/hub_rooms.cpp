// SPDX-License-Identifier: Apache-2.0
// Rooms: who may enter, who is in, who leaves, and who is away for a moment.
#include <algorithm>
#include <array>
#include <utility>

#include "causeway/base/base64.hpp"
#include "causeway/base/bytes.hpp"
#include "causeway/signaling/hub.hpp"

namespace causeway::signaling {
namespace {

bool equals(std::string_view a, std::string_view b) noexcept {
  return !a.empty() && equal_constant_time(as_bytes(a), as_bytes(b));
}

}  // namespace

Room& Hub::room_named(std::string_view room_name, const IpAddress& founder) {
  const auto found = rooms_.find(room_name);
  if (found != rooms_.end()) return found->second;
  const RoomLock lock = options_.waiting_room ? RoomLock::kKnock : RoomLock::kOpen;
  rooms_by_address_.add(founder);
  return rooms_.emplace(room_name, Room{random_id(), std::string(room_name), {}, {}, lock, founder}).first->second;
}

bool Hub::is_full(const Room& room, std::optional<std::size_t> members_max) const noexcept {
  return room.members.size() >= std::min(options_.room_members_max, members_max.value_or(options_.room_members_max));
}

Member& Hub::enter(Session& session, Room& room, Entrant entrant) {
  Member& member = *room.members.emplace_back(std::make_unique<Member>(options_.replay));
  member.info = std::move(entrant.info);
  if (member.info.member.empty()) member.info.member = random_id();
  member.room = &room;
  member.session = session.id;
  member.address = session.address;
  member.plain = entrant.plain;
  if (tokens_.use() == TokenUse::kNone) room.appoint_moderator();
  session.member = &member;
  session_timers_.cancel(session);
  roomless_sessions_.remove(session);
  ++counters_.joined;
  return member;
}

void Hub::enter_and_announce(Session& session, Room& room, Entrant entrant, std::string_view request_id, Now now,
                             Deliveries& out) {
  Member& member = enter(session, room, std::move(entrant));
  out.push_back({session.id, shared(joined_reply(member, request_id, now)), {}, {}});
  announce_arrival(member, out);
  show_visitors_to(member, out);
}

Joined Hub::joined_reply(Member& member, std::string_view request_id, Now now) {
  Joined joined{member.room->name,      member.info, {}, ice_servers(member, now), {}, member.room->lock, {},
                std::string(request_id)};
  for (const auto& other : member.room->members) {
    if (other.get() != &member) joined.members.push_back(other->info);
  }
  if (options_.resume_grace > std::chrono::seconds{0}) {
    member.resume_secret = random_id();
    joined.resume = {member.info.member + member.resume_secret, options_.resume_grace};
  }
  return joined;
}

void Hub::announce_arrival(const Member& member, Deliveries& out) {
  broadcast(*member.room, &member, MemberJoined{member.info}, member.address, out);
  const auto ready = shared(Ready{});
  for (const auto& other : member.room->members) {
    if (other->plain && other.get() != &member) send(*other, ready, member.address, out);
  }
}

// Whoever calls this takes care of the member's session, if there is one.
void Hub::depart(Member& member, LeftReason reason, Deliveries& out) {
  member_timers_.cancel(member);
  if (!member.session) come_back(member);
  counters_.left.count(reason);
  Room& room = *member.room;
  const std::unique_ptr<Member> removed = room.remove(member);
  ice_servers_.on_departure(room.id, removed->info.member);
  const bool is_open = tokens_.use() == TokenUse::kNone;
  if (room.members.empty()) {
    if (!is_open || room.visitors.empty()) return remove_if_empty(room);
    // Without tokens nobody is left who could let them in. Each may come again, and the first will be the moderator.
    for (std::size_t left = room.visitors.size(); left > 0; --left)  // the last one takes the room along
      turn_away(sessions_.at(room.visitors.front().session), KnockEnd::kDenied, ErrorCode::kNotAdmitted, out);
    return;
  }
  broadcast(room, nullptr, MemberLeft{removed->info, reason}, removed->address, out);
  if (!is_open) return;
  if (Member* successor = room.appoint_moderator()) {
    broadcast(room, nullptr, RoleChanged{successor->info.member, successor->info.role}, removed->address, out);
    show_visitors_to(*successor, out);
  }
}

void Hub::remove_if_empty(Room& room) {
  if (!room.is_empty()) return;
  rooms_by_address_.remove(room.founder);
  rooms_.erase(rooms_.find(room.name));
}

IceServerList Hub::ice_servers(Member& member, Now now) {
  const Session& session = sessions_.at(*member.session);
  IceServerList list =
      ice_servers_.for_member({member.room->id, member.info.member, session.host, session.secure}, now);
  // Plain clients would not understand a push.
  if (list.ttl > std::chrono::seconds{0} && !member.plain) {
    member_timers_.schedule(member, now.steady + Duration{list.ttl} * 4 / 5);
  }
  return list;
}

// --- away and back ---

bool Hub::may_be_away(const Member& member) noexcept {
  if (member.plain || options_.resume_grace == std::chrono::seconds{0}) return false;
  if (!is_at_limit(away_by_address_, member.address)) return true;
  ++counters_.away_refused;
  return false;
}

void Hub::go_away(Member& member, Now now, Deliveries& out) {
  if (!may_be_away(member)) return depart(member, LeftReason::kLost, out);
  member.session.reset();
  away_members_.add(member, member.address, 0, 1);
  away_by_address_.add(member.address);
  member_timers_.schedule(member, now.steady + options_.resume_grace);
  if (away_members_.amount() <= options_.away_max) return;
  ++counters_.away_evicted;
  depart(static_cast<Member&>(*away_members_.oldest_of_largest()), LeftReason::kLost, out);
}

void Hub::come_back(Member& member) {
  away_members_.remove(member);
  away_by_address_.remove(member.address);
}

// A token is the member's id and a secret, each of the length that random_id() gives.
Member* Hub::find_resumable(const Join& request) noexcept {
  const auto room = rooms_.find(request.room);
  if (room == rooms_.end()) return nullptr;
  const std::string_view token = request.resume->token;
  Member* member = room->second.find(token.substr(0, token.size() / 2));
  if (member == nullptr) return nullptr;
  const std::string_view secret = token.substr(token.size() / 2);
  // The reply that brings a new token may be lost with its connection: the former one is good until it has arrived.
  if (!equals(member->resume_secret, secret) && !equals(member->former_resume_secret, secret)) return nullptr;
  member->former_resume_secret = secret;
  return member;
}

void Hub::resume(Session& session, Member& member, const Join& request, std::string_view request_id, Now now,
                 Deliveries& out) {
  ++counters_.resumed;
  if (member.session) {  // half dead: its end has not been noticed yet
    say_goodbye(*member.session, false, CloseReason::kReplaced, out);
    forget(sessions_.at(*member.session));
  } else {
    come_back(member);
  }
  member.session = session.id;
  member.address = session.address;
  session.member = &member;
  session_timers_.cancel(session);
  roomless_sessions_.remove(session);
  member_timers_.cancel(member);

  Joined joined = joined_reply(member, request_id, now);
  joined.received = member.received;
  out.push_back({session.id, shared(std::move(joined)), {}, {}});
  const std::uint64_t seen = std::min(request.resume->seq, member.sequence);
  member.sent.forget_until(seen);
  const auto kept = member.sent.whole_entries();
  const std::uint64_t next = kept.empty() ? member.sequence + 1 : kept.front().seq;
  if (seen + 1 < next) {
    ++counters_.gaps;
    out.push_back({session.id, shared(Gap{next - seen - 1}), {}, {}});
  }
  for (const ReplayBuffer::Entry& entry : kept)
    out.push_back({session.id, entry.kept->message(), entry.seq, {}});
}

std::string Hub::random_id() {
  std::array<std::uint8_t, kIdCharacters / 4 * 3> octets{};
  random_.fill(octets);
  return base64url_encode(octets);
}

}  // namespace causeway::signaling
