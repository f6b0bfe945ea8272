// SPDX-License-Identifier: Apache-2.0
// NAT behaviour discovery (RFC 5780): two addresses of one family with two ports each, and which of these four
// transport addresses an answer comes from. Off where there is no pair.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"
#include "causeway/stun/attributes.hpp"

namespace causeway::turn {

struct NatDiscoveryOptions {
  struct Address {
    IpAddress local;
    IpAddress advertised;  // the same, or what a NAT in front of the server makes of it
  };
  std::vector<std::array<Address, 2>> pairs;  // one for each family at most
  std::uint16_t port = 3478;
  std::uint16_t alternate_port = 3479;
};

class NatDiscovery {
 public:
  // RFC 5780 §7.6 asks for the MTU of the interface, so that the answer does not fit into one packet; this is
  // Ethernet's.
  static constexpr std::size_t kPaddingBytesMax = 1500;

  struct Answer {
    Endpoint from;             // where the server sends it from
    Endpoint response_origin;  // the same as others see it
    Endpoint other_address;
  };

  explicit NatDiscovery(NatDiscoveryOptions options) : options_(std::move(options)) {}

  // For a request to `asked`; nullopt where that is none of the four.
  std::optional<Answer> answer(const Endpoint& asked, stun::ChangeRequest change) const;

 private:
  NatDiscoveryOptions options_;
};

}  // namespace causeway::turn
