// SPDX-License-Identifier: Apache-2.0
// Events and requests.
#include "causeway/signaling/hub.hpp"

#include <algorithm>
#include <utility>

namespace causeway::signaling {
namespace {

constexpr std::string_view kDefaultRoom = "default";  // of plain clients that name none

std::vector<RelayedValue> owned(const std::vector<RelayedValueView>& views) {
  std::vector<RelayedValue> values;
  values.reserve(views.size());
  for (const RelayedValueView& view : views)
    values.push_back({view.name, std::string(view.value)});
  return values;
}

}  // namespace

Hub::Hub(const HubOptions& options, IceServers& ice_servers, const AccessTokens& tokens, RandomSource& random)
    : options_(options),
      ice_servers_(ice_servers),
      tokens_(tokens),
      random_(random),
      sessions_by_address_(random.next()),
      away_by_address_(random.next()),
      rooms_by_address_(random.next()),
      roomless_sessions_(random.next()),
      away_members_(random.next()),
      replay_(options.replay.bytes_total_max, random.next()) {
  sessions_.reserve(options_.sessions_max);
  session_timers_.reserve(options_.sessions_max);
  member_timers_.reserve(options_.sessions_max + options_.away_max);
}

// --- events ---

Deliveries Hub::open(SessionId id, const OpenRequest& open_request, Now now) {
  Deliveries out;
  ++counters_.opened;
  const bool plain = open_request.plain_room.has_value();
  if (!plain) out.push_back({id, shared(Welcome{options_.message_bytes_max, options_.ping}), {}, {}});

  const Join request{open_request.plain_room.value_or(std::string()), {}, {}, open_request.token};
  Result<Entrant, Error> entrant = Entrant{};
  TokenBucket bad_tokens;  // one token only: a plain client has no second try
  if (is_at_limit(sessions_by_address_, open_request.address)) {
    entrant = error_of(ErrorCode::kTooManyConnections, {});
  } else if (!has_place_for(open_request.address, out)) {
    entrant = error_of(ErrorCode::kServerFull, {});
  } else if (plain) {
    entrant = admission(open_request.address, bad_tokens, request, true, now);
  }
  if (!entrant) {
    refuse(id, plain, entrant.error(), out);
    return out;
  }

  Session& session = sessions_[id];
  session.id = id;
  session.address = open_request.address;
  session.host = open_request.host;
  session.secure = open_request.secure;
  sessions_by_address_.add(session.address);
  if (plain) {
    announce_arrival(enter(session, room_named(request.room, session.address), *std::move(entrant)), out);
  } else {
    await_join(session, now);
  }
  return out;
}

Deliveries Hub::on_message(SessionId id, const ClientMessage& message, Now now) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  Session& session = found->second;
  const bool first = !std::exchange(session.has_spoken, true);
  if (session.member != nullptr) session.member->former_resume_secret.clear();

  if (const auto* request = std::get_if<Join>(&message.body)) {
    join(session, *request, message.id, now, out);
  } else if (const auto* relayed = std::get_if<Relay>(&message.body)) {
    relay(session, *relayed, message.id, first, now, out);
  } else if (std::holds_alternative<Ping>(message.body)) {
    const bool counts = session.member != nullptr && !session.member->plain;
    const auto received = counts ? std::optional{session.member->received} : std::nullopt;
    out.push_back({id, shared(Pong{received, std::string(message.id)}), {}, {}});
  } else if (std::holds_alternative<Leave>(message.body) &&
             (session.member != nullptr || session.waits_in != nullptr)) {
    leave(session, message.id, now, out);
  } else if (session.member == nullptr) {
    send_error(id, error_of(ErrorCode::kNotJoined, message.id), out);
  } else if (std::holds_alternative<IceRequest>(message.body)) {
    send_ice(*session.member, message.id, now, out);
  } else {
    moderate(*session.member, message, now, out);
  }
  return out;
}

