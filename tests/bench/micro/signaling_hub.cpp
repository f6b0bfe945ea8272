// SPDX-License-Identifier: Apache-2.0
// What the Hub does with one message of a member: to one other, and to all in the room. Texts are neither read nor
// written here, which is the codec's part.
#include <benchmark/benchmark.h>

#include <string>

#include "causeway/signaling/hub.hpp"
#include "core_environment.hpp"

namespace causeway::signaling {
namespace {

class NoIceServers final : public IceServers {
 public:
  IceServerList for_member(const IceServersRequest&, Now) override { return {}; }
};

const Now kNow{TimePoint{} + std::chrono::hours{1}, WallTime{std::chrono::seconds{1'700'000'000}}};
constexpr std::size_t kMembers = 16;  // of each room

class Scene {
 public:
  explicit Scene(std::size_t rooms) : hub_(options(rooms), ice_servers_, tokens_, random_) {
    for (std::size_t i = 0; i < rooms * kMembers; ++i) {
      const SessionId id{i + 1};
      (void)hub_.open(id, {std::nullopt, "call.example.org", true}, kNow);
      const ClientMessage join{Join{"room" + std::to_string(i / kMembers), "somebody"}, {}};
      for (const Delivery& delivery : hub_.on_message(id, join, kNow))
        if (delivery.message && std::holds_alternative<Joined>(*delivery.message))
          members.push_back(std::get<Joined>(*delivery.message).self.member);
    }
  }

  // Says `relay` in the name of one member after the other; how many get it. They acknowledge at once.
  std::size_t say(const Relay& relay, std::size_t sender) {
    const Deliveries deliveries = hub_.on_message(SessionId{sender + 1}, {relay, {}}, kNow);
    for (const Delivery& delivery : deliveries)
      if (delivery.seq) hub_.on_acknowledged(delivery.receiver, *delivery.seq);
    return deliveries.size();
  }

  std::vector<std::string> members;  // their ids, in the order of their sessions

 private:
  static HubOptions options(std::size_t rooms) {
    HubOptions options;
    options.sessions_max = rooms * kMembers;
    options.rooms_max = rooms;
    options.room_members_max = kMembers;
    return options;
  }

  NoIceServers ice_servers_;
  NoAccessTokens tokens_;
  turn::Counting random_;
  Hub hub_;
};

void hub_offer_to_one(benchmark::State& state) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  const std::string sdp = '"' + std::string(4000, 'x') + '"';
  std::size_t sender = 0;
  for (auto _ : state) {
    const Relay relay{RelayType::kOffer, scene.members[sender ^ 1], {{"sdp", sdp}}};
    if (scene.say(relay, sender) != 1) return state.SkipWithError("not delivered to one");
    sender = (sender + 7919) % scene.members.size();
  }
}
BENCHMARK(hub_offer_to_one)->Arg(1)->Arg(600);

void hub_message_to_room(benchmark::State& state) {
  Scene scene{static_cast<std::size_t>(state.range(0))};
  const std::string text = '"' + std::string(200, 'x') + '"';
  std::size_t sender = 0;
  for (auto _ : state) {
    const Relay relay{RelayType::kMessage, std::nullopt, {{"data", text}}};
    if (scene.say(relay, sender) != kMembers - 1) return state.SkipWithError("not delivered to the room");
    sender = (sender + 7919) % scene.members.size();
  }
}
BENCHMARK(hub_message_to_room)->Arg(1)->Arg(600);

}  // namespace
}  // namespace causeway::signaling
