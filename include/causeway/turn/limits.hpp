// SPDX-License-Identifier: Apache-2.0
// How much of the server there is for whom: plain values, which the operator may change while the server runs.
#pragma once

#include <chrono>
#include <cstdint>

namespace causeway::turn {

// Of one realm.
struct RealmLimits {
  std::uint32_t allocations_per_user_max = 128;  // 0: no limit, as in all of these
  std::uint32_t allocations_max = 0;             // of all users of the realm
  // Octets of relayed payload, each way: of one allocation, and of all allocations of one user.
  std::uint64_t allocation_bytes_per_second_max = 0;
  std::uint64_t user_bytes_per_second_max = 0;
};

// Of the whole server.
struct ServerLimits {
  std::chrono::seconds allocation_lifetime_max{3600};  // RFC 8656 §7.2
  std::uint32_t allocations_total_max = 0;             // 0: no limit but that of the port range
  std::uint32_t allocations_per_source_max = 0;        // of an IPv4 address or an IPv6 /64; 0: no limit
  std::uint32_t permissions_per_allocation_max = 256;
  std::uint32_t channels_per_allocation_max = 256;
  std::uint32_t connections_per_allocation_max = 16;           // of TCP relays, as the next two
  std::uint32_t connections_per_user_max = 0;                  // 0: no limit
  std::uint32_t connections_total_max = 0;                     // 0: no limit
  std::uint32_t unauthenticated_answers_per_second_max = 100;  // per source; 0: no limit
  bool binding_needs_allocation = false;                       // Binding of others gets no answer, over any transport
};

}  // namespace causeway::turn
