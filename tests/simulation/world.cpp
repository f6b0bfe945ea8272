// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <memory>

#include "peer.hpp"
#include "server_host.hpp"
#include "turn_client.hpp"

namespace causeway::simulation {

using namespace std::chrono_literals;

namespace {

constexpr auto kBusy = 4h;
// Longer than any lifetime, so that all that anybody left behind is over.
constexpr auto kQuiet = 2h;

IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}
IpAddress ip(const std::string& prefix, std::uint32_t last) {
  return ip(prefix + std::to_string(last));
}

Rules random_rules(Random& random) {
  Rules rules;
  rules.realm = "example.org";
  rules.users = {{"alice", "wonder land"}, {"bob", "builder"}};
  rules.shared_secret = "north of the bridge";
  rules.per_user_max = random.one_of<std::uint32_t>({0, 2, 4, 6});
  rules.per_source_max = random.one_of<std::uint32_t>({0, 0, 2});
  rules.realm_max = random.one_of<std::uint32_t>({0, 0, 8});
  rules.allocation_octets_per_second = random.one_of<std::uint64_t>({0, 0, 300, 2000});
  rules.user_octets_per_second = random.one_of<std::uint64_t>({0, 0, 500});
  rules.total_max = random.one_of<std::uint32_t>({0, 5, 12});
  rules.permissions_max = random.one_of<std::uint32_t>({2, 4, 32});
  rules.channels_max = random.one_of<std::uint32_t>({2, 4, 32});
  rules.stranger_answers_per_second = random.one_of<std::uint32_t>({0, 10, 100});
  rules.port_min = static_cast<std::uint16_t>(random.between(50000, 50001));
  rules.port_max = static_cast<std::uint16_t>(rules.port_min + random.between(7, 40));
  rules.lifetime_max = random.one_of<std::chrono::seconds>({600s, 900s, 3600s});
  rules.nonce_lifetime = random.one_of<std::chrono::seconds>({300s, 900s, 3600s});
  rules.relay_addresses = {{AddressFamily::kIPv4, ip("5.5.5.5")}};
  if (random.chance(0.8)) rules.relay_addresses[AddressFamily::kIPv6] = ip("2620:5::5");
  for (const char* prefix : {"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "8.8.4.0/24",
                             "5.5.5.6/32", "::1/128", "fe80::/10", "fc00::/7", "64:ff9b::/96", "2002::/16"}) {
    rules.denied.push_back(Prefix::parse(prefix).value());
  }
  return rules;
}

LinkQuality random_quality(Random& random) {
  LinkQuality quality;
  quality.loss = random.one_of<double>({0, 0.01, 0.05, 0.1, 0.3});
  quality.duplication = random.one_of<double>({0, 0.01, 0.05});
  quality.very_late = random.one_of<double>({0, 0.001, 0.01});
  quality.delay = random.between(1ms, 150ms);
  quality.jitter = random.one_of<Duration>({1ms, 50ms, 500ms});
  return quality;
}

ServerHost::Setup server_setup(Random& random, const Rules& rules) {
  ServerHost::Setup setup;
  turn::ServerOptions& options = setup.options;
  options.allocation_lifetime_default = rules.lifetime_default;
  options.limits.allocation_lifetime_max = rules.lifetime_max;
  options.nonce_lifetime = rules.nonce_lifetime;
  setup.realm_limits.allocations_per_user_max = rules.per_user_max;
  setup.realm_limits.allocations_max = rules.realm_max;
  setup.realm_limits.allocation_bytes_per_second_max = rules.allocation_octets_per_second;
  setup.realm_limits.user_bytes_per_second_max = rules.user_octets_per_second;
  options.limits.allocations_per_source_max = rules.per_source_max;
  options.limits.allocations_total_max = rules.total_max;
  options.limits.permissions_per_allocation_max = rules.permissions_max;
  options.limits.channels_per_allocation_max = rules.channels_max;
  options.limits.unauthenticated_answers_per_second_max = rules.stranger_answers_per_second;
  options.relay_port_min = rules.port_min;
  options.relay_port_max = rules.port_max;
  options.peers.deny = {Prefix::parse("8.8.4.0/24").value()};
  setup.addresses = {ip("5.5.5.5"), ip("2620:5::5")};
  setup.open_failures = random.one_of<double>({0, 0, 0.05});
  options.relay_addresses.interfaces = {ip("127.0.0.1"), ip("::1"), ip("5.5.5.6")};
  for (const auto& [family, address] : rules.relay_addresses) {
    IpAddress local = address;
    if (family == AddressFamily::kIPv4 && random.chance(0.3)) {  // a server behind a one-to-one NAT
      local = ip("10.0.0.5");
      setup.advertised[local] = address;
      options.relay_addresses.external.push_back({address});
    }
    options.relay_addresses.relay.push_back(local);
    options.relay_addresses.interfaces.push_back(local);
  }
  return setup;
}

class Inhabitants {
 public:
  explicit Inhabitants(World& world) : world_(world) {
    Random& random = world.random;
    const std::uint32_t plain_peers = random.between(1, 3), hidden_peers = random.between(1, 3);
    const std::uint32_t homes = random.between(1, 4), open_clients = random.between(1, 3);
    for (std::uint32_t i = 1; i <= plain_peers; ++i)
      add_plain_peer(i);
    for (std::uint32_t i = 1; i <= hidden_peers; ++i)
      add_peer_behind_nat(i);
    for (std::uint32_t i = 1; i <= homes; ++i)
      add_home(i);
    for (std::uint32_t i = 1; i <= open_clients; ++i)
      add_client(random.chance(0.5) ? ip("7.8.0.", i) : ip("2620:7::", i));
    for (const auto& peer : peers_)
      world.parties.push_back(peer.get());
    for (const auto& client : clients_)
      world.parties.push_back(client.get());
    restart_a_nat();
    strangers();
  }
  void leave() {
    for (const auto& client : clients_)
      world_.random.chance(0.5) ? client->hang_up() : client->crash();
  }

