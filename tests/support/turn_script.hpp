// SPDX-License-Identifier: Apache-2.0
// Scripts for the TURN core: fake time, randomness and ports, and a client that speaks to a turn::Server without a
// socket. Buffers are exactly as large as the server may touch, so that a sanitizer sees each octet beyond.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "addresses.hpp"
#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/message.hpp"
#include "causeway/turn/server.hpp"

namespace causeway {

inline std::ostream& operator<<(std::ostream& out, const IpAddress& address) {
  return out << address.to_string();
}
inline std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint) {
  return out << endpoint.to_string();
}

}  // namespace causeway

namespace causeway::turn {

inline std::ostream& operator<<(std::ostream& out, DropReason reason) {
  return out << "DropReason " << static_cast<int>(reason);
}
inline std::ostream& operator<<(std::ostream& out, EndReason reason) {
  return out << name_of(reason);
}

}  // namespace causeway::turn

namespace causeway::test {

using namespace std::chrono_literals;
using Octets = std::vector<std::uint8_t>;
using stun::AttributeType;
using stun::ErrorCode;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::Method;
using turn::DropReason;

// Peers that the policy allows.
inline const Endpoint kPeer = at("9.9.9.9", 7000);
inline const Endpoint kPeerV6 = at("2620:fe::9", 7000);

inline Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}
inline Octets octets_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// What a packet may touch: headroom, the packet, tailroom, and nothing beyond.
class PacketBuffer {
 public:
  explicit PacketBuffer(Bytes bytes)
      : size_(bytes.size()), octets_(turn::Server::kHeadroomBytes + bytes.size() + turn::Server::kTailroomBytes, 0xA5) {
    std::copy(bytes.begin(), bytes.end(), octets_.begin() + turn::Server::kHeadroomBytes);
  }
  MutableBytes bytes() { return MutableBytes{octets_}.subspan(turn::Server::kHeadroomBytes, size_); }
  bool holds(Bytes bytes) const {
    return bytes.empty() ||
           (bytes.data() >= octets_.data() && bytes.data() + bytes.size() <= octets_.data() + octets_.size());
  }

 private:
  std::size_t size_;
  Octets octets_;
};

// Scripted values first, then a fixed pseudo-random sequence (SplitMix64).
class ScriptedRandom : public RandomSource {
 public:
  std::deque<std::uint64_t> scripted;

  void fill(MutableBytes out) override {
    for (std::size_t i = 0; i < out.size(); i += 8) {
      const std::uint64_t value = next_value();
      for (std::size_t j = i; j < std::min(i + 8, out.size()); ++j)
        out[j] = static_cast<std::uint8_t>(value >> (56 - 8 * (j - i)));
    }
  }

 private:
  std::uint64_t next_value() {
    if (!scripted.empty()) {
      const std::uint64_t value = scripted.front();
      scripted.pop_front();
      return value;
    }
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::uint64_t state_ = 0;
};

// Records what is opened and closed; call number n (from 0) fails with fail_at[n].
class ScriptedRelayPorts : public turn::RelayPorts {
 public:
  std::map<std::size_t, turn::RelayOpenError> fail_at;
  std::set<Endpoint> taken_by_others;
  std::vector<Endpoint> tried;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Endpoint> open_relays;

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override {
    const std::size_t call = tried.size();
    tried.push_back(local);
    if (const auto failure = fail_at.find(call); failure != fail_at.end()) return failure->second;
    if (taken_by_others.contains(local)) return turn::RelayOpenError::kPortInUse;
    for (const auto& [other, endpoint] : open_relays)
      EXPECT_NE(endpoint, local) << "two relays on one port";
    EXPECT_TRUE(open_relays.emplace(std::pair{id.slot, id.generation}, local).second) << "one relay opened twice";
    return std::nullopt;
  }
  void close(turn::RelayId id) noexcept override {
    EXPECT_EQ(open_relays.erase({id.slot, id.generation}), 1u) << "closed a relay that is not open";
  }
  std::optional<turn::RelayId> relay_at(const Endpoint& local) const {
    for (const auto& [id, endpoint] : open_relays)
      if (endpoint == local) return turn::RelayId{id.first, id.second};
    return std::nullopt;
  }
};

// The same for TCP relays, with the connections that the server has ended.
class ScriptedTcpRelayPorts : public turn::TcpRelayPorts {
 public:
  ScriptedRelayPorts listeners;
  std::vector<turn::ConnectionId> closed;

  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override {
    return listeners.open(id, local);
  }
  void close(turn::RelayId id) noexcept override { listeners.close(id); }
  void close_connection(turn::ConnectionId id) noexcept override { closed.push_back(id); }
};

class RecordingEvents : public turn::Events {
 public:
  struct Ended {
    std::string user;
    turn::EndReason reason;
    std::uint64_t packets_from_client;
    std::uint64_t packets_from_peers;
  };
  std::vector<std::string> created;
  std::vector<Endpoint> moves;
  std::vector<Ended> ended;
  std::vector<std::pair<ErrorCode, std::string>> refused;

