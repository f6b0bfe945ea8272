// SPDX-License-Identifier: Apache-2.0
// Starts from an authenticated session: an allocation of alice with a permission and a channel, and one of bob that
// she may reach in process. The input is a list of records: what, how many octets, octets.
//   what % 8:  0 client packet as it is   1 the same from bob    2 a peer's datagram    3 time passes
//              4 a STUN request whose attributes are the octets, then signed with a valid integrity
//              5 ChannelData on alice's channel   6 timer       7 the client's connection ends
// what / 8 chooses the method, client and mechanism of 4, the peer of 2, and whose connection it is in 7, where from 2
// on stands a request of another method instead.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/server.hpp"

using namespace causeway;
using namespace std::chrono_literals;
using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::Method;

namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

void require(bool holds) {
  if (!holds) std::abort();
}

class Counting : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& octet : out)
      octet = static_cast<std::uint8_t>((state_ = state_ * 6364136223846793005 + 1442695040888963407) >> 56);
  }

 private:
  std::uint64_t state_ = 1;
};

class Ports : public turn::RelayPorts {
 public:
  std::optional<turn::RelayOpenError> open(turn::RelayId id, const Endpoint& local) override {
    require(open_.emplace(local, id).second);
    return std::nullopt;
  }
  void close(turn::RelayId id) noexcept override {
    require(std::erase_if(open_, [id](const auto& entry) { return entry.second == id; }) == 1);
  }
  std::size_t size() const { return open_.size(); }

 private:
  std::map<Endpoint, turn::RelayId> open_;
};

class Silent : public turn::Events {
 public:
  void on_allocation_created(const turn::Allocation&) override {}
  void on_allocation_moving(const turn::Allocation&, const turn::FiveTuple&) override {}
  void on_allocation_ended(const turn::Allocation&, turn::EndReason, Now) override {}
  void on_request_refused(const turn::FiveTuple&, Method, stun::ErrorCode, std::string_view) override {}
};

turn::ServerOptions options() {
  turn::ServerOptions options;
  options.relay_port_min = 50000;
  options.relay_port_max = 50007;
  options.relay_addresses.relay = {ip("0.0.0.0"), ip("::")};
  options.relay_addresses.default_route = {ip("192.0.2.10"), ip("2001:db8::10")};
  options.relay_addresses.interfaces = {ip("192.0.2.10"), ip("2001:db8::10"), ip("127.0.0.1")};
  return options;
}

struct Client {
  turn::ClientRef ref;
  std::string username;
  stun::LongTermKey key;
  stun::LongTermKey key_sha256;
  std::string nonce{};
};

class Session {
 public:
  Session()
      : server_(
            options(),
            {{std::make_shared<turn::Credentials>("realm", Users{{"alice", "a"}, {"bob", "b"}}, Secrets{"s"}), {3}}},
            turn::NonceKey{}, {ports_, random_, events_}) {
    const Endpoint at{ip("192.0.2.10"), 3478};
    alice_ = {{{{ip("198.51.100.7"), 1}, at, turn::Transport::kUdp}, 1},
              "alice",
              stun::long_term_key_md5("alice", "realm", "a"),
              stun::long_term_key_sha256("alice", "realm", "a")};
    bob_ = {{{{ip("198.51.100.8"), 1}, at, turn::Transport::kTls}, 2},
            "bob",
            stun::long_term_key_md5("bob", "realm", "b"),
            stun::long_term_key_sha256("bob", "realm", "b")};
    for (Client* client : {&alice_, &bob_}) {
      challenge(*client);
      allocate(*client);
    }
    const Endpoint alice_relayed = server_.allocations().find(alice_.ref.five_tuple)->relays[0].relayed_address;
    const Endpoint bob_relayed = server_.allocations().find(bob_.ref.five_tuple)->relays[0].relayed_address;
    bind(alice_, 0x4000, kPeer);
    bind(alice_, 0x4001, bob_relayed);
    bind(bob_, 0x4000, alice_relayed);
  }

  ~Session() {
    server_.stop(now_);
    require(ports_.size() == 0 && server_.allocations().size() == 0 && !server_.next_deadline());
  }

