// SPDX-License-Identifier: Apache-2.0
// What the TURN core tells its owner besides the outcome of a packet: the beginnings and ends of allocations and
// refused requests, for logs and usage. Called synchronously, never on the relay path.
#pragma once

#include <cstdint>
#include <string_view>

#include "causeway/stun/types.hpp"
#include "causeway/turn/allocation.hpp"

namespace causeway::turn {

enum class EndReason : std::uint8_t {
  kReleased,  // Refresh with a lifetime of zero
  kExpired,   // the client did not refresh
  kCredentialExpired,
  kCredentialRevoked,  // the user was removed or has gone or another password, or the secret is gone
  kClientGone,         // the client's connection ended
  kServerStopped,
};
inline constexpr std::size_t kEndReasons = 6;
const char* name_of(EndReason reason) noexcept;

class Events {
 public:
  virtual ~Events() = default;
  virtual void on_allocation_created(const Allocation& allocation) = 0;
  // Its client has refreshed from another five-tuple (RFC 8016) and is still the former one's in `allocation`.
  virtual void on_allocation_moving(const Allocation& allocation, const FiveTuple& to) = 0;
  virtual void on_allocation_ended(const Allocation& allocation, EndReason reason, Now now) = 0;
  // `username` is what the client sent and may be anything; empty when it sent none.
  virtual void on_request_refused(const FiveTuple& client, stun::Method method, stun::ErrorCode code,
                                  std::string_view username) = 0;
};

}  // namespace causeway::turn
