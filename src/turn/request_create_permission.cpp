// SPDX-License-Identifier: Apache-2.0
// CreatePermission (RFC 8656 §10), and the judgement of peers that ChannelBind shares.
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

// Two members of one call that both use only the relay must always reach each other, so an address that relays are
// open on may have a permission whatever the lists say; Server::to_peer sees to it that nothing but a live relayed
// transport address is reached there. Loopback counts only while a relay is open on it.
bool Server::is_own_relay_address(const IpAddress& address) const noexcept {
  return ports_.is_in_use(address) || (addresses_.may_relay(address) && !address.is_loopback());
}

// An external address that has changed stays one of ours as long as somebody was told of it.
bool Server::is_own(const IpAddress& address) const noexcept {
  return addresses_.is_own(address) || ports_.is_in_use(address);
}

Server::Failure Server::check_peer(const Allocation& allocation, const IpAddress& peer) const {
  if (allocation.relay_for(peer.family()) == nullptr) return StunError{ErrorCode::kPeerAddressFamilyMismatch};
  if (is_own_relay_address(peer)) return std::nullopt;
  const auto is_closed = [this](const IpAddress& address) {
    return is_own(address) && !policy_.opens_own_address(address);
  };
  const EmbeddedAddresses embedded = embedded_v4(peer);
  const bool forbidden =
      !policy_.allows(peer) || is_closed(peer) || std::any_of(embedded.begin(), embedded.end(), is_closed);
  if (forbidden) return StunError{ErrorCode::kForbidden};
  return std::nullopt;
}

void Server::install_permission(Allocation& allocation, const IpAddress& peer, Now now) {
  const TimePoint expires_at = now.steady + options_.permission_lifetime;
  allocation.permissions.install(peer, {expires_at, is_own(peer)});
  allocations_.wake_at(allocation, expires_at);
}

// RFC 8656 §10.2: all addresses are checked first; one that fails fails the request.
Server::Failure Server::on_create_permission(const Request& request) {
  const auto found = find_allocation(request);
  if (!found) return found.error();
  Allocation& allocation = **found;

  Failure failure;
  std::size_t peers = 0;
  std::size_t new_peers = 0;
  request.message.for_each([&](const stun::Attribute& attribute) {
    if (failure || attribute.type != AttributeType::kXorPeerAddress) return;
    ++peers;
    const auto peer = stun::read_xor_address(attribute.value, request.message.transaction_id());
    if (!peer) {
      failure = StunError{ErrorCode::kBadRequest};
      return;
    }
    failure = check_peer(allocation, peer->address);
    if (!allocation.permissions.contains(peer->address)) ++new_peers;
  });
  if (failure) return failure;
  if (peers == 0) return StunError{ErrorCode::kBadRequest};
  if (allocation.permissions.size() + new_peers > options_.limits.permissions_per_allocation_max) {
    return StunError{ErrorCode::kInsufficientCapacity};
  }

  request.message.for_each([&](const stun::Attribute& attribute) {
    if (attribute.type != AttributeType::kXorPeerAddress) return;
    const auto peer = stun::read_xor_address(attribute.value, request.message.transaction_id());
    install_permission(allocation, peer->address, request.now);
  });
  return std::nullopt;
}

}  // namespace causeway::turn
