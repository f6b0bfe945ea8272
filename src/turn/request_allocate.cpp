// SPDX-License-Identifier: Apache-2.0
// Allocate (RFC 8656 §7): checks that change nothing, a plan, and one commit.
#include <algorithm>

#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

namespace {

// Whatever ends later ends never: nanoseconds in 64 bits reach no further than 292 years.
constexpr std::chrono::years kCredentialLifetimeMax{100};

std::optional<AddressFamily> known_family(std::uint8_t number) {
  if (number == static_cast<std::uint8_t>(AddressFamily::kIPv4)) return AddressFamily::kIPv4;
  if (number == static_cast<std::uint8_t>(AddressFamily::kIPv6)) return AddressFamily::kIPv6;
  return std::nullopt;
}

// RFC 6062 §5.1.
std::optional<StunError> check_tcp_allocate(const stun::MessageView& message, Transport client_transport) {
  const bool contradictory = message.has(AttributeType::kDontFragment) || message.has(AttributeType::kEvenPort) ||
                             message.has(AttributeType::kReservationToken);
  if (!is_stream(client_transport) || contradictory) return StunError{ErrorCode::kBadRequest};
  // Data connections end with their control connection, so there is nothing that could move (RFC 8016).
  if (message.has(AttributeType::kMobilityTicket)) return StunError{ErrorCode::kMobilityForbidden};
  return std::nullopt;
}

// Deviation: besides that of RFC 8656 §18.11 the number of its drafts counts, which coturn's clients sent for years.
std::optional<Bytes> additional_family(const stun::MessageView& message) {
  const auto value = message.value(AttributeType::kAdditionalAddressFamily);
  return value ? value : message.value(AttributeType::kAdditionalAddressFamilyOfDrafts);
}

// In the numbering of the request.
AttributeType address_error_type(const stun::MessageView& request) {
  const bool of_rfc = request.has(AttributeType::kAdditionalAddressFamily);
  return of_rfc ? AttributeType::kAddressErrorCode : AttributeType::kAddressErrorCodeOfDrafts;
}

}  // namespace

// RFC 8656 §7.2, in the order of its list; step 1, authentication, has been passed.
Result<Server::AllocatePlan, StunError> Server::check_allocate(const Request& request) const {
  const stun::MessageView& message = request.message;
  if (is_tunneled(request.packet.client.five_tuple.client.address)) return StunError{ErrorCode::kForbidden};  // §21.4
  // Step 3.
  const auto transport = message.value(AttributeType::kRequestedTransport);
  if (!transport) return StunError{ErrorCode::kBadRequest};
  const auto protocol = stun::read_requested_transport(*transport);
  if (!protocol) return StunError{ErrorCode::kBadRequest};
  const auto relay_transport = static_cast<RelayTransport>(*protocol);
  if (relay_transport == RelayTransport::kTcp && options_.tcp_relay) {
    const auto failure = check_tcp_allocate(message, request.packet.client.five_tuple.transport);
    if (failure) return *failure;
  } else if (relay_transport != RelayTransport::kUdp) {
    return StunError{ErrorCode::kUnsupportedTransportProtocol};
  }
  const auto lifetime = requested_lifetime(message);
  if (!lifetime) return lifetime.error();
  // Step 5.
  const auto even_port = message.value(AttributeType::kEvenPort);
  const auto family_attribute = message.value(AttributeType::kRequestedAddressFamily);
  if (const auto token_attribute = message.value(AttributeType::kReservationToken)) {
    ReservationToken token{};
    const bool contradictory = even_port || family_attribute || additional_family(message);
    if (contradictory || token_attribute->size() != token.size()) return StunError{ErrorCode::kBadRequest};
    std::copy(token_attribute->begin(), token_attribute->end(), token.begin());
    return AllocatePlan{.token = token, .lifetime = grant_lifetime(*lifetime)};
  }
  AllocatePlan plan{.transport = relay_transport, .lifetime = grant_lifetime(*lifetime)};
  if (auto failure = check_families(request, plan)) return *failure;
  // Step 8.
  if (even_port) {
    const auto reserve_next = stun::read_even_port(*even_port);
    const bool contradictory = reserve_next == true && additional_family(message);
    if (!reserve_next || contradictory) return StunError{ErrorCode::kBadRequest};
    plan.parity = PortParity::kEven;
    plan.reserve_next = *reserve_next;
  }
  return plan;
}

