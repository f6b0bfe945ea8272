// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <utility>

#include "net/system_clock.hpp"
#include "net/system_random.hpp"
#include "probe/resolve.hpp"

namespace causeway::probe {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::Method;
using Outcome = Result<std::string, ProbeError>;  // what to tell of a step

constexpr std::uint8_t kUdpProtocol = 17;
constexpr std::uint32_t kIpv6Family = 2;
constexpr std::uint16_t kChannel = 0x4000;
constexpr int kDataAttempts = 3;  // over UDP a packet may be lost
constexpr std::size_t kPayloadBytes = 100;

TimePoint steady_now() {
  return read_clock().steady;
}

std::string milliseconds_text(Duration time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", std::chrono::duration<double, std::milli>(time).count());
  return text.data();
}

// One client with its transport.
struct Connection {
  Connection(std::unique_ptr<Transport> opened, RandomSource& random, const ProbeOptions& options)
      : transport(std::move(opened)), client(*transport, random, steady_now, options.timeout) {
    if (options.credential) client.set_credential(*options.credential);
  }
  std::unique_ptr<Transport> transport;
  StunClient client;
  Endpoint relayed;
};

class Probe {
 public:
  explicit Probe(const ProbeOptions& options) : options_(options) {}

  std::vector<Step> run() {
    const bool reached = step("resolve", &Probe::resolve_host) && reach();
    if (!reached || !options_.uri.turn) return std::move(steps_);
    const bool done = step("allocate", &Probe::allocate) &&
                      (options_.peer || step("second allocation", &Probe::allocate_peer)) &&
                      step("permission", &Probe::permit) && step("data", &Probe::round_trip) &&
                      step("channel", &Probe::bind_channel) && step("channel data", &Probe::channel_round_trip) &&
                      step("release", &Probe::release);
    if (!done) abandon();
    return std::move(steps_);
  }

 private:
  bool step(std::string name, Outcome (Probe::*perform)()) {
    const TimePoint begin = steady_now();
    const Outcome outcome = (this->*perform)();
    Step done{std::move(name), outcome.has_value(), steady_now() - begin, {}, {}};
    done.detail = outcome ? *outcome : outcome.error().detail;
    if (!outcome) done.advice = outcome.error().advice;
    steps_.push_back(std::move(done));
    return steps_.back().ok;
  }

  Outcome resolve_host() {
    auto resolved = resolve(options_.uri);
    if (!resolved) return resolved.error();
    servers_ = std::move(resolved->servers);
    std::string detail;
    for (const Endpoint& server : servers_)
      detail += (detail.empty() ? "" : ", ") + server.to_string();
    return detail + (resolved->how.empty() ? "" : " (" + resolved->how + ")");
  }

  // Each address in turn, as clients do; the one that answers a Binding request is probed further.
  bool reach() {
    std::string failures;
    for (const Endpoint& server : servers_) {
      server_ = server;
      const std::size_t before = steps_.size();
      if (step("connect", &Probe::connect_to_server) && step("binding", &Probe::bind)) {
        if (!failures.empty()) steps_.back().detail += "; before that " + failures;
        return true;
      }
      if (server == servers_.back()) break;
      failures += (failures.empty() ? "" : "; ") + server.to_string() + " failed: " + steps_.back().detail;
      steps_.resize(before);
    }
    if (!failures.empty()) steps_.back().detail += "; before that " + failures;
    return false;
  }

  Result<std::unique_ptr<Connection>, ProbeError> open() {
    auto transport = connect(options_.uri, server_, options_.certificate_check, steady_now() + options_.timeout);
    if (!transport) return transport.error();
    return std::make_unique<Connection>(std::move(*transport), random_, options_);
  }

  Outcome connect_to_server() {
    auto opened = open();
    if (!opened) return ProbeError{server_.to_string() + ": " + opened.error().detail, opened.error().advice};
    client_ = std::move(*opened);
    return server_.to_string() + " over " + std::string{name_of(options_.uri.transport)};
  }

  Outcome bind() {
    const TimePoint begin = steady_now();
    const auto response = client_->client.request(Method::kBinding, [](MessageBuilder&) {});
    if (!response) return response.error();
    const auto mapped = response->xor_address(AttributeType::kXorMappedAddress);
    if (!mapped) return ProbeError{"the answer has no XOR-MAPPED-ADDRESS", "The server is older than RFC 5389"};
    return "mapped address " + mapped->to_string() + ", round trip " + milliseconds_text(steady_now() - begin);
  }

  Outcome allocate_on(Connection& connection) {
    const bool to_v6 = options_.peer && !options_.peer->address.is_v4();
    const auto response = connection.client.request(Method::kAllocate, [to_v6](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kRequestedTransport, std::uint32_t{kUdpProtocol} << 24);
      // RFC 8656 §7.1: without it the relayed address is IPv4.
      if (to_v6) builder.add_u32(AttributeType::kRequestedAddressFamily, kIpv6Family << 24);
    });
    if (!response) return response.error();
    const auto relayed = response->xor_address(AttributeType::kXorRelayedAddress);
    if (!relayed)
      return ProbeError{"the answer has no XOR-RELAYED-ADDRESS", "The server does not follow RFC 8656 §7.3"};
    connection.relayed = *relayed;
    return "relayed address " + relayed->to_string() + ", lifetime " +
           std::to_string(response->number(AttributeType::kLifetime).value_or(0)) + " s";
  }

