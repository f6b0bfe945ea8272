// SPDX-License-Identifier: Apache-2.0
#include "probe/relay_round.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace causeway::probe {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::Method;

constexpr std::uint32_t kUdpProtocol = 17;
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

// True once a packet with this payload has come.
Result<bool, ProbeError> await(Connection& connection, Bytes payload, std::uint16_t channel, TimePoint deadline) {
  for (;;) {
    const auto received = connection.client.receive(deadline);
    if (!received) return received.error();
    if (!*received) return false;
    const RelayedPacket& packet = **received;
    const bool same = std::equal(packet.payload.begin(), packet.payload.end(), payload.begin(), payload.end());
    if (same && packet.channel_number == channel) return true;
  }
}

Outcome release_on(Connection& connection) {
  const auto response = connection.client.request(
      Method::kRefresh, [](MessageBuilder& builder) { builder.add_u32(AttributeType::kLifetime, 0); });
  connection.relayed.reset();
  if (!response) return response.error();
  return std::string{"allocation deleted"};
}

}  // namespace

RelayRound::Result RelayRound::run(bool with_channel) {
  const Result allocated = allocate_step();
  if (allocated != Result::kDone) return allocated;
  const bool done = relay_steps(with_channel);
  if (!done) abandon();
  return done ? Result::kDone : Result::kFailed;
}

RelayRound::Result RelayRound::allocate_step() {
  if (step("allocate", &RelayRound::allocate)) return Result::kDone;
  const ProbeError& error = report_.error();
  if (error.code == static_cast<std::uint16_t>(stun::ErrorCode::kAddressFamilyNotSupported)) {
    return Result::kNoSuchFamily;
  }
  return error.alternate_server ? Result::kTryAlternate : Result::kFailed;
}

bool RelayRound::relay_steps(bool with_channel) {
  return (options_.peer || step("second allocation", &RelayRound::allocate_peer)) &&
         step("permission", &RelayRound::permit) && step("data", &RelayRound::round_trip) &&
         (!with_channel ||
          (step("channel", &RelayRound::bind_channel) && step("channel data", &RelayRound::channel_round_trip))) &&
         step("release", &RelayRound::release);
}

bool RelayRound::step(const char* name, Outcome (RelayRound::*perform)()) {
  const std::string suffix = family_ == AddressFamily::kIPv6 ? " ipv6" : "";
  return report_.step(name + suffix, [&] { return (this->*perform)(); });
}

Outcome RelayRound::allocate_on(std::unique_ptr<Connection>& client) {
  if (!client) {
    auto opened = Connection::open(options_, server_, random_);
    if (!opened) return opened.error();
    client = std::move(*opened);
  }
  Connection& connection = *client;
  const auto response = connection.client.request(Method::kAllocate, [this](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kRequestedTransport, kUdpProtocol << 24);
    // RFC 8656 §7.1: without it the relayed address is IPv4. Servers older than RFC 6156 do not know it.
    if (family_ == AddressFamily::kIPv6) {
      builder.add_u32(AttributeType::kRequestedAddressFamily, static_cast<std::uint32_t>(family_) << 24);
    }
  });
  if (!response) return response.error();
  connection.relayed = response->xor_address(AttributeType::kXorRelayedAddress);
  if (!connection.relayed || connection.relayed->address.family() != family_) {
    return ProbeError{"the answer has no XOR-RELAYED-ADDRESS of the family that was asked for",
                      "The server does not follow RFC 8656 §7.3"};
  }
  std::string detail = "relayed address " + connection.relayed->to_string() + ", lifetime " +
                       std::to_string(response->number(AttributeType::kLifetime).value_or(0)) + " s";
  const std::string_view algorithm = connection.client.password_algorithm();
  detail += algorithm.empty() ? ", without authentication" : ", authenticated with ";
  return detail.append(algorithm);
}

Outcome RelayRound::allocate() {
  return allocate_on(client_);
}

Outcome RelayRound::allocate_peer() {
  return allocate_on(peer_client_);
}

Outcome RelayRound::permit_on(Connection& connection, const Endpoint& peer) {
  const auto response = connection.client.request(Method::kCreatePermission, [&](MessageBuilder& builder) {
    builder.add_xor_address(AttributeType::kXorPeerAddress, peer);
  });
  if (!response) return response.error();
  return "for " + peer.to_string();
}

Outcome RelayRound::permit() {
  Outcome permitted = permit_on(*client_, peer());
  if (!permitted || !peer_client_) return permitted;
  const Outcome back = permit_on(*peer_client_, *client_->relayed);
  if (!back) return back;
  return *permitted + " and back";
}

Outcome RelayRound::round_trip() {
  return there_and_back([this](Bytes payload) { return client_->client.send_indication(peer(), payload); }, 0);
}

Outcome RelayRound::bind_channel() {
  const auto response = client_->client.request(Method::kChannelBind, [this](MessageBuilder& builder) {
    builder.add_u32(AttributeType::kChannelNumber, std::uint32_t{kChannel} << 16)
        .add_xor_address(AttributeType::kXorPeerAddress, peer());
  });
  if (!response) return response.error();
  return "0x4000 for " + peer().to_string();
}

Outcome RelayRound::channel_round_trip() {
  return there_and_back([this](Bytes payload) { return client_->client.send_channel_data(kChannel, payload); },
                        kChannel);
}

// Client, relay, peer, relay, client. A second allocation of ours answers itself; another peer is to echo.
Outcome RelayRound::there_and_back(const Send& send, std::uint16_t channel) {
  std::array<std::uint8_t, kPayloadBytes> payload{};
  random_.fill(payload);
  bool arrived = false;
  for (int attempt = 0; attempt < kDataAttempts; ++attempt) {
    const TimePoint begin = steady_now();
    const TimePoint deadline = begin + Duration{options_.timeout} / kDataAttempts;
    if (const auto failed = send(payload)) return *failed;
    if (peer_client_) {
      const auto there = await(*peer_client_, payload, 0, deadline);
      if (!there) return there.error();
      if (!*there) continue;
      arrived = true;
      if (const auto failed = peer_client_->client.send_indication(*client_->relayed, payload)) return *failed;
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
  return ProbeError{arrived ? "nothing came back through the relay" : "nothing arrived through the relay",
                    "The relay ports are closed by a firewall, or the server advertises an address that does not lead "
                    "to it: see turn.external_addresses"};
}

Outcome RelayRound::release() {
  Outcome released = release_on(*client_);
  if (!released || !peer_client_) return released;
  const Outcome other = release_on(*peer_client_);
  if (!other) return other;
  return std::string{"both allocations deleted"};
}

// So that a probe that failed on the way does not count against the user's quota until it expires.
void RelayRound::abandon() {
  if (client_ && client_->relayed) release_on(*client_);
  if (peer_client_ && peer_client_->relayed) release_on(*peer_client_);
}

}  // namespace causeway::probe