// RFC 8656 §7.2, steps 6, 7 and 9.
Server::Failure Server::check_families(const Request& request, AllocatePlan& plan) const {
  const auto requested = request.message.value(AttributeType::kRequestedAddressFamily);
  const auto additional = additional_family(request.message);
  if (requested && additional) return StunError{ErrorCode::kBadRequest};
  auto family = AddressFamily::kIPv4;
  if (requested) {
    const auto number = stun::read_requested_address_family(*requested);
    if (!number) return StunError{ErrorCode::kBadRequest};
    const auto known = known_family(*number);
    if (!known) return StunError{ErrorCode::kAddressFamilyNotSupported};
    family = *known;
  }
  const IpAddress& asked = request.packet.client.five_tuple.server.address;
  plan.wishes.push_back({family, addresses_.local(family, asked)});
  if (additional) {
    // RFC 8656 §18.11: IPv6 is the only family to be had in addition.
    const auto number = stun::read_requested_address_family(*additional);
    if (!number || known_family(*number) != AddressFamily::kIPv6) return StunError{ErrorCode::kBadRequest};
    plan.wishes.push_back({AddressFamily::kIPv6, addresses_.local(AddressFamily::kIPv6, asked)});
  }
  // Step 9 allows a part of a dual allocation, so step 7 is for what leaves nothing.
  const bool none = std::all_of(plan.wishes.begin(), plan.wishes.end(),
                                [](const AllocatePlan::Wish& wish) { return wish.local.empty(); });
  if (none) return StunError{ErrorCode::kAddressFamilyNotSupported};
  return std::nullopt;
}

// RFC 8656 §7.2: 486 is the client's own quota, 508 what the realm or the server lacks.
Result<Quota::Hold, StunError> Server::acquire_quota(const Request& request) {
  const ClientRef& client = request.packet.client;
  const RealmLimits& of_realm = realms_[client.realm].limits;
  const QuotaLimits limits{of_realm.allocations_per_user_max, options_.limits.allocations_per_source_max,
                           of_realm.allocations_max, options_.limits.allocations_total_max};
  auto hold = quota_.acquire(client.realm, request.identity.credential().user, client.five_tuple.client.address, limits,
                             request.now.steady);
  if (hold) return std::move(*hold);
  ++counters_.quota_refusals[static_cast<std::size_t>(hold.error())];
  const bool own = hold.error() == QuotaError::kUser || hold.error() == QuotaError::kSource;
  return StunError{own ? ErrorCode::kAllocationQuotaReached : ErrorCode::kInsufficientCapacity};
}

// What was taken before something fails is given back. A dual allocation is one to the quotas; of its relays one may
// fail (RFC 8656 §7.2 step 9).
Result<Server::OpenedRelays, StunError> Server::open_relays(const Request& request, const AllocatePlan& plan) {
  const std::size_t wanted = plan.reserve_next ? 2 : 1;
  std::array<Quota::Hold, 2> holds;
  for (std::size_t i = 0; i < wanted; ++i) {
    auto hold = acquire_quota(request);
    if (!hold) return hold.error();
    holds[i] = std::move(*hold);
  }
  OpenedRelays opened{.relays = {}, .quota = std::move(holds[0])};
  for (const AllocatePlan::Wish& wish : plan.wishes) {
    const Relays relays = open_on_any(plan, wish.local);
    if (relays.empty()) {
      const bool unsupported = wish.local.empty();
      opened.address_error = {wish.family,
                              unsupported ? ErrorCode::kAddressFamilyNotSupported : ErrorCode::kInsufficientCapacity};
      continue;
    }
    opened.relays.push_back(relays.front());
    if (plan.reserve_next) opened.reserved = reserve(request, relays.back(), std::move(holds[1]));
  }
  if (opened.relays.empty()) return StunError{ErrorCode::kInsufficientCapacity};
  return opened;
}

// Begins with any of the addresses, so that each carries its share, and goes on to the others when one has no port left
// or is gone from this machine.
Relays Server::open_on_any(const AllocatePlan& plan, std::vector<IpAddress> local) {
  while (!local.empty()) {
    const auto size = static_cast<std::uint32_t>(local.size());
    const std::uint32_t chosen = size == 1 ? 0 : environment_.random.below(size);
    Relays relays = open_on(plan, local[chosen]);
    if (!relays.empty()) return relays;
    local.erase(local.begin() + chosen);
  }
  return {};
}

// With the one to reserve; empty when that fails.
Relays Server::open_on(const AllocatePlan& plan, const IpAddress& local) {
  const std::size_t count = plan.reserve_next ? 2 : 1;
  std::array<RelayId, 2> ids{};
  for (std::size_t i = 0; i < count; ++i)
    ids[i] = allocations_.take_relay();
  const IpAddress advertised = addresses_.advertised(local);
  const auto port = ports_.open(ports_of(plan.transport), std::span{ids}.first(count), local, advertised, plan.parity,
                                environment_.random);
  Relays relays;
  if (!port) ++counters_.relay_open_errors[static_cast<std::size_t>(port.error())];
  for (std::size_t i = 0; i < count; ++i) {
    if (!port) {
      allocations_.give_back(ids[i]);
      continue;
    }
    const auto number = static_cast<std::uint16_t>(*port + i);
    relays.push_back({ids[i], {local, number}, {advertised, number}, plan.transport});
  }
  return relays;
}

