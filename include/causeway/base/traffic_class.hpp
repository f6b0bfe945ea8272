// SPDX-License-Identifier: Apache-2.0
// The octet of an IP header with the DSCP (RFC 2474) and the ECN field (RFC 3168): Type of Service in IPv4, Traffic
// Class in IPv6.
#pragma once

#include <cstdint>

namespace causeway {

struct TrafficClass {
  std::uint8_t octet = 0;  // best effort, not ECN-capable
  friend constexpr bool operator==(const TrafficClass&, const TrafficClass&) noexcept = default;
};

}  // namespace causeway
