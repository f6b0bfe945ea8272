// SPDX-License-Identifier: Apache-2.0
// Refresh (RFC 8656 §8), and what it shares with the other requests that concern an allocation.
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

// RFC 8656 §5: such a request needs the allocation of its five-tuple, and the username and realm it was made with.
Result<Allocation*, StunError> Server::find_allocation(const Request& request) const {
  Allocation* allocation = allocations_.find(request.packet.client.five_tuple);
  if (allocation == nullptr) return StunError{ErrorCode::kAllocationMismatch};
  if (!is_owner(request, *allocation)) return StunError{ErrorCode::kWrongCredentials};
  return allocation;
}

bool Server::is_owner(const Request& request, const Allocation& allocation) noexcept {
  return allocation.username == request.identity.username() && allocation.client.realm == request.packet.client.realm;
}

Result<std::chrono::seconds, StunError> Server::requested_lifetime(const stun::MessageView& message) const {
  const auto attribute = message.value(AttributeType::kLifetime);
  if (!attribute) return options_.allocation_lifetime_default;
  const auto seconds = stun::read_u32(*attribute);
  if (!seconds) return StunError{ErrorCode::kBadRequest};
  return std::chrono::seconds{*seconds};
}

// RFC 8656 §7.2: no less than the default, no more than the maximum, which may be the smaller one.
std::chrono::seconds Server::grant_lifetime(std::chrono::seconds requested) const {
  return std::min(std::max(requested, options_.allocation_lifetime_default), options_.limits.allocation_lifetime_max);
}

// RFC 8016 §3.2.2: a ticket stands in for the five-tuple.
Result<Server::RefreshTarget, StunError> Server::find_for_refresh(const Request& request) const {
  if (const auto ticket = request.message.value(AttributeType::kMobilityTicket))
    return find_by_ticket(request, *ticket);
  const auto found = find_allocation(request);
  if (!found) return found.error();
  return RefreshTarget{*found, false};
}

Server::Failure Server::on_refresh(const Request& request, stun::MessageBuilder& reply) {
  const auto found = find_for_refresh(request);
  if (!found) return found.error();
  Allocation& allocation = *found->allocation;
  const auto lifetime = requested_lifetime(request.message);
  if (!lifetime) return lifetime.error();
  // RFC 8656 §8.1: without a family the request applies to all of the allocation.
  std::optional<AddressFamily> family;
  if (const auto attribute = request.message.value(AttributeType::kRequestedAddressFamily)) {
    const auto number = stun::read_requested_address_family(*attribute);
    if (!number) return StunError{ErrorCode::kBadRequest};
    family = AddressFamily{*number};
  }
  const Relay* relay = family ? allocation.relay_for(*family) : nullptr;
  const bool removal = *lifetime == std::chrono::seconds{0};
  if (family && relay == nullptr) {
    // What went with the very same request is a retransmission's answer; else RFC 8656 §8.2.
    if (!removal || allocation.last_family_removal != request.message.transaction_id()) {
      return StunError{ErrorCode::kPeerAddressFamilyMismatch};
    }
    reply.add_u32(AttributeType::kLifetime, 0);
    return std::nullopt;
  }

  if (removal) {
    if (relay != nullptr && allocation.relays.size() > 1) {
      allocation.last_family_removal = request.message.transaction_id();
      give_up(allocation, *relay, request.now);
    } else {
      end(allocation, EndReason::kReleased, request.now);
    }
    reply.add_u32(AttributeType::kLifetime, 0);
    return std::nullopt;
  }
  if (found->moves) move(allocation, request);
  const TimePoint expires_at = std::min(request.now.steady + grant_lifetime(*lifetime), allocation.credential_ends_at);
  for (Relay& refreshed : allocation.relays) {
    if (!family || refreshed.local.address.family() == *family) refreshed.expires_at = expires_at;
  }
  allocations_.wake_at(allocation, expires_at);
  const auto granted = std::chrono::duration_cast<std::chrono::seconds>(expires_at - request.now.steady);
  reply.add_u32(AttributeType::kLifetime, static_cast<std::uint32_t>(granted.count()));
  if (request.message.has(AttributeType::kMobilityTicket)) add_ticket(reply, allocation);
  return std::nullopt;
}

}  // namespace causeway::turn