Deliveries Hub::on_bad_message(SessionId id, const BadMessage& bad) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  Session& session = found->second;
  session.has_spoken = true;
  const bool fatal = bad.code == ErrorCode::kNotJson;
  send_error(id, {bad.code, bad.message, bad.id, fatal}, out);
  if (fatal) {
    say_goodbye(id, session.is_plain(), CloseReason::kNotJson, out);
    end_visit(session, KnockEnd::kLeft, out);
    if (session.member != nullptr) depart(*session.member, LeftReason::kLost, out);
    forget(session);
  }
  return out;
}

void Hub::on_acknowledged(SessionId id, std::uint64_t seq) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.member == nullptr) return;
  found->second.member->former_resume_secret.clear();
  found->second.member->sent.forget_until(seq);
}

Deliveries Hub::on_close(SessionId id, LeftReason reason, Now now) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  Member* member = found->second.member;
  end_visit(found->second, KnockEnd::kLeft, out);
  forget(found->second);
  if (member == nullptr) return out;
  if (reason == LeftReason::kLost) {
    go_away(*member, now, out);
  } else {
    depart(*member, reason, out);
  }
  return out;
}

Deliveries Hub::end(SessionId id, CloseReason reason, Now now) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  Member* member = found->second.member;
  say_goodbye(id, found->second.is_plain(), reason, out);
  end_visit(found->second, KnockEnd::kLeft, out);
  forget(found->second);
  if (member == nullptr) return out;
  if (bye_action(reason) == ByeAction::kResume) {
    go_away(*member, now, out);
  } else {
    depart(*member, LeftReason::kLost, out);
  }
  return out;
}

Deliveries Hub::end_all(CloseReason reason) {
  Deliveries out;
  for (auto& [id, session] : sessions_) {
    say_goodbye(id, session.is_plain(), reason, out);
    session_timers_.cancel(session);
    roomless_sessions_.remove(session);
  }
  for (auto& [room_name, room] : rooms_) {
    for (const auto& member : room.members) {
      member_timers_.cancel(*member);
      away_members_.remove(*member);
      counters_.left.count(LeftReason::kLost);
    }
  }
  sessions_.clear();
  rooms_.clear();
  sessions_by_address_.clear();
  away_by_address_.clear();
  rooms_by_address_.clear();
  visitors_ = 0;
  return out;
}

bool Hub::is_member(SessionId id) const noexcept {
  const auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.member != nullptr;
}

std::optional<TimePoint> Hub::next_deadline() const noexcept {
  const auto session = session_timers_.next_deadline();
  const auto member = member_timers_.next_deadline();
  if (!session || !member) return session ? session : member;
  return std::min(*session, *member);
}

Deliveries Hub::on_timer(Now now) {
  Deliveries out;
  while (Session* session = session_timers_.pop_expired(now.steady)) {
    if (session->waits_in != nullptr) turn_away(*session, KnockEnd::kTimedOut, ErrorCode::kNotAdmitted, out);
    say_goodbye(session->id, false, CloseReason::kJoinDeadline, out);
    forget(*session);
  }
  while (Member* member = member_timers_.pop_expired(now.steady)) {
    if (member->session) {
      send_ice(*member, {}, now, out);
    } else {
      depart(*member, LeftReason::kLost, out);
    }
  }
  return out;
}

// --- requests ---

void Hub::join(Session& session, const Join& request, std::string_view request_id, Now now, Deliveries& out) {
  if (session.member != nullptr || session.waits_in != nullptr) {
    return send_error(session.id, error_of(ErrorCode::kAlreadyJoined, request_id), out);
  }
  if (request.resume) {
    if (Member* member = find_resumable(request)) return resume(session, *member, request, request_id, now, out);
    ++counters_.resumes_failed;
  }
  Result<Entrant, Error> entrant = admission(session.address, session.bad_tokens, request, false, now);
  if (!entrant) {
    Error error = entrant.error();
    error.id = request_id;
    return send_error(session.id, std::move(error), out);
  }
  if (lock_for(request.room, *entrant) == RoomLock::kKnock)
    return knock(session, request, *std::move(entrant), request_id, now, out);
  enter_and_announce(session, room_named(request.room, session.address), *std::move(entrant), request_id, now, out);
}