  Outcome allocate() { return allocate_on(*client_); }

  Outcome allocate_peer() {
    auto opened = open();
    if (!opened) return opened.error();
    peer_client_ = std::move(*opened);
    return allocate_on(*peer_client_);
  }

  Endpoint peer() const { return options_.peer ? *options_.peer : peer_client_->relayed; }

  static Outcome permit_on(Connection& connection, const Endpoint& peer) {
    const auto response = connection.client.request(Method::kCreatePermission, [&](MessageBuilder& builder) {
      builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
    });
    if (!response) return response.error();
    return "for " + peer.to_string();
  }

  Outcome permit() {
    Outcome permitted = permit_on(*client_, peer());
    if (!permitted || !peer_client_) return permitted;
    const Outcome back = permit_on(*peer_client_, client_->relayed);
    if (!back) return back;
    return *permitted + " and back";
  }

  using Send = std::optional<ProbeError> (Probe::*)(Bytes);

  std::optional<ProbeError> send_data(Bytes payload) { return client_->client.send_indication(peer(), payload); }
  std::optional<ProbeError> send_channel(Bytes payload) { return client_->client.send_channel_data(kChannel, payload); }

  Outcome round_trip() { return there_and_back(&Probe::send_data, 0); }
  Outcome channel_round_trip() { return there_and_back(&Probe::send_channel, kChannel); }

  // True once a packet with this payload has come.
  static Result<bool, ProbeError> await(Connection& connection, Bytes payload, std::uint16_t channel,
                                        TimePoint deadline) {
    for (;;) {
      const auto received = connection.client.receive(deadline);
      if (!received) return received.error();
      if (!*received) return false;
      const RelayedPacket& packet = **received;
      const bool same = std::equal(packet.payload.begin(), packet.payload.end(), payload.begin(), payload.end());
      if (same && packet.channel_number == channel) return true;
    }
  }

  // Client, relay, peer, relay, client. A second allocation of ours answers itself; another peer is to echo.
  Outcome there_and_back(Send send, std::uint16_t channel) {
    std::array<std::uint8_t, kPayloadBytes> payload{};
    random_.fill(payload);
    bool arrived = false;
    for (int attempt = 0; attempt < kDataAttempts; ++attempt) {
      const TimePoint begin = steady_now();
      const TimePoint deadline = begin + Duration{options_.timeout} / kDataAttempts;
      if (const auto failed = (this->*send)(payload)) return *failed;
      if (peer_client_) {
        const auto there = await(*peer_client_, payload, 0, deadline);
        if (!there) return there.error();
        if (!*there) continue;
        arrived = true;
        if (const auto failed = peer_client_->client.send_indication(client_->relayed, payload)) return *failed;
      }
      const auto back = await(*client_, payload, channel, deadline);
      if (!back) return back.error();
      if (*back) {
        return std::to_string(kPayloadBytes) + " bytes to " + peer().to_string() + " and back, round trip " +
               milliseconds_text(steady_now() - begin);
      }
    }
    if (!peer_client_) {
      return ProbeError{"nothing came back from " + peer().to_string(),
                        "The peer must send back what it gets (an echo service over UDP), and firewalls must let its "
                        "packets through to the relay ports of the server"};
    }
    return ProbeError{
        arrived ? "nothing came back through the relay" : "nothing arrived through the relay",
        "The relay ports are closed by a firewall, or the server advertises an address that does not lead "
        "to it: see turn.external_addresses"};
  }

  Outcome bind_channel() {
    const auto response = client_->client.request(Method::kChannelBind, [this](MessageBuilder& builder) {
      builder.add_u32(AttributeType::kChannelNumber, std::uint32_t{kChannel} << 16)
          .add_xor_address(AttributeType::kXorPeerAddress, peer());
    });
    if (!response) return response.error();
    return "0x4000 for " + peer().to_string();
  }

  static Outcome release_on(Connection& connection) {
    const auto response = connection.client.request(
        Method::kRefresh, [](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, 0); });
    if (!response) return response.error();
    return std::string{"allocation deleted"};
  }

  Outcome release() {
    Outcome released = release_on(*client_);
    if (!released || !peer_client_) return released;
    const Outcome other = release_on(*peer_client_);
    if (!other) return other;
    return std::string{"both allocations deleted"};
  }

  // So that a probe that failed on the way does not count against the user's quota until it expires.
  void abandon() {
    for (const auto* connection : {&client_, &peer_client_}) {
      if (*connection && (*connection)->relayed.port != 0) release_on(**connection);
    }
  }

  const ProbeOptions& options_;
  net::SystemRandom random_;
  std::vector<Step> steps_;
  std::vector<Endpoint> servers_;
  Endpoint server_;
  std::unique_ptr<Connection> client_;
  std::unique_ptr<Connection> peer_client_;  // absent where the peer is another machine
};

}  // namespace

std::vector<Step> run(const ProbeOptions& options) {
  return Probe{options}.run();
}

}  // namespace causeway::probe
