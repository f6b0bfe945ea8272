// SPDX-License-Identifier: Apache-2.0
// Who may enter: tokens, locks and the waiting room, and what moderators may do.
#include <algorithm>
#include <utility>

#include "causeway/base/fair_share.hpp"
#include "causeway/signaling/hub.hpp"

namespace causeway::signaling {
namespace {

constexpr std::chrono::seconds kBadTokensBurst{5};

}  // namespace

// --- entering ---

Result<Hub::Entrant, Error> Hub::entrant_of(TokenBucket& bad_tokens, const Join& request, Now now) {
  Entrant entrant{{{}, request.name, Role::kMember, {}}, {}};
  if (!request.token) {
    if (tokens_.use() == TokenUse::kRequired) return error_of(ErrorCode::kTokenRequired, {});
    return entrant;
  }
  const TokenRate rate{options_.bad_tokens_per_second, kBadTokensBurst};
  if (!bad_tokens.has_tokens(rate, now.steady)) return error_of(ErrorCode::kSlowDown, {});
  Result<AccessClaims, BadToken> claims = tokens_.verify(*request.token, now);
  if (!claims) {
    bad_tokens.take(rate, 1, now.steady);
    return Error{claims.error().code, claims.error().message, {}, false};
  }
  if (!covers(claims->room, request.room)) {
    return Error{ErrorCode::kForbidden, "The access token is for another room.", {}, false};
  }
  if (!claims->name.empty()) entrant.info.name = std::move(claims->name);
  entrant.info.role = claims->role;
  entrant.info.user = std::move(claims->user);
  entrant.members_max = claims->members_max;
  return entrant;
}

Result<Hub::Entrant, Error> Hub::admission(const IpAddress& address, TokenBucket& bad_tokens, const Join& request,
                                           bool plain, Now now) {
  if (!is_valid_name(request.room)) return error_of(ErrorCode::kBadRoom, {});
  if (!request.name.empty() && !is_valid_name(request.name)) return error_of(ErrorCode::kBadName, {});
  Result<Entrant, Error> entrant = entrant_of(bad_tokens, request, now);
  if (!entrant) return entrant;
  entrant->plain = plain;
  const auto room = rooms_.find(request.room);
  if (room == rooms_.end()) {
    const bool may = may_take_place(charged(rooms_by_address_, address), rooms_.size(), options_.rooms_max);
    if (!may) return error_of(ErrorCode::kServerFull, {});
  } else if (is_full(room->second, entrant->members_max)) {
    return error_of(ErrorCode::kRoomFull, {});
  }
  const RoomLock lock = lock_for(request.room, *entrant);
  // A plain client would not understand that it has to wait.
  if (lock == RoomLock::kLocked || (plain && lock == RoomLock::kKnock)) return error_of(ErrorCode::kRoomLocked, {});
  return entrant;
}

RoomLock Hub::lock_for(const std::string& room_name, const Entrant& entrant) const noexcept {
  if (entrant.info.role == Role::kModerator) return RoomLock::kOpen;
  const auto room = rooms_.find(room_name);
  const bool is_new = room == rooms_.end();
  const auto is_moderator = [](const auto& member) { return member->info.role == Role::kModerator; };
  const auto has_moderator = [&] { return std::ranges::any_of(room->second.members, is_moderator); };
  // Whoever becomes the moderator by entering needs nobody to be let in by.
  const bool appointed = tokens_.use() == TokenUse::kNone && !entrant.plain && (is_new || !has_moderator());
  if (appointed) return RoomLock::kOpen;
  if (!is_new) return room->second.lock;
  return options_.waiting_room ? RoomLock::kKnock : RoomLock::kOpen;
}

// --- the waiting room ---

void Hub::knock(Session& session, const Join& request, Entrant entrant, std::string_view request_id, Now now,
                Deliveries& out) {
  Room& room = room_named(request.room, session.address);
  if (room.visitors.size() >= options_.room_visitors_max && !make_way_in(room, session.address, out)) {
    return send_error(session.id, error_of(ErrorCode::kRoomFull, request_id), out);
  }
  entrant.info.member = random_id();
  tell_moderators(room, Knock{entrant.info.member, entrant.info.name, entrant.info.user}, session.address, out);
  room.visitors.push_back({session.id, std::move(entrant.info), entrant.members_max, std::string(request_id)});
  ++visitors_;
  session.waits_in = &room;
  roomless_sessions_.remove(session);
  session_timers_.schedule(session, now.steady + options_.waiting_max);
  out.push_back({session.id, shared(Waiting{request.room, std::string(request_id)}), {}, {}});
}

Visitor Hub::end_visit(Session& session, KnockEnd end, Deliveries& out) {
  if (session.waits_in == nullptr) return {};
  Room& room = *std::exchange(session.waits_in, nullptr);
  const auto found = std::find_if(room.visitors.begin(), room.visitors.end(),
                                  [&](const Visitor& visitor) { return visitor.session == session.id; });
  Visitor visitor = std::move(*found);
  room.visitors.erase(found);
  --visitors_;
  counters_.knocks.count(end);
  tell_moderators(room, KnockEnded{visitor.info.member, end}, session.address, out);
  if (end != KnockEnd::kAdmitted) remove_if_empty(room);
  return visitor;
}

// Its timer goes on: that is how long it may stay without a room.
void Hub::turn_away(Session& session, KnockEnd end, ErrorCode code, Deliveries& out) {
  const Visitor visitor = end_visit(session, end, out);
  roomless_sessions_.add(session, session.address, 0, 1);
  send_error(session.id, error_of(code, visitor.request_id), out);
}

void Hub::admit(Session& session, Now now, Deliveries& out) {
  Room& room = *session.waits_in;
  Visitor visitor = end_visit(session, KnockEnd::kAdmitted, out);
  enter_and_announce(session, room, {std::move(visitor.info), visitor.members_max}, visitor.request_id, now, out);
}

void Hub::show_visitors_to(Member& member, Deliveries& out) {
  if (member.info.role != Role::kModerator) return;
  for (const Visitor& visitor : member.room->visitors)
    send(member, shared(Knock{visitor.info.member, visitor.info.name, visitor.info.user}), member.address, out);
}

void Hub::tell_moderators(const Room& room, ServerMessage message, const IpAddress& cause, Deliveries& out) {
  const auto one = shared(std::move(message));
  for (const auto& member : room.members) {
    if (member->info.role == Role::kModerator && !member->plain) send(*member, one, cause, out);
  }
}

Hub::Session* Hub::find_visitor(const Room& room, std::string_view member_id) noexcept {
  const auto found = std::find_if(room.visitors.begin(), room.visitors.end(),
                                  [&](const Visitor& visitor) { return visitor.info.member == member_id; });
  return found == room.visitors.end() ? nullptr : &sessions_.at(found->session);
}

// --- moderators ---

void Hub::moderate(Member& moderator, const ClientMessage& message, Now now, Deliveries& out) {
  const SessionId id = *moderator.session;
  Room& room = *moderator.room;
  std::optional<ErrorCode> refused;
  if (moderator.info.role != Role::kModerator) {
    refused = ErrorCode::kForbidden;
  } else if (const auto* lock = std::get_if<Lock>(&message.body)) {
    set_lock(moderator, lock->lock, message.id, now, out);
  } else if (const auto* request = std::get_if<Kick>(&message.body)) {
    refused = kick(moderator, request->member, out);
  } else if (const auto* admission_request = std::get_if<Admit>(&message.body)) {
    Session* visitor = find_visitor(room, admission_request->member);
    if (visitor == nullptr) {
      refused = ErrorCode::kNoSuchMember;
    } else if (is_full(room, {})) {
      refused = ErrorCode::kRoomFull;
    } else {
      admit(*visitor, now, out);
    }
  } else if (const auto* denial = std::get_if<Deny>(&message.body)) {
    Session* visitor = find_visitor(room, denial->member);
    if (visitor == nullptr) {
      refused = ErrorCode::kNoSuchMember;
    } else {
      turn_away(*visitor, KnockEnd::kDenied, ErrorCode::kNotAdmitted, out);
    }
  }
  if (refused) send_error(id, error_of(*refused, message.id), out);
}

void Hub::set_lock(Member& moderator, RoomLock lock, std::string_view request_id, Now now, Deliveries& out) {
  Room& room = *moderator.room;
  room.lock = lock;
  send(moderator, shared(Locked{lock, std::string(request_id)}), moderator.address, out);
  broadcast(room, &moderator, Locked{lock, {}}, moderator.address, out);
  while (lock == RoomLock::kOpen && !room.visitors.empty()) {
    const Visitor& visitor = room.visitors.front();
    Session& session = sessions_.at(visitor.session);
    if (is_full(room, visitor.members_max)) {
      turn_away(session, KnockEnd::kDenied, ErrorCode::kRoomFull, out);
    } else {
      admit(session, now, out);
    }
  }
}

std::optional<ErrorCode> Hub::kick(Member& moderator, std::string_view member_id, Deliveries& out) {
  Member* member = moderator.room->find(member_id);
  if (member == nullptr || member == &moderator) return ErrorCode::kNoSuchMember;
  if (member->session) {
    say_goodbye(*member->session, member->plain, CloseReason::kKicked, out);
    forget(sessions_.at(*member->session));
  }
  depart(*member, LeftReason::kKicked, out);
  return std::nullopt;
}

}  // namespace causeway::signaling
