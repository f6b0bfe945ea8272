// SPDX-License-Identifier: Apache-2.0
// Random sequences of requests, packets and time steps, each outcome foretold by a model that knows only the rules.
#include <gtest/gtest.h>

#include "turn_client.hpp"

namespace causeway::turn {
namespace {

using namespace test;

constexpr std::uint32_t kPerUserMax = 3;
constexpr std::uint32_t kTotalMax = 5;
constexpr std::size_t kPermissionsMax = 4;
constexpr std::size_t kChannelsMax = 3;
constexpr std::size_t kPorts = 3;

struct ModelAllocation {
  std::string username;
  Endpoint relayed;
  TimePoint expires_at;
  std::map<IpAddress, TimePoint> permissions;
  struct Channel {
    Endpoint peer;
    TimePoint expires_at;
  };
  std::map<std::uint16_t, Channel> channels;

  bool permits(const IpAddress& peer, TimePoint now) const {
    const auto found = permissions.find(peer);
    return found != permissions.end() && found->second > now;
  }
};

class Model {
 public:
  explicit Model(std::uint32_t seed) : random_(seed) {
    script_.limits.allocations_per_user_max = kPerUserMax;
    script_.options.limits.allocations_total_max = kTotalMax;
    script_.options.limits.permissions_per_allocation_max = kPermissionsMax;
    script_.options.limits.channels_per_allocation_max = kChannelsMax;
    script_.options.relay_port_max = 50000 + kPorts - 1;
    script_.options.nonce_lifetime = 1'000'000s;
    for (std::uint16_t i = 0; i < 7; ++i) {
      clients_.push_back(
          std::make_unique<TurnClient>(script_, at("198.51.100.7", static_cast<std::uint16_t>(40000 + i)),
                                       at("192.0.2.10", 3478), i < 4 ? Transport::kUdp : Transport::kTcp));
    }
  }

  void step() {
    std::size_t index = below(static_cast<std::uint32_t>(clients_.size()));
    TurnClient& client = *clients_[index];
    if (below(8) == 0) {
      below(2) == 0 ? client.as("alice", "wonder land") : client.as("bob", "builder");
    }
    switch (below(12)) {
      case 0:
      case 1:
        return allocate(index);
      case 2:
        return refresh(index);
      case 3:
      case 4:
        return permit(index);
      case 5:
      case 6:
        return bind(index);
      case 7:
        return to_peer(index, std::nullopt);
      case 8:
        return to_peer(index, channel_number());
      case 9:
        return from_peer(index);
      case 10:
        if (below(6) != 0) return mutate(index);
        script_.server().on_client_gone(client.ref.five_tuple, script_.now);
        allocations_.erase(index);
        return;
      default:
        return pass();
    }
  }