ReservationToken Server::reserve(const Request& request, const Relay& relay, Quota::Hold quota) {
  auto reservation = std::make_unique<Reservation>();
  environment_.random.fill(reservation->token);
  if (const auto worker = index()) reservation->token.front() = *worker;
  reservation->relay = relay;
  reservation->realm = request.packet.client.realm;
  reservation->username = request.identity.username();
  reservation->quota = std::move(quota);
  const ReservationToken token = reservation->token;
  reservations_.add(std::move(reservation), request.now.steady + ReservationTable::kLifetime);
  return token;
}

Result<Server::OpenedRelays, StunError> Server::take_reserved(const Request& request, const ReservationToken& token) {
  const auto reservation = reservations_.take(token, request.packet.client.realm, request.identity.username());
  if (!reservation) return StunError{ErrorCode::kInsufficientCapacity};
  return OpenedRelays{.relays = {reservation->relay}, .quota = std::move(reservation->quota)};
}

Allocation& Server::commit_allocation(const Request& request, const AllocatePlan& plan, OpenedRelays opened) {
  const Credentials::Candidate& credential = request.identity.credential();
  auto allocation = std::make_unique<Allocation>(hash_seed_);
  allocation->client = request.packet.client;
  allocation->relays = opened.relays;
  allocation->username = request.identity.username();
  allocation->user = credential.user;
  allocation->key = credential.key;
  allocation->allocate_transaction = request.message.transaction_id();
  allocation->reserved = opened.reserved;
  allocation->address_error = opened.address_error;
  allocation->created_at = request.now.steady;
  allocation->credential_ends_at = TimePoint::max();
  if (credential.expires_at && *credential.expires_at - request.now.wall < kCredentialLifetimeMax) {
    allocation->credential_ends_at = request.now.steady + (*credential.expires_at - request.now.wall);
  }
  // Deviation: RFC 8656 §7.2 grants the default at least. An allocation does not outlive what it was allowed with.
  for (Relay& relay : allocation->relays)
    relay.expires_at = std::min(request.now.steady + plan.lifetime, allocation->credential_ends_at);
  allocation->quota = std::move(opened.quota);
  if (const Siblings* siblings = environment_.siblings) {
    for (const Relay& relay : allocation->relays)
      siblings->relays.add(siblings->index, relay);
  }
  Allocation& inserted = allocations_.insert(std::move(allocation));
  environment_.events.on_allocation_created(inserted);
  return inserted;
}

Server::Failure Server::on_allocate(const Request& request, stun::MessageBuilder& reply) {
  Allocation* allocation = allocations_.find(request.packet.client.five_tuple);
  if (allocation != nullptr) {
    // Step 2, and the note below the list: a retransmission gets the answer that may have been lost.
    const bool retransmission =
        allocation->allocate_transaction == request.message.transaction_id() && is_owner(request, *allocation);
    if (!retransmission) return StunError{ErrorCode::kAllocationMismatch};
  } else {
    if (draining_) return refuse_while_draining(request);
    const auto plan = check_allocate(request);
    if (!plan) return plan.error();
    if (auto failure = check_ticket_wish(request)) return failure;
    auto opened = plan->token ? take_reserved(request, *plan->token) : open_relays(request, *plan);
    if (!opened) return opened.error();
    allocation = &commit_allocation(request, *plan, std::move(*opened));
    if (request.message.has(AttributeType::kMobilityTicket)) allocations_.make_mobile(*allocation);
  }
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(allocation->expires_at() - request.now.steady);
  for (const Relay& relay : allocation->relays)
    reply.add_xor_address(AttributeType::kXorRelayedAddress, relay.relayed_address);
  reply.add_u32(AttributeType::kLifetime, static_cast<std::uint32_t>(lifetime.count()))
      .add_xor_address(AttributeType::kXorMappedAddress, request.packet.client.five_tuple.client);
  if (allocation->reserved) reply.add(AttributeType::kReservationToken, *allocation->reserved);
  if (const auto& error = allocation->address_error) {
    reply.add_address_error_code(address_error_type(request.message), error->family, error->code);
  }
  if (allocation->mobility) add_ticket(reply, *allocation);
  return std::nullopt;
}

}  // namespace causeway::turn
