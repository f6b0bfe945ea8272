// SPDX-License-Identifier: Apache-2.0
// Scripts for the TURN core: a turn::Server without a socket, in fake time and scripted surroundings.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "addresses.hpp"
#include "causeway/turn/server.hpp"
#include "turn_answer.hpp"
#include "turn_printing.hpp"
#include "turn_surroundings.hpp"

namespace causeway::test {

using namespace std::chrono_literals;

// Peers that the policy allows.
inline const Endpoint kPeer = at("9.9.9.9", 7000);
inline const Endpoint kPeerV6 = at("2620:fe::9", 7000);

inline constexpr std::string_view kRealm = "example.org";
inline constexpr std::string_view kSecret = "north of the bridge";
inline constexpr std::string_view kOldSecret = "south of the bridge";

// Counters of all servers of this program; every_reason_test.cpp looks at them at the end.
turn::Counters& merged_counters();

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

  TurnScript();
  TurnScript(const TurnScript&) = delete;
  ~TurnScript() { end_server(); }

  turn::Server& server();
  // Ends the server and checks that nothing stays behind.
  void end_server();

  void pass(std::chrono::nanoseconds time);
  // The same, and the timer fires as the edge would let it.
  void pass_with_timer(std::chrono::nanoseconds time);

  TrafficClass traffic_class{};  // of what comes in
  Answer from_client(const turn::ClientRef& client, Bytes bytes);
  Answer from_peer(turn::RelayId relay, const Endpoint& peer, Bytes payload);
  Answer from_peer(turn::RelayId relay, const Endpoint& peer, std::string_view payload);
  Answer icmp_error(turn::RelayId relay, const Endpoint& peer, const turn::IcmpError& error);
  Answer connect_result(turn::ConnectionId id, bool established);
  Answer from_connecting_peer(turn::RelayId relay, const Endpoint& from);

  std::uint64_t drops(DropReason reason) { return server().counters().drops[static_cast<std::size_t>(reason)]; }

 private:
  std::vector<turn::RealmOptions> all_realms() const;

  std::unique_ptr<turn::Server> server_;
};

}  // namespace causeway::test