  void on_allocation_created(const turn::Allocation& allocation) override { created.push_back(allocation.user); }
  void on_allocation_moving(const turn::Allocation&, const turn::FiveTuple& to) override { moves.push_back(to.client); }
  void on_allocation_ended(const turn::Allocation& allocation, turn::EndReason reason, Now) override {
    ended.push_back({allocation.user, reason, allocation.from_client.packets, allocation.from_peers.packets});
  }
  void on_request_refused(const turn::FiveTuple&, Method, ErrorCode code, std::string_view username) override {
    refused.emplace_back(code, username);
  }
};

// One outcome, with all bytes copied.
struct Answer {
  struct PeerPacket {
    turn::RelayId relay;
    Endpoint peer;
    Octets payload;
    TrafficClass traffic_class{};
    bool dont_fragment = false;
  };
  struct ClientPacket {
    turn::ClientRef client;
    Octets bytes;
    TrafficClass traffic_class{};
  };
  std::optional<DropReason> drop;
  std::optional<Octets> reply;
  Endpoint from{};  // of a reply that comes from another address of the server, or goes elsewhere
  Endpoint to{};
  std::optional<PeerPacket> to_peer;
  std::optional<ClientPacket> to_client;
  std::optional<turn::Connect> connect;
  std::optional<turn::ConnectionId> announced;  // the indication is in to_client
  std::optional<turn::ConnectionId> bound;      // the answer is in reply

