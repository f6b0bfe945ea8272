// SPDX-License-Identifier: Apache-2.0
// What changes while clients are connected: users, limits, the peer policy, the addresses of the machine, and that the
// server shall empty.
#include "causeway/stun/attributes.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

void Server::set_credentials(RealmIndex realm, std::shared_ptr<const Credentials> credentials, Now now) {
  on_timer(now);  // what has expired was not revoked
  realms_[realm].authenticator.set_credentials(std::move(credentials));
  const Credentials& valid = realms_[realm].authenticator.credentials();
  allocations_.for_each([&](Allocation& allocation) {
    if (allocation.client.realm != realm || valid.accepts(allocation.username, allocation.key, now.wall)) return;
    end(allocation, EndReason::kCredentialRevoked, now);
  });
}

void Server::end_allocations_of(std::string_view user, Now now) {
  bool has_some = false;  // most who go have none, and the search looks at all there are
  for (std::size_t realm = 0; realm < realms_.size(); ++realm)
    has_some = has_some || quota_.of_user(static_cast<RealmIndex>(realm), user) > 0;
  if (!has_some) return;
  on_timer(now);
  allocations_.for_each([&](Allocation& allocation) {
    if (allocation.user == user) end(allocation, EndReason::kCredentialRevoked, now);
  });
}

void Server::set_limits(const ServerLimits& limits, std::span<const RealmLimits> of_realms) {
  options_.limits = limits;
  for (std::size_t i = 0; i < realms_.size(); ++i)
    realms_[i].limits = of_realms[i];
  answers_.set_rate(limits.unauthenticated_answers_per_second_max);
  stream_turns_.set_rate(limits.unauthenticated_answers_per_second_max);
  reserve_tables();
}

void Server::set_peer_policy(const PeerPolicyOptions& peers) {
  options_.peers = peers;
  policy_ = PeerPolicy{peers};
  judge_peers_again();
}

void Server::set_relay_addresses(RelayAddressOptions options) {
  addresses_ = RelayAddresses{std::move(options)};
  judge_peers_again();
}

void Server::judge_peers_again() {
  // A channel without its permission is mute (Server::to_peer, to_client) and keeps its number for the peer.
  allocations_.for_each([this](Allocation& allocation) {
    allocation.permissions.remove_if([&](const IpAddress& peer, Permission& permission) {
      permission.own_address = is_own(peer);
      return check_peer(allocation, peer).has_value();
    });
  });
  for (const ConnectionId id : connections_.ids()) {
    const DataConnection& connection = *connections_.find(id);
    const Allocation& allocation = *allocations_.find(connection.relay);
    const bool stands =
        !check_peer(allocation, connection.peer.address) && endpoint_to_connect(allocation, connection.peer);
    if (!stands) end(connection);
  }
}

// RFC 8656 §7.2 step 11; RFC 8489 §10.
StunError Server::refuse_while_draining(const Request& request) const {
  const AddressFamily family = request.packet.client.five_tuple.client.address.family();
  for (const Endpoint& address : options_.alternate.addresses) {
    if (address.address.family() == family) return {ErrorCode::kTryAlternate};
  }
  return {ErrorCode::kInsufficientCapacity};
}

void Server::add_alternate_server(stun::MessageBuilder& response, const FiveTuple& client,
                                  const Identity& identity) const {
  const AlternateServer& alternate = options_.alternate;
  const bool secured = client.transport == Transport::kTls || client.transport == Transport::kDtls;
  const auto add = [&](bool of_clients_family) {
    for (Endpoint address : alternate.addresses) {
      if ((address.address.family() == client.client.address.family()) != of_clients_family) continue;
      if (secured && alternate.tls_port != 0) address.port = alternate.tls_port;
      response.add_address(AttributeType::kAlternateServer, address);
    }
  };
  // RFC 8489 §10: the family of the request's source first, the other one after it.
  add(true);
  add(false);
  // RFC 8489 §10: the name only for a client that has shown that it knows the attribute.
  if (secured && identity.answers_with_sha256() && !alternate.domain.empty()) {
    response.add_text(AttributeType::kAlternateDomain, alternate.domain);
  }
}

}  // namespace causeway::turn