 private:
  std::shared_ptr<Nat> random_nat(const IpAddress& external) {
    constexpr std::array kKinds{NatKind::kFullCone, NatKind::kAddressRestricted, NatKind::kPortRestricted,
                                NatKind::kSymmetric};
    const Duration lifetime = world_.random.one_of<Duration>({30s, 120s, 300s});
    return std::make_shared<Nat>(kKinds[world_.random.below(kKinds.size())], external, lifetime);
  }
  std::uint32_t next_number() { return static_cast<std::uint32_t>(peers_.size() + clients_.size() + 1); }

  void add_plain_peer(std::uint32_t i) {
    const bool v6 = world_.random.chance(0.3);
    const Endpoint at{v6 ? ip("2620:8::", i) : ip("8.8.8.", i), 7000};
    peers_.push_back(std::make_unique<Peer>(world_, next_number(), at, false));
  }
  void add_peer_behind_nat(std::uint32_t i) {
    const IpAddress inside = ip("10.200.0.", i);
    const auto nat = random_nat(ip("8.9.0.", i));
    world_.network.put_behind(inside, nat);
    homes_.push_back({nat, {}});
    peers_.push_back(std::make_unique<Peer>(world_, next_number(), Endpoint{inside, 7000}, true));
  }
  // One to three clients behind one NAT.
  void add_home(std::uint32_t i) {
    Home home{random_nat(ip("7.7.0.", i)), {}};
    const std::uint32_t clients = world_.random.between(1, 3);
    for (std::uint32_t j = 1; j <= clients; ++j) {
      const IpAddress inside = ip("10." + std::to_string(i) + ".0.", j);
      world_.network.put_behind(inside, home.nat);
      home.clients.push_back(&add_client(inside));
    }
    homes_.push_back(std::move(home));
  }
  TurnClient& add_client(const IpAddress& inside) {
    Random& random = world_.random;
    constexpr std::array kTransports{turn::Transport::kUdp, turn::Transport::kUdp, turn::Transport::kDtls,
                                     turn::Transport::kTcp, turn::Transport::kTls};
    TurnClient::Habits habits;
    habits.inside = inside;
    habits.user = random.one_of<std::string>({"alice", "bob", "carol"});
    habits.transport = kTransports[random.below(kTransports.size())];
    habits.relay_family = random.chance(0.25) ? AddressFamily::kIPv6 : AddressFamily::kIPv4;
    habits.sha256 = random.chance(0.3);
    habits.channels = random.chance(0.6);
    habits.even_ports = random.chance(0.4);
    habits.keepalive = random.chance(0.85) ? Duration{random.between(20, 28) * 1s} : Duration{};
    habits.pause_between_bursts = random.between(20, 90) * 1s;
    clients_.push_back(std::make_unique<TurnClient>(world_, next_number(), habits));
    return *clients_.back();
  }

