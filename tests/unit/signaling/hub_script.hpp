// SPDX-License-Identifier: Apache-2.0
// Runs a Hub with fake time, randomness and ICE servers, and writes its deliveries as lines a person can read:
//   "bob: offer from ada {sdp=1} #3", with #3 for the seq and [4000] for a close.
// Sessions have names of one's choice; ids of members are shown as the names of their sessions.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "causeway/base/base64.hpp"
#include "causeway/signaling/hub.hpp"

namespace causeway::signaling {

using Lines = std::vector<std::string>;

// Its n-th id of 16 characters reads "id" and n.
class CountingRandom : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    if (out.size() != 12) return std::fill(out.begin(), out.end(), std::uint8_t{0});  // a seed, no id
    const std::string number = std::to_string(++count_);
    last_ = "id" + std::string(14 - number.size(), '0') + number;
    const auto octets = base64url_decode(last_);
    ASSERT_TRUE(octets && octets->size() == out.size());
    std::copy(octets->begin(), octets->end(), out.begin());
  }
  const std::string& last() const { return last_; }

 private:
  std::uint64_t count_ = 0;
  std::string last_;
};

class FakeIceServers : public IceServers {
 public:
  IceServerList for_member(const IceServersRequest& request, Now) override {
    asked.push_back(std::string(request.room_id) + "/" + std::string(request.member_id));
    hosts.push_back((request.secure ? "https://" : "http://") + std::string(request.host));
    return {{{{"turn:" + std::string(request.host)}, asked.back(), "secret"}}, ttl, {}};
  }
  void on_departure(std::string_view room_id, std::string_view member_id) override {
    departed.push_back(std::string(room_id) + "/" + std::string(member_id));
  }
  std::chrono::seconds ttl{1000};
  Lines asked;
  Lines departed;
  Lines hosts;
};

// Knows what a token says without looking into it. "expired" is one that was good.
class FakeTokens : public AccessTokens {
 public:
  TokenUse use() const noexcept override { return tokens; }
  Result<AccessClaims, BadToken> verify(std::string_view token, Now) const override {
    if (token == "expired") return BadToken{ErrorCode::kTokenExpired, "expired"};
    const auto found = known.find(token);
    if (found == known.end()) return BadToken{ErrorCode::kBadToken, "bad"};
    return found->second;
  }
  TokenUse tokens = TokenUse::kNone;
  std::map<std::string, AccessClaims, std::less<>> known;
};

// What any script of this program produced: see every_code_test.cpp.
struct Produced {
  std::set<ErrorCode> errors;
  std::set<CloseReason> closes;
  std::set<LeftReason> left;
};
Produced& produced();

class HubScript : public testing::Test {
 protected:
  static HubOptions small() {
    HubOptions options;
    options.sessions_max = 6;
    options.rooms_max = 2;
    options.room_members_max = 3;
    options.resume_grace = std::chrono::seconds{0};  // where a test is about something else
    return options;
  }

  Hub& hub() {
    if (!hub_) hub_.emplace(options, ice_servers, tokens, random);
    return *hub_;
  }

  Lines open(const std::string& who, std::optional<std::string> plain_room = std::nullopt) {
    const SessionId id{++last_session_};
    sessions_[who] = id;
    const std::uint64_t joined = hub().counters().joined;
    const auto plain_token = plain_room ? std::exchange(next_token, std::nullopt) : std::nullopt;
    const Deliveries deliveries =
        hub().open(id, {std::move(plain_room), "call.example.org", true, address, plain_token}, now);
    note_member(who, joined);
    return lines(deliveries);
  }

  template <class Body>
  Lines say(const std::string& who, Body body, std::string_view id = {}) {
    const std::uint64_t joined = hub().counters().joined;
    const Deliveries deliveries = hub().on_message(sessions_.at(who), {std::move(body), id}, now);
    note_member(who, joined);
    for (const Delivery& delivery : deliveries) {
      if (!delivery.message) continue;
      if (const auto* knock = std::get_if<Knock>(delivery.message.get())) members_.emplace(knock->member, who);
      const auto* reply = std::get_if<Joined>(delivery.message.get());
      if (reply == nullptr) continue;
      for (const auto& [name_of_session, session] : sessions_) {
        if (session == delivery.receiver) members_[reply->self.member] = name_of_session;
      }
      token = reply->resume.token;
    }
    return lines(deliveries);
  }

  Lines join(const std::string& who, const std::string& room = "tea") { return say(who, Join{room, who}); }
  Lines join_with(const std::string& who, const std::string& access_token, const std::string& room = "tea") {
    return say(who, Join{room, who, {}, access_token});
  }
  // On a new connection of the member.
  Lines resume(const std::string& who, const std::string& with_token, std::uint64_t seq,
               const std::string& room = "tea") {
    open(who);
    return say(who, Join{room, who, ResumeRequest{with_token, seq}});
  }

  // Opens and joins, without looking at the deliveries.
  void enter(const std::string& who, const std::string& room = "tea") {
    open(who);
    join(who, room);
  }

  Lines offer(const std::string& who, std::string_view sdp) {
    return say(who, Relay{RelayType::kOffer, std::nullopt, {{"sdp", sdp}}});
  }
  Lines offer_to(const std::string& who, const std::string& to, std::string_view sdp) {
    return say(who, Relay{RelayType::kOffer, member_id(to), {{"sdp", sdp}}});
  }