void Hub::relay(Session& session, const Relay& relay, std::string_view request_id, bool first, Now now,
                Deliveries& out) {
  if (session.member == nullptr) {
    // Only a first message makes a plain client: a candidate that comes late, after `leave`, must enter no room.
    if (!first || relay.type == RelayType::kMessage) {
      return send_error(session.id, error_of(ErrorCode::kNotJoined, request_id), out);
    }
    Result<Entrant, Error> entrant =
        admission(session.address, session.bad_tokens, Join{std::string(kDefaultRoom), {}}, true, now);
    if (!entrant) {
      refuse(session.id, true, entrant.error(), out);
      return forget(session);
    }
    announce_arrival(enter(session, room_named(kDefaultRoom, session.address), *std::move(entrant)), out);
  }

  Member& sender = *session.member;
  ++sender.received;
  if (sender.info.role == Role::kListener && (relay.type == RelayType::kMessage || !relay.to)) {
    return send_error(session.id, error_of(ErrorCode::kForbidden, request_id), out);
  }
  Member* receiver = relay.to ? sender.room->find(*relay.to) : nullptr;
  if (relay.to && (receiver == nullptr || receiver == &sender)) {
    return send_error(session.id, error_of(ErrorCode::kNoSuchMember, request_id), out);
  }
  counters_.relayed.count(relay.type);
  const auto message = shared(Relayed{relay.type, sender.info.member, owned(relay.values)});
  if (receiver != nullptr) return send(*receiver, message, sender.address, out);
  for (const auto& other : sender.room->members) {
    if (other.get() != &sender) send(*other, message, sender.address, out);
  }
}

void Hub::leave(Session& session, std::string_view request_id, Now now, Deliveries& out) {
  if (session.waits_in != nullptr) {
    out.push_back({session.id, shared(Left{std::string(request_id)}), {}, {}});
    end_visit(session, KnockEnd::kLeft, out);
    return await_join(session, now);
  }
  Member& member = *std::exchange(session.member, nullptr);
  send(member, shared(Left{std::string(request_id)}), member.address, out);
  depart(member, LeftReason::kLeft, out);
  await_join(session, now);
}

void Hub::send_ice(Member& member, std::string_view request_id, Now now, Deliveries& out) {
  send(member, shared(Ice{ice_servers(member, now), std::string(request_id)}), member.address, out);
}

// --- deliveries ---

void Hub::send(Member& member, std::shared_ptr<const ServerMessage> message, const IpAddress& cause, Deliveries& out) {
  std::optional<std::uint64_t> seq;
  if (!member.plain) {
    seq = ++member.sequence;
    if (options_.resume_grace > std::chrono::seconds{0}) {
      member.sent.push(*seq, replay_.keep(message, cause, member.room));
    }
  }
  if (member.session) out.push_back({*member.session, std::move(message), seq, {}});
}

void Hub::broadcast(const Room& room, const Member* except, ServerMessage message, const IpAddress& cause,
                    Deliveries& out) {
  const auto one = shared(std::move(message));
  for (const auto& member : room.members) {
    if (!member->plain && member.get() != except) send(*member, one, cause, out);
  }
}

void Hub::send_error(SessionId id, Error error, Deliveries& out) {
  counters_.errors.count(error.code);
  out.push_back({id, shared(std::move(error)), {}, {}});
}

void Hub::refuse(SessionId id, bool plain, Error error, Deliveries& out) {
  const CloseReason reason = close_reason(error.code);
  error.fatal = true;
  send_error(id, std::move(error), out);
  say_goodbye(id, plain, reason, out);
}

void Hub::say_goodbye(SessionId id, bool plain, CloseReason reason, Deliveries& out) {
  counters_.closes.count(reason);
  const auto bye = plain ? nullptr : shared(Bye{bye_action(reason), reason});
  out.push_back({id, bye, {}, reason});
}

void Hub::await_join(Session& session, Now now) {
  session_timers_.schedule(session, now.steady + options_.join_deadline);
  roomless_sessions_.add(session, session.address, 0, 1);
}

void Hub::forget(Session& session) {
  sessions_by_address_.remove(session.address);
  roomless_sessions_.remove(session);
  session_timers_.cancel(session);
  const SessionId id = session.id;
  sessions_.erase(id);
}

}  // namespace causeway::signaling