  void record(std::uint8_t what, Bytes octets) {
    switch (what % 8) {
      case 0:
        return from_client(alice_, octets);
      case 1:
        return from_client(bob_, octets);
      case 2:
        return from_peer(what / 8, octets);
      case 3:
        return pass(octets);
      case 4:
        return signed_request(what / 8, octets);
      case 5: {
        std::vector<std::uint8_t> packet{0x40, static_cast<std::uint8_t>(what / 8 % 2),
                                         static_cast<std::uint8_t>(octets.size() >> 8),
                                         static_cast<std::uint8_t>(octets.size())};
        packet.insert(packet.end(), octets.begin(), octets.end());
        return from_client(alice_, packet);
      }
      case 6:
        return server_.on_timer(now_);
      default:
        if (what / 8 >= 2) return other_request(what / 8 - 2u, octets);
        return server_.on_client_gone((what / 8 == 0 ? alice_ : bob_).ref.five_tuple, now_);
    }
  }

 private:
  using Users = std::map<std::string, std::string>;
  using Secrets = std::vector<std::string>;
  const Endpoint kPeer{ip("9.9.9.1"), 7000};

  // Exactly what the server may touch, so that a sanitizer sees each octet beyond.
  static std::vector<std::uint8_t> packet_of(Bytes octets) {
    std::vector<std::uint8_t> packet(turn::Server::kHeadroomBytes + octets.size() + turn::Server::kTailroomBytes);
    std::copy(octets.begin(), octets.end(), packet.begin() + turn::Server::kHeadroomBytes);
    return packet;
  }
  static MutableBytes inside(std::vector<std::uint8_t>& packet) {
    return MutableBytes{packet}.subspan(turn::Server::kHeadroomBytes,
                                        packet.size() - turn::Server::kHeadroomBytes - turn::Server::kTailroomBytes);
  }

  void check(const turn::Outcome& outcome, const std::vector<std::uint8_t>& packet) {
    const auto holds = [&packet](Bytes bytes) {
      return bytes.data() >= packet.data() && bytes.data() + bytes.size() <= packet.data() + packet.size();
    };
    if (const auto* to_peer = std::get_if<turn::ToPeer>(&outcome)) {
      require(holds(to_peer->payload));
      const turn::Allocation* allocation = server_.allocations().find(to_peer->relay);
      require(allocation != nullptr && allocation->permissions.find(to_peer->peer.address, now_.steady) != nullptr);
    } else if (const auto* to_client = std::get_if<turn::ToClient>(&outcome)) {
      require(holds(to_client->bytes) && server_.allocations().find(to_client->client.five_tuple) != nullptr);
      require(to_client->bytes[0] >= 0x40 || stun::MessageView::parse(to_client->bytes).has_value());
    } else if (const auto* reply = std::get_if<turn::Reply>(&outcome)) {
      require(stun::MessageView::parse(reply->bytes).has_value());
    }
    require(server_.allocations().size() <= ports_.size());
  }

  void from_client(const Client& client, Bytes octets) {
    auto packet = packet_of(octets);
    turn::ReplyBuffer reply;
    check(server_.on_client_packet({client.ref, inside(packet)}, now_, reply), packet);
  }

  void from_peer(unsigned which, Bytes octets) {
    const turn::Allocation* allocation = server_.allocations().find(alice_.ref.five_tuple);
    const turn::RelayId relay = allocation != nullptr ? allocation->relays[0].id : turn::RelayId{which, 1};
    const Endpoint peer = which % 3 == 0 ? kPeer : Endpoint{which % 3 == 1 ? kPeer.address : ip("9.9.9.2"), 7001};
    auto packet = packet_of(octets);
    check(server_.on_peer_packet(relay, peer, inside(packet), now_), packet);
  }

  void pass(Bytes octets) {
    std::chrono::seconds time{0};
    for (const std::uint8_t octet : octets.first(std::min<std::size_t>(octets.size(), 4)))
      time += std::chrono::seconds{octet};
    now_.steady += time;
    now_.wall += time;
  }