  void restart_a_nat() {
    world_.queue.after(world_.random.between(5min, 90min), [this] {
      if (world_.ending) return;
      const Home& home = world_.random.one_of(homes_);
      ++world_.statistics.rebindings;
      home.nat->forget();
      for (TurnClient* client : home.clients)
        client->lose_path();
      restart_a_nat();
    });
  }

  // Bursts of requests from addresses that nobody has proved, and noise.
  void strangers() {
    world_.queue.after(world_.random.between(5min, 40min), [this] {
      if (world_.ending) return;
      Random& random = world_.random;
      const bool v6 = random.chance(0.3);
      const Endpoint from{v6 ? ip("2620:6::", random.between(1, 9)) : ip("6.6.6.", random.between(1, 9)), 4000};
      const Endpoint to{world_.server.at(from.address.family()), kServerPort};
      const std::uint32_t packets =
          random.between(1, 3 * 5 * std::min(world_.rules.stranger_answers_per_second, 20u) + 2);
      for (std::uint32_t i = 0; i < packets; ++i)
        world_.network.send(from, to, strangers_packet());
      strangers();
    });
  }
  Octets strangers_packet() {
    Random& random = world_.random;
    if (random.chance(0.1)) {
      Octets noise(random.below(100));
      random.fill(noise);
      return noise;
    }
    const bool binding = random.chance(0.5);
    std::array<std::uint8_t, 64> buffer{};
    stun::TransactionId id{};
    random.fill(id);
    stun::MessageBuilder message{buffer, binding ? stun::Method::kBinding : stun::Method::kAllocate,
                                 stun::MessageClass::kRequest, id};
    if (!binding) message.add_u32(stun::AttributeType::kRequestedTransport, 17u << 24);
    const Bytes bytes = message.finish();
    return {bytes.begin(), bytes.end()};
  }

  struct Home {
    std::shared_ptr<Nat> nat;
    std::vector<TurnClient*> clients;
  };
  World& world_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<TurnClient>> clients_;
  std::vector<Home> homes_;
};

}  // namespace

World::World(std::uint64_t seed)
    : random(seed), rules(random_rules(random)), quality(random_quality(random)), network(queue, random, quality) {
  server = {{AddressFamily::kIPv4, ip("5.5.5.5")}, {AddressFamily::kIPv6, ip("2620:5::5")}};
  // With a tenth lost each way, all seven transmissions of a request fail once in 100,000 times; then it is repeated.
  behaving_clients_lose_nothing = quality.loss <= 0.1;
}

WorldReport run_world(std::uint64_t seed, std::ostream* trace) {
  World world{seed};
  world.trace = trace;
  const TimePoint begin = world.queue.time();
  ServerHost server{world.queue, world.network, world.random, world.rules, server_setup(world.random, world.rules),
                    trace};
  Inhabitants inhabitants{world};

  world.queue.run_until(begin + kBusy);
  world.ending = true;
  inhabitants.leave();
  world.queue.run_until(begin + kBusy + kQuiet);
  require(server.allocations() == 0, "allocations are left when all clients are gone");
  server.stop();
  return {std::chrono::duration<double, std::ratio<3600>>(kBusy).count(), world.queue.events(),
          server.model().statistics(), world.statistics};
}

}  // namespace causeway::simulation
