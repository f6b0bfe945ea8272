// SPDX-License-Identifier: Apache-2.0
// Connect (RFC 6062 §5.2), and its answer once it is known what came of it.
#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

// RFC 6062 §5.2. No permission is needed: the client itself asks for this very peer.
Result<Server::ConnectPlan, StunError> Server::check_connect(const Request& request) const {
  const auto found = find_allocation(request);
  if (!found) return found.error();
  const Allocation& allocation = **found;
  if (!allocation.is_tcp()) return StunError{ErrorCode::kBadRequest};
  const auto attribute = request.message.value(AttributeType::kXorPeerAddress);
  if (!attribute) return StunError{ErrorCode::kBadRequest};
  const auto peer = stun::read_xor_address(*attribute, request.message.transaction_id());
  if (!peer) return StunError{ErrorCode::kBadRequest};
  if (auto failure = check_peer(allocation, peer->address)) return *failure;
  const Relay& relay = *allocation.relay_for(peer->address.family());
  if (connections_.find(relay.id, *peer) != nullptr) return StunError{ErrorCode::kConnectionAlreadyExists};
  const auto remote = endpoint_to_connect(allocation, *peer);
  if (!remote) return remote.error();
  if (connections_of(allocation) >= options_.limits.connections_per_allocation_max) {
    return StunError{ErrorCode::kInsufficientCapacity};
  }
  return ConnectPlan{relay.id, *peer, relay.local, *remote};
}

// At an address of this server there is nothing to connect to but the live relays of other allocations, unless the
// operator allows it. Those are reached where they are bound: the network need not lead back from an external address.
Result<Endpoint, StunError> Server::endpoint_to_connect(const Allocation& allocation, const Endpoint& peer) const {
  if (!is_own(peer.address)) return peer;
  const Allocation* target = find_relayed(peer, RelayTransport::kTcp);
  if (target != nullptr && target != &allocation) {
    return target->relay_for(peer.address.family())->local;
  }
  const Siblings* const siblings = environment_.siblings;
  if (const auto of_sibling =
          siblings != nullptr && target == nullptr ? siblings->relays.find_tcp(peer) : std::nullopt) {
    return of_sibling->local;
  }
  if (target != &allocation && policy_.opens_own_address(peer.address)) return peer;
  return StunError{ErrorCode::kForbidden};
}

Outcome Server::on_connect(const Request& request, ReplyBuffer& reply) {
  const auto refuse = [&](const StunError& error) {
    return Reply{write_error(request.packet, request.message, error, &request.identity, request.now, reply)};
  };
  const auto plan = check_connect(request);
  if (!plan) return refuse(plan.error());
  auto hold = hold_connection(request.packet.client, request.identity.credential().user, request.now);
  if (!hold) {
    const bool own = hold.error() == QuotaError::kUser;
    return refuse({own ? ErrorCode::kAllocationQuotaReached : ErrorCode::kInsufficientCapacity});
  }
  auto connection = std::make_unique<DataConnection>();
  connection->relay = plan->relay;
  connection->peer = plan->peer;
  connection->connect = {request.message.transaction_id(), request.identity,
                         request.message.has(AttributeType::kFingerprint)};
  connection->quota = std::move(*hold);
  const TimePoint deadline = request.now.steady + DataConnection::kConnectTimeout;
  const DataConnection& inserted = connections_.insert(std::move(connection), deadline, environment_.random);
  return Connect{inserted.id, plan->local, plan->remote};
}

Outcome Server::on_connect_result(ConnectionId id, bool established, Now now, ReplyBuffer& reply) {
  DataConnection* connection = connections_.find(id);
  if (connection == nullptr || !connection->connect) return drop(DropReason::kUnknownConnection);
  const ClientRef client = allocations_.find(connection->relay)->client;
  const DataConnection::PendingConnect connect = std::move(*connection->connect);
  connection->connect.reset();

  const auto message_class = established ? stun::MessageClass::kSuccessResponse : stun::MessageClass::kErrorResponse;
  stun::MessageBuilder response{reply, stun::Method::kConnect, message_class, connect.transaction_id};
  if (established) {
    connection->state = DataConnection::State::kUnbound;
    connections_.set_deadline(*connection, now.steady + DataConnection::kBindDeadline);
    response.add_u32(AttributeType::kConnectionId, static_cast<std::uint32_t>(id));
  } else {
    connections_.remove(id);
    response.add_error_code(ErrorCode::kConnectionTimeoutOrFailure);
    note_refusal(client.five_tuple, stun::Method::kConnect, ErrorCode::kConnectionTimeoutOrFailure,
                 connect.identity.username());
  }
  Authenticator::add_integrity(response, connect.identity);
  if (connect.has_fingerprint) response.add_fingerprint();
  return ToClient{client, response.finish()};
}

}  // namespace causeway::turn
