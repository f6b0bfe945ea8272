// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "signaling/codec.hpp"

namespace causeway::signaling {
namespace {

using Object = nlohmann::ordered_json;

// The parts of the protocol that a client may find missing in another version of the server.
constexpr std::initializer_list<const char*> kFeatures{"message", "ice",  "roles", "resume",
                                                       "token",   "lock", "kick",  "waiting"};

constexpr std::size_t kSeqBytesMax = 27;  // ,"seq": and 20 digits

Object object_of(std::string_view type) {
  return Object{{"type", type}};
}

std::string text_of(const Object& object) {
  return object.dump(-1, ' ', false, Object::error_handler_t::replace);
}

// Raw values go in as they are: an Object would read and write them anew.
void add_raw(std::string& text, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  text.pop_back();
  text.append(",\"").append(key).append("\":").append(value).append("}");
}

std::string text_of(const Object& object, std::string_view id) {
  std::string text = text_of(object);
  add_raw(text, "id", id);
  return text;
}

void add(Object& object, const MemberInfo& member) {
  object["member"] = member.member;
  object["name"] = member.name;
  object["role"] = name(member.role);
  if (!member.user.empty()) object["user"] = member.user;
}

void add(Object& object, RoomLock lock) {
  object["locked"] = lock != RoomLock::kOpen;
  object["knock"] = lock == RoomLock::kKnock;
}

void add(Object& object, const IceServerList& list) {
  Object servers = Object::array();
  for (const IceServer& server : list.servers) {
    Object entry{{"urls", server.urls}};
    if (!server.username.empty()) {
      entry["username"] = server.username;
      entry["credential"] = server.credential;
    }
    servers.push_back(std::move(entry));
  }
  object["ice_servers"] = std::move(servers);
  object["ice_ttl_seconds"] = list.ttl.count();
  if (!list.nat_discovery.empty()) object["nat_discovery"] = list.nat_discovery;
}

std::string write(const Welcome& welcome) {
  Object object = object_of("welcome");
  object["protocol"] = 1;
  object["features"] = kFeatures;
  object["message_bytes_max"] = welcome.message_bytes_max;
  object["ping_seconds"] = welcome.ping.count();
  return text_of(object);
}

std::string write(const Joined& joined) {
  Object object = object_of("joined");
  object["room"] = joined.room;
  add(object["self"], joined.self);
  object["self"]["polite"] = true;  // a newcomer always is: those who were here before make the offers
  Object members = Object::array();
  for (const MemberInfo& info : joined.members)
    add(members.emplace_back(), info);
  object["members"] = std::move(members);
  add(object, joined.lock);
  add(object, joined.ice);
  if (!joined.resume.token.empty()) {
    object["resume"] = {{"token", joined.resume.token}, {"grace_seconds", joined.resume.grace.count()}};
  }
  if (joined.received) object["received"] = *joined.received;
  return text_of(object, joined.id);
}

std::string write(const Gap& gap) {
  Object object = object_of("gap");
  object["missing"] = gap.missing;
  return text_of(object);
}

std::string write(const MemberJoined& joined) {
  Object object = object_of("member-joined");
  add(object, joined.member);
  return text_of(object);
}

std::string write(const MemberLeft& left) {
  Object object = object_of("member-left");
  add(object, left.member);
  object["reason"] = name(left.reason);
  return text_of(object);
}

std::string write(const RoleChanged& changed) {
  Object object = object_of("role-changed");
  object["member"] = changed.member;
  object["role"] = name(changed.role);
  return text_of(object);
}

std::string write(const Waiting& waiting) {
  Object object = object_of("waiting");
  object["room"] = waiting.room;
  return text_of(object, waiting.id);
}

std::string write(const Knock& knock) {
  Object object = object_of("knock");
  object["member"] = knock.member;
  object["name"] = knock.name;
  if (!knock.user.empty()) object["user"] = knock.user;
  return text_of(object);
}

std::string write(const KnockEnded& ended) {
  Object object = object_of("knock-ended");
  object["member"] = ended.member;
  object["reason"] = name(ended.end);
  return text_of(object);
}

std::string write(const Locked& locked) {
  Object object = object_of("locked");
  add(object, locked.lock);
  return text_of(object, locked.id);
}

std::string write(const Relayed& relayed) {
  Object object = object_of(name(relayed.type));
  object["from"] = relayed.from;
  std::string text = text_of(object);
  for (const RelayedValue& value : relayed.values)
    add_raw(text, value.name, value.value);
  return text;
}

std::string write(const Ice& ice) {
  Object object = object_of("ice");
  add(object, ice.ice);
  return text_of(object, ice.id);
}

std::string write(const Ready&) {
  return text_of(object_of("ready"));
}

std::string write(const Left& left) {
  return text_of(object_of("left"), left.id);
}

std::string write(const Pong& pong) {
  Object object = object_of("pong");
  if (pong.received) object["received"] = *pong.received;
  return text_of(object, pong.id);
}

std::string write(const Error& error) {
  Object object = object_of("error");
  object["code"] = name(error.code);
  object["message"] = error.message;
  object["fatal"] = error.fatal;
  return text_of(object, error.id);
}

std::string write(const Bye& bye) {
  Object object = object_of("bye");
  object["action"] = name(bye.action);
  object["reason"] = name(bye.reason);
  return text_of(object);
}

}  // namespace

std::string write_server_message(const ServerMessage& message) {
  return std::visit([](const auto& one) { return write(one); }, message);
}

std::string DeliveryWriter::write(const Delivery& delivery) {
  if (delivery.message != written_) {
    text_ = write_server_message(*delivery.message);
    written_ = delivery.message;
  }
  if (!delivery.seq) return text_;
  std::string text;
  text.reserve(text_.size() + kSeqBytesMax);
  text = text_;
  add_raw(text, "seq", std::to_string(*delivery.seq));
  return text;
}

}  // namespace causeway::signaling
