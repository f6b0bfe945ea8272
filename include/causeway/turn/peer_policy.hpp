// SPDX-License-Identifier: Apache-2.0
// Which peers the relay may reach. Of IPv4 everything but the special-purpose ranges, of IPv6 only global unicast
// (2000::/3, RFC 4291 §2.4) without its special-purpose ranges: what IANA has not assigned yet leads nowhere but into
// private use. The operator opens other ranges. A peer's address and each IPv4 address embedded in it (IPv4-mapped,
// IPv4-compatible, IPv4-translated, 6to4, NAT64, Teredo) are judged; one denied is enough.
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
  // built-in lists. An IPv4 address that no prefix covers is allowed.
  bool allows(const IpAddress& peer) const noexcept;
  // Whether an address of this server is open for all its ports, the server's own services among them: an `allow` of
  // the operator names it alone (/32, /128) or lies within 127.0.0.0/8. An operator who allows a network has its other
  // machines in mind.
  bool opens_own_address(const IpAddress& own) const noexcept;

 private:
  enum class Verdict : std::uint8_t { kBuiltInDeny, kBuiltInAllow, kAllow, kDeny };
  struct Rule {
    Prefix prefix;
    Verdict verdict;
  };
  const Rule* rule_for(const IpAddress& address) const noexcept;  // nullptr: no rule covers it

  std::vector<Rule> rules_;  // the first that matches decides
};

}  // namespace causeway::turn