  void acknowledge(const std::string& who, std::uint64_t seq) { hub().on_acknowledged(sessions_.at(who), seq); }
  Lines bad(const std::string& who, BadMessage message) {
    return lines(hub().on_bad_message(sessions_.at(who), message));
  }
  Lines close(const std::string& who, LeftReason reason = LeftReason::kLost) {
    return lines(hub().on_close(sessions_.at(who), reason, now));
  }
  Lines end(const std::string& who, CloseReason reason) { return lines(hub().end(sessions_.at(who), reason, now)); }
  Lines end_all() { return lines(hub().end_all(CloseReason::kGoingAway)); }

  Lines advance(std::chrono::milliseconds time) {
    now.steady += time;
    return lines(hub().on_timer(now));
  }

  std::string member_id(const std::string& who) const {
    for (const auto& [id, session] : members_) {
      if (session == who) return id;
    }
    return "nobody";
  }

  Lines lines(const Deliveries& deliveries) {
    last = deliveries;
    Lines out;
    for (const Delivery& delivery : deliveries)
      out.push_back(line(delivery));
    return out;
  }

  HubOptions options = small();
  FakeIceServers ice_servers;
  FakeTokens tokens;
  CountingRandom random;
  Now now{};
  IpAddress address;                      // of all clients
  std::optional<std::string> next_token;  // of the next plain client
  Deliveries last;
  std::string token;  // of the last `joined`

 private:
  // A plain client is told nothing of its id; a normal one's id comes before the secret of its resume token.
  void note_member(const std::string& who, std::uint64_t joined_before) {
    if (hub().counters().joined > joined_before) members_.emplace(random.last(), who);
  }

  std::string line(const Delivery& delivery) {
    std::string text;
    for (const auto& [who, id] : sessions_) {
      if (id == delivery.receiver) text = who + ":";
    }
    if (delivery.message) {
      text += " " + std::visit([this](const auto& message) { return words(message); }, *delivery.message);
    }
    if (delivery.seq) text += " #" + std::to_string(*delivery.seq);
    if (delivery.close) {
      produced().closes.insert(*delivery.close);
      text += " [" + std::to_string(websocket_close_code(*delivery.close)) + "]";
    }
    return text;
  }

  std::string who(const MemberInfo& info) {
    std::string text = members_.at(info.member);
    EXPECT_THAT(info.name, testing::AnyOf(text, ""));
    if (info.role == Role::kModerator) text += "*";
    if (info.role == Role::kListener) text += "~";
    if (!info.user.empty()) text += "(" + info.user + ")";
    return text;
  }

  static std::string with_id(std::string text, const std::string& id) { return id.empty() ? text : text + " id=" + id; }

  std::string words(const Welcome&) { return "welcome"; }
  std::string words(const Ready&) { return "ready"; }
  std::string words(const Left& left) { return with_id("left", left.id); }
  std::string words(const Pong& pong) {
    return with_id("pong" + (pong.received ? " received " + std::to_string(*pong.received) : ""), pong.id);
  }
  std::string words(const Ice& ice) { return with_id("ice", ice.id); }
  std::string words(const MemberJoined& joined) { return "+" + who(joined.member); }
  std::string words(const RoleChanged& changed) {
    return "role of " + members_.at(changed.member) + " " + std::string(name(changed.role));
  }
  std::string words(const MemberLeft& left) {
    produced().left.insert(left.reason);
    return "-" + who(left.member) + " " + std::string(name(left.reason));
  }
  std::string words(const Joined& joined) {
    std::string text = "joined " + joined.room + " as " + who(joined.self) + " with";
    for (const MemberInfo& info : joined.members)
      text += " " + who(info);
    text += lock_words(joined.lock);
    if (joined.received) text += " received " + std::to_string(*joined.received);
    return with_id(text, joined.id);
  }
  static std::string lock_words(RoomLock lock) {
    return lock == RoomLock::kOpen ? "" : lock == RoomLock::kKnock ? " knock" : " locked";
  }
  std::string words(const Waiting& waiting) { return with_id("waiting for " + waiting.room, waiting.id); }
  std::string words(const Knock& knock) { return "knock of " + knock.name; }
  std::string words(const KnockEnded& ended) { return "knock ended, " + std::string(name(ended.end)); }
  std::string words(const Locked& locked) {
    return with_id(locked.lock == RoomLock::kOpen ? "now open" : "now" + lock_words(locked.lock), locked.id);
  }
  std::string words(const Gap& gap) { return "gap of " + std::to_string(gap.missing); }
  std::string words(const Relayed& relayed) {
    std::string text = std::string(name(relayed.type)) + " from " + members_.at(relayed.from) + " {";
    for (const RelayedValue& value : relayed.values)
      text += std::string(value.name) + "=" + value.value;
    return text + "}";
  }
  std::string words(const Error& error) {
    produced().errors.insert(error.code);
    EXPECT_FALSE(error.message.empty());
    return with_id((error.fatal ? "fatal error " : "error ") + std::string(name(error.code)), error.id);
  }
  std::string words(const Bye& bye) {
    return "bye " + std::string(name(bye.action)) + " " + std::string(name(bye.reason));
  }

  std::optional<Hub> hub_;
  std::uint64_t last_session_ = 0;
  std::map<std::string, SessionId> sessions_;
  std::map<std::string, std::string> members_;  // by id
};

}  // namespace causeway::signaling
