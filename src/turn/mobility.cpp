// SPDX-License-Identifier: Apache-2.0
// Mobility (RFC 8016): tickets, and what they change in Allocate and Refresh.
#include "causeway/turn/mobility.hpp"

#include "causeway/base/base64.hpp"
#include "causeway/turn/peer_policy.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

std::string TicketSealer::seal(const Ticket& ticket) const {
  std::array<std::uint8_t, 8> plain{};
  store_be32(plain.data(), ticket.id);
  store_be32(plain.data() + 4, ticket.serial);
  return base64url_encode(stun::seal(key_, plain));
}

std::optional<Ticket> TicketSealer::open(Bytes sealed) const {
  if (sealed.size() != kTicketBytes) return std::nullopt;
  const auto octets = base64url_decode(as_text(sealed));
  if (!octets) return std::nullopt;
  const auto plain = stun::unseal(key_, *octets);
  if (!plain) return std::nullopt;
  return Ticket{load_be32(plain->data()), load_be32(plain->data() + 4)};
}

// RFC 8016 §3.1.2: an Allocate may ask for a ticket, and has none yet.
Server::Failure Server::check_ticket_wish(const Request& request) const {
  const auto ticket = request.message.value(AttributeType::kMobilityTicket);
  if (!ticket) return std::nullopt;
  if (!ticket->empty()) return StunError{ErrorCode::kBadRequest};
  if (!tickets_) return StunError{ErrorCode::kMobilityForbidden};
  return std::nullopt;
}

// RFC 8016 §3.2.2, the second and third paragraph.
Result<Server::RefreshTarget, StunError> Server::find_by_ticket(const Request& request, Bytes sealed) const {
  if (!tickets_) return StunError{ErrorCode::kMobilityForbidden};
  const auto ticket = tickets_->open(sealed);
  if (!ticket) return StunError{ErrorCode::kBadRequest};
  Allocation* allocation = allocations_.find_mobile(ticket->id);
  if (allocation == nullptr) return StunError{ErrorCode::kAllocationMismatch};
  const Mobility& mobility = *allocation->mobility;
  const FiveTuple& from = request.packet.client.five_tuple;
  const Allocation* there = allocations_.find(from);
  // An old ticket is good for one thing: the answer to the very Refresh that spent it may have been lost.
  const ClientRef& newest = mobility.next ? *mobility.next : allocation->client;
  const bool retransmission = there == allocation && newest.five_tuple == from &&
                              ticket->serial + 1 == mobility.serial &&
                              mobility.move_transaction == request.message.transaction_id();
  if (!retransmission && (ticket->serial != mobility.serial || there == allocation)) {
    return StunError{ErrorCode::kBadRequest};
  }
  if (!is_owner(request, *allocation)) return StunError{ErrorCode::kWrongCredentials};
  if (is_tunneled(from.client.address)) return StunError{ErrorCode::kForbidden};                  // RFC 8656 §21.4
  if (there != nullptr && there != allocation) return StunError{ErrorCode::kAllocationMismatch};  // its place is taken
  return RefreshTarget{allocation, !retransmission};
}

// RFC 8016 §3.2.2, the fourth paragraph.
void Server::move(Allocation& allocation, const Request& request) {
  environment_.events.on_allocation_moving(allocation, request.packet.client.five_tuple);
  allocations_.begin_move(allocation, request.packet.client);
  ++allocation.mobility->serial;
  allocation.mobility->move_transaction = request.message.transaction_id();
}

void Server::add_ticket(stun::MessageBuilder& reply, const Allocation& allocation) const {
  const Mobility& mobility = *allocation.mobility;
  reply.add_text(AttributeType::kMobilityTicket, tickets_->seal({mobility.id, mobility.serial}));
}

// RFC 8016 §3.2.2: data from its new five-tuple tells that the client is there.
void Server::note_arrival(Allocation& allocation, const ClientPacket& packet) noexcept {
  const bool arrives = allocation.mobility && allocation.mobility->next &&
                       allocation.mobility->next->five_tuple == packet.client.five_tuple;
  if (arrives) allocations_.finish_move(allocation);
}

void Server::on_client_gone(const FiveTuple& client, Now now) {
  Allocation* allocation = allocations_.find(client);
  if (allocation == nullptr) return;
  if (!allocation->mobility) {
    end(*allocation, EndReason::kClientGone, now);
  } else if (!allocation->mobility->next) {
    allocations_.set_away(*allocation);
  } else if (allocation->mobility->next->five_tuple == client) {
    allocations_.abandon_move(*allocation);
  } else {
    allocations_.finish_move(*allocation);  // RFC 8016 §3.2.2: so does the end of the old connection
  }
}

}  // namespace causeway::turn
