// SPDX-License-Identifier: Apache-2.0
#include "turn_script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <variant>

namespace causeway::test {

turn::Counters& merged_counters() {
  static turn::Counters all;
  return all;
}

TurnScript::TurnScript() {
  options.relay_port_min = 50000;
  options.relay_port_max = 50099;
  options.relay_addresses.relay = {ip("0.0.0.0"), ip("::")};
  options.relay_addresses.interfaces = {ip("127.0.0.1"), ip("::1"), ip("192.0.2.10"), ip("2001:db8::10")};
  options.relay_addresses.default_route = {ip("192.0.2.10"), ip("2001:db8::10")};
}

turn::Server& TurnScript::server() {
  if (!server_) {
    turn::NonceKey key{};
    key.fill(7);
    server_ = std::make_unique<turn::Server>(options, all_realms(), key,
                                             turn::ServerEnvironment{ports, random, events, &tcp_ports, siblings});
  }
  return *server_;
}

void TurnScript::end_server() {
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

void TurnScript::pass(std::chrono::nanoseconds time) {
  now.steady += time;
  now.wall = WallTime{1'800'000'000s} + std::chrono::floor<std::chrono::seconds>(now.steady - TimePoint{} - 1000s);
}

void TurnScript::pass_with_timer(std::chrono::nanoseconds time) {
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

Answer TurnScript::from_client(const turn::ClientRef& client, Bytes bytes) {
  PacketBuffer packet{bytes};
  turn::ReplyBuffer reply{};
  return Answer::of(server().on_client_packet({client, packet.bytes(), traffic_class}, now, reply), packet);
}

Answer TurnScript::from_peer(turn::RelayId relay, const Endpoint& peer, Bytes payload) {
  PacketBuffer packet{payload};
  return Answer::of(server().on_peer_packet(relay, peer, packet.bytes(), now, traffic_class), packet);
}

Answer TurnScript::from_peer(turn::RelayId relay, const Endpoint& peer, std::string_view payload) {
  return from_peer(relay, peer, as_bytes(payload));
}

Answer TurnScript::icmp_error(turn::RelayId relay, const Endpoint& peer, const turn::IcmpError& error) {
  turn::ReplyBuffer reply{};
  const turn::Outcome outcome = server().on_icmp_error(relay, peer, error, now, reply);
  Answer answer;
  if (const auto* drop = std::get_if<turn::Drop>(&outcome)) answer.drop = drop->reason;
  if (const auto* client = std::get_if<turn::ToClient>(&outcome))
    answer.to_client = Answer::ClientPacket{client->client, octets_of(client->bytes), client->traffic_class};
  return answer;
}

Answer TurnScript::connect_result(turn::ConnectionId id, bool established) {
  turn::ReplyBuffer reply{};
  return Answer::of(server().on_connect_result(id, established, now, reply), PacketBuffer{{}});
}

Answer TurnScript::from_connecting_peer(turn::RelayId relay, const Endpoint& from) {
  turn::ReplyBuffer reply{};
  return Answer::of(server().on_peer_connection(relay, from, now, reply), PacketBuffer{{}});
}

std::vector<turn::RealmOptions> TurnScript::all_realms() const {
  std::vector<turn::RealmOptions> realms{
      {std::make_shared<turn::Credentials>(std::string{kRealm}, users, secrets, gate), limits}};
  realms.insert(realms.end(), more_realms.begin(), more_realms.end());
  return realms;
}

}  // namespace causeway::test
