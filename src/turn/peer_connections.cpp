// SPDX-License-Identifier: Apache-2.0
// The connections that peers make to TCP relays (RFC 6062 §5.3), and the ends of all data connections (§5.5).
#include <algorithm>

#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;

Outcome Server::on_peer_connection(RelayId relay, const Endpoint& from, Now now, ReplyBuffer& reply) {
  const Allocation* allocation = allocations_.find(relay);
  if (allocation == nullptr) return drop(DropReason::kUnknownRelay);
  const Endpoint peer = as_advertised(from);
  if (allocation->permissions.find(peer.address, now.steady) == nullptr) return drop(DropReason::kNoPermission);
  if (connections_of(*allocation) >= options_.limits.connections_per_allocation_max) {
    return drop(DropReason::kConnectionLimit);
  }
  auto hold = hold_connection(allocation->client, allocation->user, now);
  if (!hold) return drop(DropReason::kConnectionLimit);

  auto connection = std::make_unique<DataConnection>();
  connection->relay = relay;
  connection->peer = peer;
  connection->state = DataConnection::State::kUnbound;
  connection->quota = std::move(*hold);
  const TimePoint deadline = now.steady + DataConnection::kBindDeadline;
  const DataConnection& inserted = connections_.insert(std::move(connection), deadline, environment_.random);
  stun::MessageBuilder indication{reply, stun::Method::kConnectionAttempt, stun::MessageClass::kIndication,
                                  next_transaction_id()};
  indication.add_u32(AttributeType::kConnectionId, static_cast<std::uint32_t>(inserted.id))
      .add_xor_address(AttributeType::kXorPeerAddress, peer);
  return AnnounceConnection{inserted.id, allocation->client, indication.finish()};
}

// What connects from another relay of this server comes from where that one is bound.
Endpoint Server::as_advertised(const Endpoint& from) const noexcept {
  const Allocation* other = find_relayed(from, RelayTransport::kTcp);
  const Siblings* const siblings = environment_.siblings;
  if (other == nullptr && siblings != nullptr) {
    if (const auto of_sibling = siblings->relays.find_tcp(from)) return of_sibling->relayed_address;
  }
  if (other == nullptr) return from;
  return other->relay_for(from.address.family())->relayed_address;
}

Allocation* Server::find_relayed(const Endpoint& endpoint, RelayTransport transport) const noexcept {
  Allocation* found = allocations_.find_relayed(endpoint);
  return found != nullptr && found->relays.front().transport == transport ? found : nullptr;
}

Result<Quota::Hold, QuotaError> Server::hold_connection(const ClientRef& client, const std::string& user, Now now) {
  const QuotaLimits limits{.per_user = options_.limits.connections_per_user_max,
                           .total = options_.limits.connections_total_max};
  return connection_quota_.acquire(client.realm, user, client.five_tuple.client.address, limits, now.steady);
}

std::size_t Server::connections_of(const Allocation& allocation) const noexcept {
  std::size_t connections = 0;
  for (const Relay& relay : allocation.relays)
    connections += connections_.count_of(relay.id);
  return connections;
}

RelayPorts& Server::ports_of(RelayTransport transport) const noexcept {
  if (transport == RelayTransport::kTcp) return *environment_.tcp_relay_ports;
  return environment_.relay_ports;
}

void Server::close(const DataConnection& connection) noexcept {
  const ConnectionId id = connection.id;
  connections_.remove(id);
  environment_.tcp_relay_ports->close_connection(id);
}

// While its allocation goes on: an attempt is reported as failed by the edge, and its Connect answered then.
void Server::end(const DataConnection& connection) noexcept {
  if (connection.state == DataConnection::State::kConnecting) {
    environment_.tcp_relay_ports->close_connection(connection.id);
  } else {
    close(connection);
  }
}

void Server::on_connection_ended(ConnectionId id) noexcept {
  connections_.remove(id);
}

// The limits of bandwidth hold for connections as well, but nothing is dropped: whoever has spent its tokens waits.
Duration Server::on_connection_data(ConnectionId id, bool from_client, std::size_t bytes, Now now) noexcept {
  const DataConnection* connection = connections_.find(id);
  if (connection == nullptr) return Duration::zero();
  Allocation& allocation = *allocations_.find(connection->relay);
  (from_client ? allocation.from_client : allocation.from_peers).payload_bytes += bytes;
  const RealmLimits& limits = realms_[allocation.client.realm].limits;
  const auto direction = from_client ? &Bandwidth::from_client : &Bandwidth::from_peers;
  const auto take = [&](TokenBucket& bucket, std::uint64_t bytes_per_second_max) {
    const TokenRate rate{bytes_per_second_max};
    bucket.take(rate, bytes, now.steady);
    return bucket.time_to_token(rate, now.steady);
  };
  const Duration own = take(allocation.bandwidth.*direction, limits.allocation_bytes_per_second_max);
  const Duration of_user = take(allocation.quota.bandwidth().*direction, limits.user_bytes_per_second_max);
  return std::max(own, of_user);
}

}  // namespace causeway::turn