  stun::MessageView message() const {
    const auto view = stun::MessageView::parse(reply ? Bytes{*reply} : Bytes{to_client.value().bytes});
    if (!view) throw std::logic_error("not a STUN message");
    return *view;
  }
  bool success() const { return reply && message().message_class() == MessageClass::kSuccessResponse; }
  // 0 for a success, -1 where there is no reply.
  int error() const {
    if (!reply) return -1;
    if (success()) return 0;
    const auto value = message().value(AttributeType::kErrorCode);
    return value ? stun::read_error_code(*value).value() : -2;
  }
  bool has(AttributeType type) const { return message().has(type); }
  turn::ConnectionId connection_id() const {
    return turn::ConnectionId{stun::read_u32(message().value(AttributeType::kConnectionId).value()).value()};
  }
  std::string text(AttributeType type) const { return std::string{as_text(message().value(type).value())}; }
  Endpoint address(AttributeType type) const {
    return stun::read_xor_address(message().value(type).value(), message().transaction_id()).value();
  }
  Endpoint plain_address(AttributeType type) const { return stun::read_address(message().value(type).value()).value(); }
  // All that an attribute may be there for, in order.
  std::vector<Endpoint> addresses(AttributeType type) const {
    std::vector<Endpoint> found;
    message().for_each([&](const stun::Attribute& attribute) {
      if (attribute.type == type)
        found.push_back(stun::read_xor_address(attribute.value, message().transaction_id()).value());
    });
    return found;
  }
  Endpoint relayed() const { return address(AttributeType::kXorRelayedAddress); }
  std::uint32_t lifetime() const { return stun::read_u32(message().value(AttributeType::kLifetime).value()).value(); }
  std::vector<std::uint16_t> unknown_attributes() const {
    const Bytes value = message().value(AttributeType::kUnknownAttributes).value();
    std::vector<std::uint16_t> types;
    for (std::size_t i = 0; i + 1 < value.size(); i += 2)
      types.push_back(load_be16(value.data() + i));
    return types;
  }
  bool is_data_indication() const {
    return to_client && to_client->bytes.at(0) < 4 && message().method() == Method::kData &&
           message().message_class() == MessageClass::kIndication;
  }
  bool is_channel_data(std::uint16_t number) const { return to_client && load_be16(to_client->bytes.data()) == number; }
};

// Counters of all servers of this program; every_reason_test.cpp looks at them at the end.
inline turn::Counters& merged_counters() {
  static turn::Counters all;
  return all;
}

inline constexpr std::string_view kRealm = "example.org";
inline constexpr std::string_view kSecret = "north of the bridge";
inline constexpr std::string_view kOldSecret = "south of the bridge";

// One server and its surroundings. Change what is public before the first packet.
class TurnScript {
 public:
  Now now{TimePoint{} + 1000s, WallTime{1'800'000'000s}};
  ScriptedRandom random;
  ScriptedRelayPorts ports;
  ScriptedTcpRelayPorts tcp_ports;
  RecordingEvents events;
  turn::ServerOptions options;
  turn::RealmLimits limits;
  std::map<std::string, std::string> users{{"alice", "wonder land"}, {"bob", "builder"}};
  std::vector<std::string> secrets{std::string{kOldSecret}, std::string{kSecret}};
  std::shared_ptr<const turn::UserGate> gate;
  const turn::Siblings* siblings = nullptr;
  std::vector<turn::RealmOptions> more_realms;  // after the first, which the above is about

  TurnScript() {
    options.relay_port_min = 50000;
    options.relay_port_max = 50099;
    options.relay_addresses.relay = {ip("0.0.0.0"), ip("::")};
    options.relay_addresses.interfaces = {ip("127.0.0.1"), ip("::1"), ip("192.0.2.10"), ip("2001:db8::10")};
    options.relay_addresses.default_route = {ip("192.0.2.10"), ip("2001:db8::10")};
  }
  TurnScript(const TurnScript&) = delete;
  ~TurnScript() { end_server(); }

  turn::Server& server() {
    if (!server_) {
      turn::NonceKey key{};
      key.fill(7);
      server_ = std::make_unique<turn::Server>(options, all_realms(), key,
                                               turn::ServerEnvironment{ports, random, events, &tcp_ports, siblings});
    }
    return *server_;
  }

  // Ends the server and checks that nothing stays behind.
  void end_server() {
    if (!server_) return;
    server_->stop(now);
    EXPECT_EQ(server_->allocations().size(), 0u);
    EXPECT_TRUE(ports.open_relays.empty());
    EXPECT_TRUE(tcp_ports.listeners.open_relays.empty());
    EXPECT_EQ(server_->connections().size(), 0u);
    EXPECT_EQ(server_->next_deadline(), std::nullopt);
    EXPECT_EQ(events.created.size(), events.ended.size());
    const auto& counters = server_->counters();
    auto& all = merged_counters();
    for (std::size_t i = 0; i < all.drops.size(); ++i)
      all.drops[i] += counters.drops[i];
    for (std::size_t i = 0; i < all.errors_by_code.size(); ++i)
      all.errors_by_code[i] += counters.errors_by_code[i];
    server_.reset();
  }

  void pass(std::chrono::nanoseconds time) {
    now.steady += time;
    now.wall = WallTime{1'800'000'000s} + std::chrono::floor<std::chrono::seconds>(now.steady - TimePoint{} - 1000s);
  }
  // The same, and the timer fires as the edge would let it.
  void pass_with_timer(std::chrono::nanoseconds time) {
    const TimePoint end = now.steady + time;
    while (server().next_deadline() && *server().next_deadline() <= end) {
      const TimePoint deadline = *server().next_deadline();
      pass(std::max(deadline - now.steady, std::chrono::nanoseconds{0}));
      server().on_timer(now);
      if (server().next_deadline() && *server().next_deadline() <= deadline) {
        ADD_FAILURE() << "the timer does not move on";
        return;
      }
    }
    pass(end - now.steady);
  }

  TrafficClass traffic_class{};  // of what comes in
  Answer from_client(const turn::ClientRef& client, Bytes bytes) {
    PacketBuffer packet{bytes};
    turn::ReplyBuffer reply{};
    return copy(server().on_client_packet({client, packet.bytes(), traffic_class}, now, reply), packet);
  }
  Answer from_peer(turn::RelayId relay, const Endpoint& peer, Bytes payload) {
    PacketBuffer packet{payload};
    return copy(server().on_peer_packet(relay, peer, packet.bytes(), now, traffic_class), packet);
  }
  Answer icmp_error(turn::RelayId relay, const Endpoint& peer, const turn::IcmpError& error) {
    turn::ReplyBuffer reply{};
    const turn::Outcome outcome = server().on_icmp_error(relay, peer, error, now, reply);
    Answer answer;
    if (const auto* drop = std::get_if<turn::Drop>(&outcome)) answer.drop = drop->reason;
    if (const auto* client = std::get_if<turn::ToClient>(&outcome))
      answer.to_client = Answer::ClientPacket{client->client, octets_of(client->bytes), client->traffic_class};
    return answer;
  }
  Answer from_peer(turn::RelayId relay, const Endpoint& peer, std::string_view payload) {
    return from_peer(relay, peer, as_bytes(payload));
  }

  Answer connect_result(turn::ConnectionId id, bool established) {
    turn::ReplyBuffer reply{};
    return copy(server().on_connect_result(id, established, now, reply), PacketBuffer{{}});
  }
  Answer from_connecting_peer(turn::RelayId relay, const Endpoint& from) {
    turn::ReplyBuffer reply{};
    return copy(server().on_peer_connection(relay, from, now, reply), PacketBuffer{{}});
  }

  std::uint64_t drops(DropReason reason) { return server().counters().drops[static_cast<std::size_t>(reason)]; }

 private:
  std::vector<turn::RealmOptions> all_realms() const {
    std::vector<turn::RealmOptions> realms{
        {std::make_shared<turn::Credentials>(std::string{kRealm}, users, secrets, gate), limits}};
    realms.insert(realms.end(), more_realms.begin(), more_realms.end());
    return realms;
  }
  static Answer copy(const turn::Outcome& outcome, const PacketBuffer& packet) {
    Answer answer;
    if (const auto* drop = std::get_if<turn::Drop>(&outcome)) {
      answer.drop = drop->reason;
    } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
      EXPECT_FALSE(reply->bytes.empty()) << "a reply that did not fit";
      answer.reply = octets_of(reply->bytes);
    } else if (const auto* other = std::get_if<turn::ReplyFrom>(&outcome)) {
      EXPECT_FALSE(other->bytes.empty()) << "a reply that did not fit";
      answer.reply = octets_of(other->bytes);
      answer.from = other->server;
      answer.to = other->client;
    } else if (const auto* peer = std::get_if<turn::ToPeer>(&outcome)) {
      EXPECT_TRUE(packet.holds(peer->payload));
      answer.to_peer = Answer::PeerPacket{peer->relay, peer->peer, octets_of(peer->payload), peer->traffic_class,
                                          peer->dont_fragment};
    } else if (const auto* client = std::get_if<turn::ToClient>(&outcome)) {
      EXPECT_TRUE(packet.holds(client->bytes) || is_late_answer(client->bytes));
      answer.to_client = Answer::ClientPacket{client->client, octets_of(client->bytes), client->traffic_class};
    } else if (const auto* connect = std::get_if<turn::Connect>(&outcome)) {
      answer.connect = *connect;
    } else if (const auto* announced = std::get_if<turn::AnnounceConnection>(&outcome)) {
      answer.announced = announced->connection;
      answer.to_client = Answer::ClientPacket{announced->client, octets_of(announced->bytes)};
    } else if (const auto* bound = std::get_if<turn::BindStream>(&outcome)) {
      answer.bound = bound->connection;
      answer.reply = octets_of(bound->bytes);
    }
    return answer;
  }

  // Of a Connect: it is written into the reply buffer, because its request is gone.
  static bool is_late_answer(Bytes bytes) {
    const auto message = stun::MessageView::parse(bytes);
    return message && message->method() == Method::kConnect;
  }

  std::unique_ptr<turn::Server> server_;
};

// A client of the script's server. It answers the 401 challenge by itself and checks the integrity of each reply.
class TurnClient {
 public:
  using Add = std::function<void(MessageBuilder&)>;

  TurnScript& script;
  turn::ClientRef ref;
  std::string username = "alice";
  std::string password = "wonder land";
  std::string realm{kRealm};
  std::string nonce;
  stun::TransactionId transaction{};  // of the last request
  bool with_fingerprint = false;
  std::optional<stun::PasswordAlgorithm> algorithm{};  // set: a client of RFC 8489, which names it
  bool anonymous = false;                              // USERHASH instead of USERNAME

  explicit TurnClient(TurnScript& of, const Endpoint& from = at("198.51.100.7", 40000),
                      const Endpoint& server = at("192.0.2.10", 3478),
                      turn::Transport transport = turn::Transport::kUdp)
      : script(of), ref{{from, server, transport}, 42} {
    transaction[0] = static_cast<std::uint8_t>(from.port >> 8);
    transaction[1] = static_cast<std::uint8_t>(from.port);
  }

  TurnClient& as(std::string user, std::string secret) {
    username = std::move(user);
    password = std::move(secret);
    return *this;
  }
  TurnClient& as_time_limited(std::string_view user, WallTime expires_at, std::string_view secret = kSecret) {
    const auto credential = turn::make_time_limited_credential(secret, user, expires_at);
    return as(credential.username, credential.password);
  }
  stun::LongTermKey key() const {
    return algorithm == stun::PasswordAlgorithm::kSha256 ? stun::long_term_key_sha256(username, realm, password)
                                                         : stun::long_term_key_md5(username, realm, password);
  }

  // Without any credential.
  Answer bare(Method method, const Add& add = {}, MessageClass message_class = MessageClass::kRequest) {
    return script.from_client(ref, build(method, message_class, add, false));
  }
  Octets build(Method method, MessageClass message_class, const Add& add, bool signed_with_key) {
    next_transaction();
    return build_again(method, message_class, add, signed_with_key);
  }
  Octets build_again(Method method, MessageClass message_class, const Add& add, bool signed_with_key) {
    Octets buffer(66000);
    MessageBuilder builder{buffer, method, message_class, transaction};
    if (add) add(builder);
    if (signed_with_key) {
      if (anonymous) {
        builder.add(AttributeType::kUserhash, stun::userhash(username, realm));
      } else {
        builder.add_text(AttributeType::kUsername, username);
      }
      builder.add_text(AttributeType::kRealm, realm);
      builder.add_text(AttributeType::kNonce, nonce);
      if (algorithm) {
        builder.add(AttributeType::kPasswordAlgorithms, std::array<std::uint8_t, 8>{0, 2, 0, 0, 0, 1, 0, 0});
        builder.add_u32(AttributeType::kPasswordAlgorithm, static_cast<std::uint32_t>(*algorithm) << 16);
        builder.add_message_integrity_sha256(key().octets());
      } else {
        builder.add_message_integrity(key().octets());
      }
    }
    if (with_fingerprint) builder.add_fingerprint();
    EXPECT_FALSE(builder.overflowed());
    return octets_of(builder.finish());
  }

  void challenge() { nonce = bare(Method::kAllocate, udp).text(AttributeType::kNonce); }
  Answer request(Method method, const Add& add = {}) {
    if (nonce.empty()) challenge();
    const Answer answer = script.from_client(ref, build(method, MessageClass::kRequest, add, true));
    check_reply(answer, method);
    return answer;
  }
  // The last request once more, octet for octet the same transaction.
  Answer retransmit(Method method, const Add& add = {}) {
    const Answer answer = script.from_client(ref, build_again(method, MessageClass::kRequest, add, true));
    check_reply(answer, method);
    return answer;
  }
  void check_reply(const Answer& answer, Method method) const {
    ASSERT_TRUE(answer.reply);
    const auto message = answer.message();
    EXPECT_EQ(message.method(), method);
    EXPECT_EQ(message.transaction_id(), transaction);
    EXPECT_EQ(message.has(AttributeType::kFingerprint), with_fingerprint);
    EXPECT_EQ(stun::check_fingerprint(message),
              with_fingerprint ? stun::Fingerprint::kValid : stun::Fingerprint::kAbsent);
    if (message.has(AttributeType::kMessageIntegrity)) {
      EXPECT_FALSE(algorithm) << "RFC 8489 §9.2.4: SHA-256 for who named an algorithm";
      EXPECT_TRUE(stun::check_message_integrity(message, key().octets()));
    } else if (message.has(AttributeType::kMessageIntegritySha256)) {
      EXPECT_TRUE(algorithm);
      EXPECT_TRUE(stun::check_message_integrity_sha256(message, key().octets()));
    } else {
      const int error = answer.error();
      EXPECT_TRUE(error == 400 || error == 401 || error == 438) << error << " without integrity";
    }
  }

  static void udp(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedTransport, 17u << 24); }
  static void tcp(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedTransport, 6u << 24); }
  static void ipv6(MessageBuilder& builder) { builder.add_u32(AttributeType::kRequestedAddressFamily, 2u << 24); }
  Answer allocate(const Add& add = {}) {
    return request(Method::kAllocate, [&add](MessageBuilder& builder) {
      udp(builder);
      if (add) add(builder);
    });
  }
  static void additional_ipv6(MessageBuilder& builder) {
    builder.add_u32(AttributeType::kAdditionalAddressFamily, 2u << 24);
  }
  Answer allocate_dual() { return allocate(additional_ipv6); }
  Answer allocate_lifetime(std::uint32_t seconds) {
    return allocate([seconds](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, seconds); });
  }
  Answer refresh(std::optional<std::uint32_t> seconds = std::nullopt) {
    return request(Method::kRefresh, [seconds](MessageBuilder& builder) {
      if (seconds) builder.add_u32(AttributeType::kLifetime, *seconds);
    });
  }
  Answer refresh_family(AddressFamily family, std::optional<std::uint32_t> seconds = std::nullopt) {
    return request(Method::kRefresh, refresh_of(family, seconds));
  }
  static Add refresh_of(AddressFamily family, std::optional<std::uint32_t> seconds) {
    return [family, seconds](MessageBuilder& builder) {
      if (seconds) builder.add_u32(AttributeType::kLifetime, *seconds);
      builder.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(family) << 24);
    };
  }
  Answer permit_all(const std::vector<std::string_view>& peers) {
    return request(Method::kCreatePermission, [&peers](MessageBuilder& builder) {
      for (const auto peer : peers)
        builder.add_xor_address(AttributeType::kXorPeerAddress, at(peer, 9));
    });
  }
  template <class... Peers>
  Answer permit(const Peers&... peers) {
    return permit_all({std::string_view{peers}...});
  }
  Answer bind(std::uint16_t number, const Endpoint& peer) {
    return request(Method::kChannelBind, [&](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kChannelNumber, std::uint32_t{number} << 16);
      builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
    });
  }
  Answer send(const Endpoint& peer, std::string_view payload) {
    return bare(
        Method::kSend,
        [&](MessageBuilder& builder) {
          builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
          builder.add_text(AttributeType::kData, payload);
        },
        MessageClass::kIndication);
  }
  Answer channel_data(std::uint16_t number, std::string_view payload) {
    Octets packet(4);
    store_be16(packet.data(), number);
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(payload.size()));
    packet.insert(packet.end(), payload.begin(), payload.end());
    return script.from_client(ref, packet);
  }

  const turn::Allocation* allocation() const { return script.server().allocations().find(ref.five_tuple); }
  turn::RelayId relay() const { return allocation()->relays.front().id; }
  turn::RelayId relay(AddressFamily family) const { return allocation()->relay_for(family)->id; }

 private:
  void next_transaction() {
    for (std::size_t i = transaction.size(); i-- > 2;)
      if (++transaction[i] != 0) break;
  }
};

}  // namespace causeway::test
