// SPDX-License-Identifier: Apache-2.0
// Whom the relay may reach. Special-purpose ranges are denied unless the operator allows them. A peer's address and
// each IPv4 address embedded in it (IPv4-mapped, IPv4-compatible, 6to4, NAT64, Teredo) are judged; one denied is
// enough.
// Deviation: RFC 8656 §21.4 forbids peers of Teredo and 6to4 for good. The operator's `allow` opens them like any other
// range, because somebody may have such a network of their own.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/base/prefix.hpp"

namespace causeway::turn {

struct PeerPolicyOptions {
  std::vector<Prefix> allow{};
  std::vector<Prefix> deny{};
  bool lan = false;  // permits 10/8, 172.16/12, 192.168/16, 100.64/10 and fc00::/7 without fd00:ec2::254
};

// The IPv4 addresses that an IPv6 address stands for in some network.
using EmbeddedAddresses = boost::container::static_vector<IpAddress, 4>;
EmbeddedAddresses embedded_v4(const IpAddress& address);

// Of Teredo or 6to4. RFC 8656 §21.4: no allocation for a client behind such a tunnel, as a relay that sends to the
// tunnel's end through the tunnel can be made to multiply its own packets.
bool is_tunneled(const IpAddress& address) noexcept;

class PeerPolicy {
 public:
  explicit PeerPolicy(const PeerPolicyOptions& options);

  // The longest prefix decides; at equal length the operator's deny wins over the operator's allow, and both over the
  // built-in list. An address that no prefix covers is allowed.
  bool allows(const IpAddress& peer) const noexcept;
  // Also true only where an `allow` of the operator that is no default route (0.0.0.0/0, ::/0) says so: who allows
  // everything has the internet in mind, not the server's own addresses.
  bool allows_explicitly(const IpAddress& peer) const noexcept;

 private:
  enum class Verdict : std::uint8_t { kBuiltInDeny, kAllow, kDeny };
  struct Rule {
    Prefix prefix;
    Verdict verdict;
  };
  const Rule* rule_for(const IpAddress& address) const noexcept;  // nullptr: no rule covers it

  std::vector<Rule> rules_;  // the first that matches decides
};

}  // namespace causeway::turn
