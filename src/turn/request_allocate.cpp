// SPDX-License-Identifier: Apache-2.0
// Allocate (RFC 8656 §7): checks that change nothing, a plan, and one commit.
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

namespace {

constexpr std::uint8_t kProtocolUdp = 17;

std::optional<AddressFamily> known_family(std::uint8_t number) {
  if (number == static_cast<std::uint8_t>(AddressFamily::kIPv4)) return AddressFamily::kIPv4;
  if (number == static_cast<std::uint8_t>(AddressFamily::kIPv6)) return AddressFamily::kIPv6;
  return std::nullopt;
}

}  // namespace

// RFC 8656 §7.2, in the order of its list; step 1, authentication, has been passed.
Result<Server::AllocatePlan, StunError> Server::check_allocate(const Request& request) const {
  const stun::MessageView& message = request.message;
  // Step 3.
  const auto transport = message.value(AttributeType::kRequestedTransport);
  if (!transport) return StunError{ErrorCode::kBadRequest};
  const auto protocol = stun::read_requested_transport(*transport);
  if (!protocol) return StunError{ErrorCode::kBadRequest};
  if (*protocol != kProtocolUdp) return StunError{ErrorCode::kUnsupportedTransportProtocol};
  // Step 5. No reservation is ever made here, so no token can be one of ours.
  const auto even_port = message.value(AttributeType::kEvenPort);
  const auto family_attribute = message.value(AttributeType::kRequestedAddressFamily);
  if (message.has(AttributeType::kReservationToken)) {
    const bool contradictory = even_port || family_attribute || message.has(AttributeType::kAdditionalAddressFamily);
    return StunError{contradictory ? ErrorCode::kBadRequest : ErrorCode::kInsufficientCapacity};
  }
  // Step 6 and 7.
  auto family = AddressFamily::kIPv4;
  if (family_attribute) {
    if (message.has(AttributeType::kAdditionalAddressFamily)) return StunError{ErrorCode::kBadRequest};
    const auto number = stun::read_requested_address_family(*family_attribute);
    if (!number) return StunError{ErrorCode::kBadRequest};
    const auto known = known_family(*number);
    if (!known) return StunError{ErrorCode::kAddressFamilyNotSupported};
    family = *known;
  }
  const auto local = addresses_.local(family, request.packet.client.five_tuple.server.address);
  if (!local) return StunError{ErrorCode::kAddressFamilyNotSupported};
  // Step 10: the next-higher port is not reserved, and to grant only half of the wish would mislead.
  auto parity = PortParity::kAny;
  if (even_port) {
    const auto reserve_next = stun::read_even_port(*even_port);
    if (!reserve_next) return StunError{ErrorCode::kBadRequest};
    if (*reserve_next) return StunError{ErrorCode::kInsufficientCapacity};
    parity = PortParity::kEven;
  }
  const auto lifetime = requested_lifetime(message);
  if (!lifetime) return lifetime.error();
  return AllocatePlan{*local, parity, grant_lifetime(*lifetime)};
}

Result<Allocation*, StunError> Server::open_allocation(const Request& request, const AllocatePlan& plan) {
  const Credentials::Candidate& credential = request.identity.credential;
  // Step 11: quotas. 486 is the user's own, 508 the server's.
  auto hold = quota_.acquire(credential.user);
  if (!hold) {
    const bool own = hold.error() == QuotaError::kUser;
    return StunError{own ? ErrorCode::kAllocationQuotaReached : ErrorCode::kInsufficientCapacity};
  }
  const auto port =
      ports_.open(environment_.relay_ports, allocations_.next_relay(), plan.local, plan.parity, environment_.random);
  if (!port) return StunError{ErrorCode::kInsufficientCapacity};

  auto allocation = std::make_unique<Allocation>(hash_seed_);
  allocation->client = request.packet.client;
  allocation->local = {plan.local, *port};
  allocation->relayed_address = {addresses_.advertised(plan.local), *port};
  allocation->username = request.identity.username;
  allocation->user = credential.user;
  allocation->allocate_transaction = request.message.transaction_id();
  allocation->created_at = request.now.steady;
  allocation->credential_ends_at =
      credential.expires_at ? request.now.steady + (*credential.expires_at - request.now.wall) : TimePoint::max();
  allocation->expires_at = std::min(request.now.steady + plan.lifetime, allocation->credential_ends_at);
  allocation->quota = std::move(*hold);
  Allocation& inserted = allocations_.insert(std::move(allocation));
  environment_.events.on_allocation_created(inserted);
  return &inserted;
}

Server::Failure Server::on_allocate(const Request& request, stun::MessageBuilder& reply) {
  Allocation* allocation = allocations_.find(request.packet.client.five_tuple);
  if (allocation != nullptr) {
    // Step 2, and the note below the list: a retransmission gets the answer that may have been lost.
    const bool retransmission = allocation->allocate_transaction == request.message.transaction_id() &&
                                allocation->username == request.identity.username;
    if (!retransmission) return StunError{ErrorCode::kAllocationMismatch};
  } else {
    const auto plan = check_allocate(request);
    if (!plan) return plan.error();
    const auto opened = open_allocation(request, *plan);
    if (!opened) return opened.error();
    allocation = *opened;
  }
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(allocation->expires_at - request.now.steady);
  reply.add_xor_address(AttributeType::kXorRelayedAddress, allocation->relayed_address)
      .add_u32(AttributeType::kLifetime, static_cast<std::uint32_t>(lifetime.count()))
      .add_xor_address(AttributeType::kXorMappedAddress, request.packet.client.five_tuple.client);
  return std::nullopt;
}

}  // namespace causeway::turn
