// SPDX-License-Identifier: Apache-2.0
// Which of the machine's addresses an allocation is relayed on, what is advertised for it, and which addresses are
// this server's own. A snapshot of configuration and interfaces that the composition root makes.
#pragma once

#include <optional>
#include <vector>

#include "causeway/base/endpoint.hpp"

namespace causeway::turn {

// What is advertised instead of a local address, behind a NAT that maps one to the other.
struct ExternalAddress {
  IpAddress external;
  std::optional<IpAddress> local{};  // nullopt: for each local address of its family without an entry of its own
};

struct RelayAddressOptions {
  // To relay on, in any order: each allocation gets one of them. A wildcard stands for the local address of its family
  // to which the request came, else for default_route of that family; also where the request came to another machine's
  // address, through a proxy. A family without an entry answers 440.
  std::vector<IpAddress> relay{};
  std::vector<IpAddress> default_route{};  // source address of the default route, at most one per family
  std::vector<ExternalAddress> external{};
  std::vector<IpAddress> interfaces{};  // every address of this machine
  // Further addresses that lead to this machine, through a NAT or a load balancer: never peers, nothing is relayed
  // there.
  std::vector<IpAddress> leading_here{};
};

class RelayAddresses {
 public:
  explicit RelayAddresses(RelayAddressOptions options) : options_(std::move(options)) {}

  // The local addresses that a request which came to `asked` may be relayed on, each once; empty: this family is not
  // supported (440).
  std::vector<IpAddress> local(AddressFamily family, const IpAddress& asked) const;
  // What the client and its peers get to see. Loopback stays as it is: no external address leads there.
  IpAddress advertised(const IpAddress& local) const noexcept;

  bool is_own(const IpAddress& address) const noexcept;
  // An own address that relays may be open on: the address itself, or its external one.
  bool may_relay(const IpAddress& address) const noexcept;

 private:
  std::optional<IpAddress> of_wildcard(AddressFamily family, const IpAddress& asked) const;
  bool is_external(const IpAddress& address) const noexcept;
  bool has_wildcard(AddressFamily family) const noexcept;

  RelayAddressOptions options_;
};

}  // namespace causeway::turn