  void check() {
    ASSERT_EQ(script_.server().allocations().size(), allocations_.size());
    ASSERT_EQ(script_.ports.open_relays.size(), allocations_.size());
    const auto deadline = script_.server().next_deadline();
    ASSERT_TRUE(!deadline || *deadline > script_.now.steady);
    std::map<std::string, std::uint32_t> users;
    for (const auto& [index, model] : allocations_) {
      const Allocation* real = clients_[index]->allocation();
      ASSERT_NE(real, nullptr);
      ASSERT_EQ(real->relays[0].relayed_address, model.relayed);
      ASSERT_EQ(real->expires_at(), model.expires_at);
      ASSERT_EQ(real->permissions.size(), model.permissions.size());
      ASSERT_EQ(real->channels.size(), model.channels.size());
      ASSERT_LE(real->permissions.size(), kPermissionsMax);
      ASSERT_LE(real->channels.size(), kChannelsMax);
      ASSERT_LE(++users[model.username], kPerUserMax);
    }
    ASSERT_LE(allocations_.size(), kTotalMax);
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  TimePoint now() const { return script_.now.steady; }
  std::uint16_t channel_number() { return static_cast<std::uint16_t>(0x3FFF + below(6)); }

  Endpoint peer() {
    const auto port = static_cast<std::uint16_t>(50000 + below(kPorts + 1));
    switch (below(8)) {
      case 0:
        return at("192.0.2.10", port);
      case 1:
        return at("2001:db8::10", port);
      case 2:
        return at(below(4) == 0 ? "10.0.0.1" : "9.9.9.5", port);
      case 3:
        return at("2620:fe::9", port);
      default: {
        const std::array<std::uint8_t, 4> v4{9, 9, 9, static_cast<std::uint8_t>(below(3))};
        return {IpAddress{v4}, port};
      }
    }
  }

  ModelAllocation* find(std::size_t index) {
    const auto found = allocations_.find(index);
    return found == allocations_.end() ? nullptr : &found->second;
  }
  int owner_error(std::size_t index) {
    const ModelAllocation* allocation = find(index);
    if (allocation == nullptr) return 437;
    return allocation->username == clients_[index]->username ? 0 : 441;
  }
  static int peer_error(const ModelAllocation& allocation, const Endpoint& peer) {
    if (peer.address.family() != allocation.relayed.address.family()) return 443;
    return peer.address == ip("10.0.0.1") ? 403 : 0;
  }

  void allocate(std::size_t index) {
    const bool v6 = below(4) == 0;
    const std::string& user = clients_[index]->username;
    const IpAddress local = ip(v6 ? "2001:db8::10" : "192.0.2.10");
    std::size_t same_user = 0, same_address = 0;
    for (const auto& [other, allocation] : allocations_) {
      same_user += allocation.username == user ? 1 : 0;
      same_address += allocation.relayed.address == local ? 1 : 0;
    }
    int expected = 0;
    if (find(index) != nullptr) {
      expected = 437;
    } else if (allocations_.size() >= kTotalMax) {
      expected = 508;
    } else if (same_user >= kPerUserMax) {
      expected = 486;
    } else if (same_address >= kPorts) {
      expected = 508;
    }
    const Answer answer = v6 ? clients_[index]->allocate(TurnClient::ipv6) : clients_[index]->allocate();
    ASSERT_EQ(answer.error(), expected);
    if (expected != 0) return;
    for (const auto& [other, allocation] : allocations_)
      ASSERT_NE(allocation.relayed, answer.relayed());
    allocations_[index] = {user, answer.relayed(), now() + 600s, {}, {}};
  }

  void refresh(std::size_t index) {
    const std::uint32_t seconds = below(3) == 0 ? 0 : below(5000);
    const int expected = owner_error(index);
    const Answer answer = clients_[index]->refresh(seconds);
    ASSERT_EQ(answer.error(), expected);
    if (expected != 0) return;
    if (seconds == 0) {
      allocations_.erase(index);
      return;
    }
    const std::uint32_t granted = std::clamp(seconds, 600u, 3600u);
    ASSERT_EQ(answer.lifetime(), granted);
    find(index)->expires_at = now() + std::chrono::seconds{granted};
  }

  void permit(std::size_t index) {
    std::vector<Endpoint> peers;
    for (std::uint32_t i = 0; i < 1 + below(3); ++i)
      peers.push_back(peer());
    int expected = owner_error(index);
    if (expected == 0) {
      std::size_t added = 0;
      for (const Endpoint& peer : peers) {
        if (expected == 0) expected = peer_error(*find(index), peer);
        added += find(index)->permissions.contains(peer.address) ? 0 : 1;
      }
      if (expected == 0 && find(index)->permissions.size() + added > kPermissionsMax) expected = 508;
    }
    const Answer answer = clients_[index]->request(Method::kCreatePermission, [&](MessageBuilder& builder) {
      for (const Endpoint& peer : peers)
        builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
    });
    ASSERT_EQ(answer.error(), expected);
    if (expected != 0) return;
    for (const Endpoint& peer : peers)
      find(index)->permissions[peer.address] = now() + 300s;
  }

  void bind(std::size_t index) {
    const std::uint16_t number = channel_number();
    const Endpoint to = peer();
    const int expected = bind_error(index, number, to);
    ASSERT_EQ(clients_[index]->bind(number, to).error(), expected);
    if (expected != 0) return;
    find(index)->channels[number] = {to, now() + 600s};
    find(index)->permissions[to.address] = now() + 300s;
  }
  int bind_error(std::size_t index, std::uint16_t number, const Endpoint& to) {
    if (const int error = owner_error(index); error != 0) return error;
    const ModelAllocation& allocation = *find(index);
    if (number < 0x4000) return 400;
    for (const auto& [other, channel] : allocation.channels)
      if ((other == number) != (channel.peer == to)) return 400;
    if (const int error = peer_error(allocation, to); error != 0) return error;
    if (!allocation.channels.contains(number) && allocation.channels.size() >= kChannelsMax) return 508;
    if (!allocation.permissions.contains(to.address) && allocation.permissions.size() >= kPermissionsMax) return 508;
    return 0;
  }

  void to_peer(std::size_t index, std::optional<std::uint16_t> number) {
    Endpoint to = peer();
    const ModelAllocation* from = find(index);
    bool open = from != nullptr;
    if (number) {
      const auto channel = open ? from->channels.find(*number) : decltype(from->channels.end()){};
      open = open && channel != from->channels.end() && channel->second.expires_at > now();
      if (open) to = channel->second.peer;
    }
    open = open && from->permits(to.address, now());
    const std::string payload(below(9), 'p');
    TurnClient& client = *clients_[index];
    const Answer answer = number ? client.channel_data(*number, payload) : client.send(to, payload);
    const bool own = to.address == ip("192.0.2.10") || to.address == ip("2001:db8::10");
    if (open && own) return check_delivery(answer, from->relayed, to, payload);
    ASSERT_EQ(answer.to_peer.has_value(), open);
    if (!open) {
      ASSERT_TRUE(answer.drop);
      return;
    }
    ASSERT_EQ(answer.to_peer->peer, to);
    ASSERT_EQ(answer.to_peer->payload, octets_of(payload));
    ASSERT_EQ(answer.to_peer->relay, client.relay());
  }

  void check_delivery(const Answer& answer, const Endpoint& from, const Endpoint& to, const std::string& payload) {
    for (const auto& [index, target] : allocations_) {
      if (target.relayed == to && target.permits(from.address, now()))
        return check_framing(answer, index, from, payload);
    }
    ASSERT_TRUE(answer.drop);
  }

  void check_framing(const Answer& answer, std::size_t index, const Endpoint& from, const std::string& payload) {
    ASSERT_TRUE(answer.to_client);
    ASSERT_EQ(answer.to_client->client.five_tuple, clients_[index]->ref.five_tuple);
    for (const auto& [number, channel] : allocations_.at(index).channels) {
      if (channel.peer != from || channel.expires_at <= now()) continue;
      ASSERT_TRUE(answer.is_channel_data(number));
      ASSERT_EQ(answer.to_client->bytes.size(), 4 + payload.size());
      return;
    }
    ASSERT_TRUE(answer.is_data_indication());
    ASSERT_EQ(answer.address(AttributeType::kXorPeerAddress), from);
    ASSERT_EQ(answer.text(AttributeType::kData), payload);
  }

  void from_peer(std::size_t index) {
    const ModelAllocation* to = find(index);
    if (to == nullptr) return;
    const Endpoint from = peer();
    const std::string payload(below(9), 'q');
    const Answer answer = script_.from_peer(clients_[index]->relay(), from, payload);
    if (to->permits(from.address, now())) return check_framing(answer, index, from, payload);
    ASSERT_EQ(answer.drop, DropReason::kNoPermission);
  }

  // A signed request with one octet changed does nothing but get an error or silence.
  void mutate(std::size_t index) {
    TurnClient& client = *clients_[index];
    if (client.nonce.empty()) client.challenge();
    Octets request = client.build(
        Method::kRefresh, MessageClass::kRequest,
        [](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, 0); }, true);
    request[below(static_cast<std::uint32_t>(request.size()))] ^= static_cast<std::uint8_t>(1 + below(255));
    const Answer answer = script_.from_client(client.ref, request);
    ASSERT_TRUE(answer.drop || answer.error() > 0);
  }

  void pass() {
    script_.pass_with_timer(std::chrono::seconds{below(3) == 0 ? below(700) : below(60)});
    std::erase_if(allocations_, [&](const auto& entry) { return entry.second.expires_at <= now(); });
    for (auto& [index, allocation] : allocations_) {
      std::erase_if(allocation.permissions, [&](const auto& entry) { return entry.second <= now(); });
      std::erase_if(allocation.channels, [&](const auto& entry) { return entry.second.expires_at + 300s <= now(); });
    }
  }

  // Deterministic (xorshift).
  struct Sequence {
    std::uint64_t state;
    explicit Sequence(std::uint32_t seed) : state(seed * 0x9E3779B97F4A7C15 + 1) {}
    std::uint64_t operator()() {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      return state >> 11;
    }
  };
  Sequence random_;
  TurnScript script_;
  std::vector<std::unique_ptr<TurnClient>> clients_;
  std::map<std::size_t, ModelAllocation> allocations_;
};

TEST(ModelTest, ServerDoesWhatTheRulesSayThroughRandomSequences) {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    Model model{seed};
    for (int step = 0; step < 1000; ++step) {
      model.step();
      model.check();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace causeway::turn
