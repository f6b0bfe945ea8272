// SPDX-License-Identifier: Apache-2.0
// ChannelBind (RFC 8656 §12.2).
#include "causeway/stun/attributes.hpp"
#include "causeway/stun/channel_data.hpp"
#include "causeway/turn/server.hpp"

namespace causeway::turn {

using stun::AttributeType;
using stun::ErrorCode;

Server::Failure Server::on_channel_bind(const Request& request) {
  const auto found = find_allocation(request);
  if (!found) return found.error();
  Allocation& allocation = **found;
  if (allocation.is_tcp()) return StunError{ErrorCode::kBadRequest};  // RFC 6062 §3: data has connections of its own

  const auto number_attribute = request.message.value(AttributeType::kChannelNumber);
  const auto peer_attribute = request.message.value(AttributeType::kXorPeerAddress);
  if (!number_attribute || !peer_attribute) return StunError{ErrorCode::kBadRequest};
  const auto number = stun::read_channel_number(*number_attribute);
  const auto peer = stun::read_xor_address(*peer_attribute, request.message.transaction_id());
  if (!number || !peer || !stun::is_channel_number(*number)) return StunError{ErrorCode::kBadRequest};
  if (!allocation.channels.may_bind(*number, *peer)) return StunError{ErrorCode::kBadRequest};
  if (auto failure = check_peer(allocation, peer->address)) return failure;
  const bool channels_full = !allocation.channels.is_bound(*number) &&
                             allocation.channels.size() >= options_.limits.channels_per_allocation_max;
  const bool permissions_full = !allocation.permissions.contains(peer->address) &&
                                allocation.permissions.size() >= options_.limits.permissions_per_allocation_max;
  if (channels_full || permissions_full) return StunError{ErrorCode::kInsufficientCapacity};

  const TimePoint expires_at = request.now.steady + options_.channel_lifetime;
  allocation.channels.bind(*number, *peer, expires_at);
  allocations_.wake_at(allocation, expires_at + ChannelTable::kCoolDown);
  install_permission(allocation, peer->address, request.now);
  return std::nullopt;
}

}  // namespace causeway::turn
