// SPDX-License-Identifier: Apache-2.0
// What the core's step costs for one relayed packet, without any system call: ChannelData in, ToPeer out, and back.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/turn/server.hpp"
#include "core_environment.hpp"

namespace causeway::turn {
namespace {

const Endpoint kPeer{IpAddress{std::array<std::uint8_t, 4>{8, 8, 8, 8}}, 5000};
constexpr std::size_t kPayloadBytes = 160;

struct Scene {
  explicit Scene(std::size_t allocations) {
    ServerOptions options;
    options.relay_addresses.relay = {IpAddress{std::array<std::uint8_t, 4>{203, 0, 113, 1}}};
    options.relay_port_min = 1024;
    auto credentials = std::make_shared<const Credentials>(
        "example.org", std::map<std::string, std::string>{{"user", "password"}}, std::vector<std::string>{});
    const RealmOptions realm{std::move(credentials), {.allocations_per_user_max = 0}};
    server =
        std::make_unique<Server>(options, std::vector{realm}, NonceKey{}, ServerEnvironment{ports, random, events});
    for (std::size_t i = 0; i < allocations; ++i)
      add_client(i);
  }

  void add_client(std::size_t index) {
    const auto high = static_cast<std::uint8_t>(index >> 8);
    const Endpoint address{IpAddress{std::array<std::uint8_t, 4>{10, 1, high, static_cast<std::uint8_t>(index)}}, 4000};
    ClientRef client{{address, {IpAddress{std::array<std::uint8_t, 4>{203, 0, 113, 1}}, 3478}, Transport::kUdp}, 0};
    request(client, stun::Method::kAllocate, [](stun::MessageBuilder& message) {
      message.add_u32(stun::AttributeType::kRequestedTransport, 17u << 24);
    });
    request(client, stun::Method::kChannelBind, [](stun::MessageBuilder& message) {
      message.add_u32(stun::AttributeType::kChannelNumber, 0x4000u << 16);
      message.add_xor_address(stun::AttributeType::kXorPeerAddress, kPeer);
    });
    clients.push_back(client);
  }

  template <class Fill>
  void request(const ClientRef& client, stun::Method method, Fill fill) {
    static const auto key = stun::long_term_key_md5("user", "example.org", "password");
    const NonceSource nonces{NonceKey{}, std::chrono::seconds{3600}};
    std::array<std::uint8_t, 512> buffer{};
    const stun::TransactionId id{static_cast<std::uint8_t>(method)};
    stun::MessageBuilder message{buffer, method, stun::MessageClass::kRequest, id};
    fill(message);
    message.add_text(stun::AttributeType::kUsername, "user");
    message.add_text(stun::AttributeType::kRealm, "example.org");
    message.add_text(stun::AttributeType::kNonce, nonces.make("example.org", client.five_tuple, now.wall));
    message.add_message_integrity(key.octets());
    const std::size_t bytes = message.finish().size();
    ReplyBuffer reply{};
    (void)server->on_client_packet({client, MutableBytes{buffer}.first(bytes)}, now, reply);
  }

  EveryPort ports;
  Counting random;
  Silent events;
  Now now{TimePoint{} + std::chrono::hours{1}, WallTime{std::chrono::seconds{1'700'000'000}}};
  std::unique_ptr<Server> server;
  std::vector<ClientRef> clients;
};

void client_to_peer(benchmark::State& state) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  std::array<std::uint8_t, Server::kHeadroomBytes + 2048> buffer{};
  const MutableBytes payload = MutableBytes{buffer}.subspan(Server::kHeadroomBytes, kPayloadBytes);
  ReplyBuffer reply{};
  std::size_t next = 0;
  std::uint64_t relayed = 0;
  for (auto _ : state) {
    const MutableBytes packet = stun::write_channel_data_in_front(payload, 0x4000);
    const Outcome outcome = scene.server->on_client_packet({scene.clients[next], packet}, scene.now, reply);
    relayed += std::holds_alternative<ToPeer>(outcome) ? 1 : 0;
    next = (next + 7919) % scene.clients.size();
  }
  if (relayed != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("packets were dropped");
}
BENCHMARK(client_to_peer)->Arg(100)->Arg(10'000);

void peer_to_client(benchmark::State& state) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  std::vector<RelayId> relays;
  scene.server->allocations().for_each(
      [&](const Allocation& allocation) { relays.push_back(allocation.relays[0].id); });
  std::array<std::uint8_t, Server::kHeadroomBytes + 2048> buffer{};
  const MutableBytes payload = MutableBytes{buffer}.subspan(Server::kHeadroomBytes, kPayloadBytes);
  std::size_t next = 0;
  std::uint64_t relayed = 0;
  for (auto _ : state) {
    const Outcome outcome = scene.server->on_peer_packet(relays[next], kPeer, payload, scene.now);
    relayed += std::holds_alternative<ToClient>(outcome) ? 1 : 0;
    next = (next + 7919) % relays.size();
  }
  if (relayed != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("packets were dropped");
}
BENCHMARK(peer_to_client)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace causeway::turn
