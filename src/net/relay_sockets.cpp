// SPDX-License-Identifier: Apache-2.0
#include "net/relay_sockets.hpp"

#include <cerrno>

namespace causeway::net {
namespace {

// The token holds 31 bits of the generation; a slot is not used 2^31 times while one event is pending.
constexpr std::uint32_t kGenerationMask = 0x7FFFFFFF;

std::uint64_t token_of(turn::RelayId id) noexcept {
  return RelaySockets::kTokenBit | (std::uint64_t{id.generation & kGenerationMask} << 32) | id.slot;
}

}  // namespace

std::optional<turn::RelayOpenError> RelaySockets::open(turn::RelayId id, const Endpoint& local) {
  UdpSocket socket;
  if (!socket.open(local, UdpSocket::Purpose::kRelay)) {
    if (errno == EADDRINUSE) return turn::RelayOpenError::kPortInUse;
    const bool no_address = errno == EADDRNOTAVAIL || errno == EACCES || errno == EAFNOSUPPORT;
    return no_address ? turn::RelayOpenError::kAddressNotAvailable : turn::RelayOpenError::kNoResources;
  }
  if (!loop_.add(socket.descriptor(), token_of(id))) return turn::RelayOpenError::kNoResources;
  sends_.flush();
  if (id.slot >= slots_.size()) slots_.resize(id.slot + 1);
  slots_[id.slot] = {id, std::move(socket)};
  return std::nullopt;
}

void RelaySockets::close(turn::RelayId id) noexcept {
  Relay* relay = find(id);
  if (relay == nullptr) return;
  sends_.flush();
  loop_.remove(relay->socket.descriptor());
  relay->socket = UdpSocket{};
}

RelaySockets::Relay* RelaySockets::find(turn::RelayId id) noexcept {
  if (id.slot >= slots_.size()) return nullptr;
  Relay& relay = slots_[id.slot];
  return relay.id == id && relay.socket.is_open() ? &relay : nullptr;
}

RelaySockets::Relay* RelaySockets::find(std::uint64_t token) noexcept {
  const auto slot = static_cast<std::uint32_t>(token);
  if (slot >= slots_.size()) return nullptr;
  Relay& relay = slots_[slot];
  return token_of(relay.id) == token && relay.socket.is_open() ? &relay : nullptr;
}

}  // namespace causeway::net
