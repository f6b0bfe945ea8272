// SPDX-License-Identifier: Apache-2.0
// One allocation (RFC 8656 §3.2). AllocationTable owns it; everybody else refers to it for the length of one call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "causeway/base/time.hpp"
#include "causeway/base/timer_queue.hpp"
#include "causeway/stun/integrity.hpp"
#include "causeway/stun/types.hpp"
#include "causeway/turn/channel_binding.hpp"
#include "causeway/turn/five_tuple.hpp"
#include "causeway/turn/mobility.hpp"
#include "causeway/turn/permission.hpp"
#include "causeway/turn/quota.hpp"
#include "causeway/turn/relay.hpp"
#include "causeway/turn/reservation.hpp"

namespace causeway::turn {

struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t payload_bytes = 0;

  void count(std::size_t bytes) noexcept {
    ++packets;
    payload_bytes += bytes;
  }
};

// Why a dual allocation has one relay only (RFC 8656 §18.12 ADDRESS-ERROR-CODE).
struct AddressError {
  AddressFamily family;
  stun::ErrorCode code;
};

// Its timer stands at the earliest of the ends of its relays and the next end of a permission or channel.
struct Allocation : Timer {
  explicit Allocation(std::uint64_t hash_seed) : permissions(hash_seed), channels(hash_seed) {}

  ClientRef client;                  // where its data goes
  std::optional<Mobility> mobility;  // of a client that asked for a ticket
  Relays relays;                     // never empty
  std::string username;              // later requests must come with the same one (RFC 8656 §5)
  std::string user;                  // to quotas and logs
  stun::LongTermKey key;             // the allocation ends when no credential gives it any more
  stun::TransactionId allocate_transaction{};
  std::optional<ReservationToken> reserved;   // of the port above its own, for the answer to a retransmission
  std::optional<AddressError> address_error;  // for the same
  std::optional<stun::TransactionId> last_family_removal;  // RFC 8656 §8.1: of one of the two relays
  TimePoint created_at;
  TimePoint credential_ends_at;  // TimePoint::max() for a static user
  PermissionTable permissions;
  ChannelTable channels;
  Quota::Hold quota;
  Bandwidth bandwidth;      // its own; that of its user is in the quota
  TokenBucket icmp_errors;  // that its client is told of
  Traffic from_client;      // relayed to peers
  Traffic from_peers;       // relayed to the client

  bool is_tcp() const noexcept { return relays.front().transport == RelayTransport::kTcp; }
  // The relay towards peers of this family, nullptr when there is none.
  const Relay* relay_for(AddressFamily family) const noexcept {
    for (const Relay& relay : relays) {
      if (relay.local.address.family() == family) return &relay;
    }
    return nullptr;
  }
  // When the last of its relays does.
  TimePoint expires_at() const noexcept {
    TimePoint last = relays.front().expires_at;
    for (const Relay& relay : relays)
      last = std::max(last, relay.expires_at);
    return last;
  }
};

}  // namespace causeway::turn
