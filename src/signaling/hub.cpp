// SPDX-License-Identifier: Apache-2.0
#include "causeway/signaling/hub.hpp"

#include <array>
#include <utility>

#include "causeway/base/base64.hpp"

namespace causeway::signaling {
namespace {

constexpr std::string_view kDefaultRoom = "default";  // of plain clients that name none

std::shared_ptr<const ServerMessage> shared(ServerMessage message) {
  return std::make_shared<const ServerMessage>(std::move(message));
}

Error error_of(ErrorCode code, std::string_view request_id) {
  return {code, std::string(explanation(code)), std::string(request_id), false};
}

std::vector<RelayedValue> owned(const std::vector<RelayedValueView>& views) {
  std::vector<RelayedValue> values;
  values.reserve(views.size());
  for (const RelayedValueView& view : views)
    values.push_back({view.name, std::string(view.value)});
  return values;
}

}  // namespace

Hub::Hub(const HubOptions& options, IceServers& ice_servers, RandomSource& random)
    : options_(options), ice_servers_(ice_servers), random_(random) {
  sessions_.reserve(options_.sessions_max);
  timers_.reserve(options_.sessions_max);
}

// --- events ---

Deliveries Hub::open(SessionId id, const OpenRequest& request, Now now) {
  Deliveries out;
  ++counters_.opened;
  const bool plain = request.plain_room.has_value();
  if (!plain) out.push_back({id, shared(Welcome{options_.message_bytes_max, options_.ping}), {}, {}});

  std::optional<ErrorCode> refused;
  if (sessions_.size() >= options_.sessions_max) {
    refused = ErrorCode::kServerFull;
  } else if (plain) {
    refused = refusal(*request.plain_room);
  }
  if (refused) {
    refuse(id, plain, *refused, out);
    return out;
  }

  Session& session = sessions_[id];
  session.id = id;
  session.host = request.host;
  session.secure = request.secure;
  if (plain) {
    announce_arrival(enter(session, *request.plain_room, {}, true), out);
  } else {
    timers_.schedule(session, now.steady + options_.join_deadline);
  }
  return out;
}

Deliveries Hub::on_message(SessionId id, const ClientMessage& message, Now now) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  Session& session = found->second;
  const bool first = !std::exchange(session.has_spoken, true);

  if (const auto* request = std::get_if<Join>(&message.body)) {
    join(session, *request, message.id, now, out);
  } else if (const auto* relayed = std::get_if<Relay>(&message.body)) {
    relay(session, *relayed, message.id, first, out);
  } else if (std::holds_alternative<Ping>(message.body)) {
    out.push_back({id, shared(Pong{std::string(message.id)}), {}, {}});
  } else if (session.member == nullptr) {
    send_error(id, error_of(ErrorCode::kNotJoined, message.id), out);
  } else if (std::holds_alternative<Leave>(message.body)) {
    leave(session, message.id, now, out);
  } else {
    send_ice(session, message.id, now, out);
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
    forget(session, LeftReason::kLost, out);
  }
  return out;
}

Deliveries Hub::on_close(SessionId id, LeftReason reason) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) forget(found->second, reason, out);
  return out;
}

Deliveries Hub::end(SessionId id, CloseReason reason) {
  Deliveries out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return out;
  say_goodbye(id, found->second.is_plain(), reason, out);
  forget(found->second, LeftReason::kLost, out);
  return out;
}

Deliveries Hub::end_all(CloseReason reason) {
  Deliveries out;
  for (auto& [id, session] : sessions_) {
    say_goodbye(id, session.is_plain(), reason, out);
    timers_.cancel(session);
    if (session.member != nullptr) counters_.left.count(LeftReason::kLost);
  }
  sessions_.clear();
  rooms_.clear();
  return out;
}

Deliveries Hub::on_timer(Now now) {
  Deliveries out;
  while (Session* session = timers_.pop_expired(now.steady)) {
    if (session->member != nullptr) {
      send_ice(*session, {}, now, out);
    } else {
      say_goodbye(session->id, false, CloseReason::kJoinDeadline, out);
      forget(*session, LeftReason::kLost, out);
    }
  }
  return out;
}

// --- requests ---

void Hub::join(Session& session, const Join& request, std::string_view request_id, Now now, Deliveries& out) {
  std::optional<ErrorCode> refused;
  if (session.member != nullptr) {
    refused = ErrorCode::kAlreadyJoined;
  } else if (!request.name.empty() && !is_valid_name(request.name)) {
    refused = ErrorCode::kBadName;
  } else {
    refused = refusal(request.room);
  }
  if (refused) return send_error(session.id, error_of(*refused, request_id), out);

  const Member& member = enter(session, request.room, request.name, false);
  Joined joined{member.room->name, member.info, {}, ice_servers(session, now), std::string(request_id)};
  for (const auto& other : member.room->members) {
    if (other.get() != &member) joined.members.push_back(other->info);
  }
  out.push_back({session.id, shared(std::move(joined)), {}, {}});
  announce_arrival(member, out);
}

