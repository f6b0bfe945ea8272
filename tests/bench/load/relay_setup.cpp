// SPDX-License-Identifier: Apache-2.0
#include "load/relay_setup.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "causeway/stun/attributes.hpp"
#include "causeway/stun/message.hpp"
#include "load/socket_address.hpp"

namespace causeway::load {
namespace {

[[noreturn]] void refuse(stun::Method method, int code) {
  throw std::runtime_error("the server answered the request with method " + std::to_string(static_cast<int>(method)) +
                           " with the error " + std::to_string(code));
}

}  // namespace

template <class Fill>
std::vector<std::uint8_t> TurnSetup::transact(stun::Method method, Fill fill) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    RequestBuffer buffer{};
    auto bytes = link_.ask(session_.request(buffer, method, false, fill));
    const auto reply = stun::MessageView::parse(bytes);
    if (!reply || reply->transaction_id() != session_.last_id()) continue;  // the answer to an earlier try
    switch (session_.judge(*reply)) {
      case LongTermSession::Answer::kSuccess:
        return bytes;
      case LongTermSession::Answer::kChallenge:
        continue;
      case LongTermSession::Answer::kRefused:
        refuse(method, session_.error_code());
      case LongTermSession::Answer::kNotAuthentic:
        throw std::runtime_error("an answer is not authentic");
    }
  }
  refuse(method, session_.error_code());
}

Endpoint TurnSetup::allocate() {
  const auto bytes = transact(stun::Method::kAllocate, [](stun::MessageBuilder& request) {
    request.add_u32(stun::AttributeType::kRequestedTransport, kRequestedUdp);
  });
  const auto reply = stun::MessageView::parse(bytes);
  const auto value = reply->value(stun::AttributeType::kXorRelayedAddress);
  const auto relayed = value ? stun::read_xor_address(*value, reply->transaction_id()) : std::nullopt;
  if (!relayed) throw std::runtime_error("an answer to Allocate is without a relayed address");
  return *relayed;
}

void TurnSetup::bind_channel(std::uint16_t channel, const Endpoint& peer) {
  transact(stun::Method::kChannelBind, [&](stun::MessageBuilder& request) {
    request.add_u32(stun::AttributeType::kChannelNumber, std::uint32_t{channel} << 16);
    request.add_xor_address(stun::AttributeType::kXorPeerAddress, peer);
  });
}

void TurnSetup::permit(const Endpoint& peer) {
  transact(stun::Method::kCreatePermission,
           [&](stun::MessageBuilder& request) { request.add_xor_address(stun::AttributeType::kXorPeerAddress, peer); });
}

void TurnSetup::release() {
  RequestBuffer buffer{};
  const Bytes request = session_.request(buffer, stun::Method::kRefresh, false, [](stun::MessageBuilder& message) {
    message.add_u32(stun::AttributeType::kLifetime, 0);
  });
  (void)::send(link_.descriptor(), request.data(), request.size(), MSG_DONTWAIT);
}

Endpoint BareSetup::allocate() {
  const std::array<std::uint8_t, 4> request{0xFF, 'a', 0, 0};
  const auto reply = link_.ask(request);
  Endpoint relayed = loopback(1);
  relayed.port = load_be16(reply.data() + 2);
  return relayed;
}

void BareSetup::bind_channel(std::uint16_t channel, const Endpoint& peer) {
  std::array<std::uint8_t, 10> request{0xFF, 'b'};
  store_be16(request.data() + 2, channel);
  std::ranges::copy(peer.address.octets(), request.begin() + 4);
  store_be16(request.data() + 8, peer.port);
  link_.ask(request);
}

void BareSetup::permit(const Endpoint&) {
  throw std::runtime_error("the bare forwarder knows no permissions");
}

}  // namespace causeway::load