  void signed_request(unsigned how, Bytes attributes) {
    constexpr std::array kMethods{Method::kAllocate, Method::kRefresh, Method::kCreatePermission, Method::kChannelBind};
    Client& client = how / 4 % 2 == 0 ? alice_ : bob_;
    if (how / 8 % 2 == 1) challenge(client);
    request(client, kMethods[how % 4], how, attributes, how / 16 % 2 == 1);
  }
  void other_request(unsigned how, Bytes attributes) {
    constexpr std::array kMethods{Method::kBinding, Method::kConnect, Method::kConnectionBind};
    request(how / 3 % 2 == 0 ? alice_ : bob_, kMethods[how % 3], how, attributes, how / 6 % 2 == 1);
  }

  // Attributes as records: type, length, value. Types from 0x80 on are those that need not be understood.
  void request(Client& client, Method method, unsigned id, Bytes attributes, bool sha256) {
    std::vector<std::uint8_t> buffer(66000);
    MessageBuilder builder{buffer, method, MessageClass::kRequest, {static_cast<std::uint8_t>(id)}};
    while (attributes.size() >= 2) {
      const std::size_t size = std::min<std::size_t>(attributes[1], attributes.size() - 2);
      const unsigned type = attributes[0] < 0x80 ? attributes[0] : 0x8000u | (attributes[0] & 0x7Fu);
      builder.add(static_cast<AttributeType>(type), attributes.subspan(2, size));
      attributes = attributes.subspan(2 + size);
    }
    sign(builder, client, sha256);
    from_client(client, builder.finish());
  }

  static void sign(MessageBuilder& builder, const Client& client, bool sha256 = false) {
    builder.add_text(AttributeType::kUsername, client.username).add_text(AttributeType::kRealm, "realm");
    builder.add_text(AttributeType::kNonce, client.nonce);
    if (!sha256) {
      builder.add_message_integrity(client.key.octets());
      return;
    }
    builder.add(AttributeType::kPasswordAlgorithms, std::array<std::uint8_t, 8>{0, 2, 0, 0, 0, 1, 0, 0});
    builder.add_u32(AttributeType::kPasswordAlgorithm, 2u << 16);
    builder.add_message_integrity_sha256(client.key_sha256.octets());
  }

  void challenge(Client& client) {
    std::array<std::uint8_t, 64> buffer{};
    MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kRequest, {}};
    builder.add_u32(AttributeType::kRequestedTransport, 17u << 24);  // without it SHA-256 would not be offered
    auto packet = packet_of(builder.finish());
    turn::ReplyBuffer reply;
    const auto outcome = server_.on_client_packet({client.ref, inside(packet)}, now_, reply);
    const auto message = stun::MessageView::parse(std::get<turn::Reply>(outcome).bytes);
    client.nonce = as_text(*message->value(AttributeType::kNonce));
  }
  void allocate(const Client& client) {
    std::array<std::uint8_t, 512> buffer{};
    MessageBuilder builder{buffer, Method::kAllocate, MessageClass::kRequest, {1}};
    builder.add_u32(AttributeType::kRequestedTransport, 17u << 24);
    sign(builder, client);
    from_client(client, builder.finish());
  }
  void bind(const Client& client, std::uint16_t number, const Endpoint& peer) {
    std::array<std::uint8_t, 512> buffer{};
    MessageBuilder builder{buffer, Method::kChannelBind, MessageClass::kRequest, {2}};
    builder.add_u32(AttributeType::kChannelNumber, std::uint32_t{number} << 16);
    builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
    sign(builder, client);
    from_client(client, builder.finish());
    require(server_.allocations().find(client.ref.five_tuple)->channels.is_bound(number));
  }

  Now now_{TimePoint{} + 1000s, WallTime{1'800'000'000s}};
  Counting random_;
  Ports ports_;
  Silent events_;
  turn::Server server_;
  Client alice_, bob_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  Session session;
  Bytes rest{input, size};
  while (rest.size() >= 2) {
    const std::size_t octets = std::min<std::size_t>(rest[1], rest.size() - 2);
    session.record(rest[0], rest.subspan(2, octets));
    rest = rest.subspan(2 + octets);
  }
  return 0;
}