void Hub::relay(Session& session, const Relay& relay, std::string_view request_id, bool first, Deliveries& out) {
  if (session.member == nullptr) {
    // Only a first message makes a plain client: a candidate that comes late, after `leave`, must enter no room.
    if (!first || relay.type == RelayType::kMessage) {
      return send_error(session.id, error_of(ErrorCode::kNotJoined, request_id), out);
    }
    if (const std::optional<ErrorCode> refused = refusal(kDefaultRoom)) {
      refuse(session.id, true, *refused, out);
      return forget(session, LeftReason::kLost, out);
    }
    announce_arrival(enter(session, kDefaultRoom, {}, true), out);
  }

  const Member& sender = *session.member;
  Member* receiver = relay.to ? sender.room->find(*relay.to) : nullptr;
  if (relay.to && (receiver == nullptr || receiver == &sender)) {
    return send_error(session.id, error_of(ErrorCode::kNoSuchMember, request_id), out);
  }
  counters_.relayed.count(relay.type);
  const auto message = shared(Relayed{relay.type, sender.info.member, owned(relay.values)});
  if (receiver != nullptr) return send(*receiver, message, out);
  for (const auto& other : sender.room->members) {
    if (other.get() != &sender) send(*other, message, out);
  }
}

void Hub::leave(Session& session, std::string_view request_id, Now now, Deliveries& out) {
  send(*session.member, shared(Left{std::string(request_id)}), out);
  depart(session, LeftReason::kLeft, out);
  timers_.schedule(session, now.steady + options_.join_deadline);
}

void Hub::send_ice(Session& session, std::string_view request_id, Now now, Deliveries& out) {
  send(*session.member, shared(Ice{ice_servers(session, now), std::string(request_id)}), out);
}

// --- rooms ---

std::optional<ErrorCode> Hub::refusal(std::string_view room_name) const {
  if (!is_valid_name(room_name)) return ErrorCode::kBadRoom;
  const auto room = rooms_.find(room_name);
  if (room == rooms_.end()) {
    if (rooms_.size() >= options_.rooms_max) return ErrorCode::kServerFull;
  } else if (room->second.members.size() >= options_.room_members_max) {
    return ErrorCode::kRoomFull;
  }
  return std::nullopt;
}

Member& Hub::enter(Session& session, std::string_view room_name, std::string name, bool plain) {
  auto found = rooms_.find(room_name);
  if (found == rooms_.end()) {
    found = rooms_.emplace(room_name, Room{random_id(), std::string(room_name), {}}).first;
  }
  Room& room = found->second;
  Member& member = *room.members.emplace_back(std::make_unique<Member>());
  member.info = {random_id(), std::move(name), Role::kMember};
  member.room = &room;
  member.session = session.id;
  member.plain = plain;
  room.appoint_moderator();
  session.member = &member;
  timers_.cancel(session);
  ++counters_.joined;
  return member;
}

void Hub::announce_arrival(const Member& member, Deliveries& out) {
  broadcast(*member.room, &member, MemberJoined{member.info}, out);
  const auto ready = shared(Ready{});
  for (const auto& other : member.room->members) {
    if (other->plain && other.get() != &member) send(*other, ready, out);
  }
}

void Hub::depart(Session& session, LeftReason reason, Deliveries& out) {
  Member& member = *std::exchange(session.member, nullptr);
  timers_.cancel(session);
  counters_.left.count(reason);
  Room& room = *member.room;
  const std::unique_ptr<Member> removed = room.remove(member);
  if (room.members.empty()) {
    rooms_.erase(rooms_.find(room.name));
    return;
  }
  broadcast(room, nullptr, MemberLeft{removed->info, reason}, out);
  if (const Member* successor = room.appoint_moderator()) {
    broadcast(room, nullptr, RoleChanged{successor->info.member, successor->info.role}, out);
  }
}

IceServerList Hub::ice_servers(Session& session, Now now) {
  const Member& member = *session.member;
  IceServerList list =
      ice_servers_.for_member({member.room->id, member.info.member, session.host, session.secure}, now);
  // Plain clients would not understand a push.
  if (list.ttl > std::chrono::seconds{0} && !member.plain) {
    timers_.schedule(session, now.steady + Duration{list.ttl} * 4 / 5);
  }
  return list;
}

// --- deliveries ---

void Hub::send(Member& member, std::shared_ptr<const ServerMessage> message, Deliveries& out) {
  std::optional<std::uint64_t> seq;
  if (!member.plain) seq = ++member.sequence;
  out.push_back({member.session, std::move(message), seq, {}});
}

void Hub::broadcast(const Room& room, const Member* except, ServerMessage message, Deliveries& out) {
  const auto one = shared(std::move(message));
  for (const auto& member : room.members) {
    if (!member->plain && member.get() != except) send(*member, one, out);
  }
}

void Hub::send_error(SessionId id, Error error, Deliveries& out) {
  counters_.errors.count(error.code);
  out.push_back({id, shared(std::move(error)), {}, {}});
}

void Hub::refuse(SessionId id, bool plain, ErrorCode code, Deliveries& out) {
  Error error = error_of(code, {});
  error.fatal = true;
  send_error(id, std::move(error), out);
  say_goodbye(id, plain, close_reason(code), out);
}

void Hub::say_goodbye(SessionId id, bool plain, CloseReason reason, Deliveries& out) {
  counters_.closes.count(reason);
  const auto bye = plain ? nullptr : shared(Bye{bye_action(reason), reason});
  out.push_back({id, bye, {}, reason});
}

void Hub::forget(Session& session, LeftReason reason, Deliveries& out) {
  if (session.member != nullptr) depart(session, reason, out);
  timers_.cancel(session);
  const SessionId id = session.id;
  sessions_.erase(id);
}

std::string Hub::random_id() {
  std::array<std::uint8_t, 12> octets{};
  random_.fill(octets);
  return base64url_encode(octets);
}

}  // namespace causeway::signaling
